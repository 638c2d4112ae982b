//! [`Expected`]: all that one machine must hold.

use crate::cluster::{Cluster, Etcd, KubeletClientCertificate, Node, NodeKind};
use crate::layout::Layout;
use crate::role::{self, Profile, Role};

/// All that one node of a cluster must hold, and what follows from it: the profiles of its certificates, and the
/// [arguments](Self::arguments) of its components.
#[derive(Clone, Debug)]
pub struct Expected {
    pub(crate) cluster: Cluster,
    pub(crate) node: Node,
    pub(crate) layout: Layout,
    external: Vec<Role>,
    profiles: Vec<Profile>,
}

/// Whether a control-plane node is the one that a cluster begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    First,
    Later,
}

impl Expected {
    /// What follows from the descriptions of a cluster and one of its nodes, in `/etc/kubernetes`.
    ///
    /// super-admin.conf is not expected: only the first node of a cluster has it. Descriptions that contradict
    /// themselves are refused where certificates are made, not here.
    #[must_use]
    pub fn new(cluster: &Cluster, node: &Node) -> Self {
        Self::at_turn(cluster, node, Turn::Later)
    }

    pub(crate) fn at_turn(cluster: &Cluster, node: &Node, turn: Turn) -> Self {
        let profiles = profiles(cluster, node, turn);
        Self {
            cluster: cluster.clone(),
            node: node.clone(),
            layout: Layout::default(),
            external: Vec::new(),
            profiles,
        }
    }

    /// Another place for the files than `/etc/kubernetes`.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// Says that the key of an authority is not on the node. For [`Role::KubernetesCa`], kube-controller-manager is then
    /// not told to sign with it; for the others it changes nothing.
    #[must_use]
    pub fn external(mut self, authority: Role) -> Self {
        self.external.push(authority);
        self
    }

    pub(crate) fn is_external(&self, authority: Role) -> bool {
        self.external.contains(&authority)
    }

    /// The profiles of the node's leaf certificates, in the order of the role table.
    pub fn profiles(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.iter()
    }

    /// The authorities whose certificates the node needs.
    pub(crate) fn authorities(&self) -> impl Iterator<Item = Role> {
        let needed: &[Role] = match (self.node.kind, &self.cluster.etcd) {
            (NodeKind::ControlPlane { .. }, Etcd::External { .. }) => {
                &[Role::KubernetesCa, Role::FrontProxyCa]
            }
            (NodeKind::ControlPlane { .. }, _) => &[Role::KubernetesCa, Role::EtcdCa, Role::FrontProxyCa],
            (NodeKind::EtcdMember { .. }, _) => &[Role::EtcdCa],
            (NodeKind::Worker, _) => &[Role::KubernetesCa],
        };
        needed.iter().copied()
    }

    /// Whether the node holds a certificate of `role`.
    pub(crate) fn has(&self, role: Role) -> bool {
        self.profiles.iter().any(|profile| profile.role() == role)
    }
}

fn profiles(cluster: &Cluster, node: &Node, turn: Turn) -> Vec<Profile> {
    let etcd_member = [
        role::EtcdServer::new(cluster, node).profile(),
        role::EtcdPeer::new(cluster, node).profile(),
        role::EtcdHealthcheckClient::new(cluster).profile(),
    ];
    let mut profiles = Vec::new();
    match node.kind {
        NodeKind::ControlPlane { .. } => {
            profiles.push(role::ApiServer::new(cluster, node).profile());
            if cluster.kubelet_client_certificate == KubeletClientCertificate::Separate {
                profiles.push(role::ApiServerKubeletClient::new(cluster).profile());
            }
            profiles.push(role::FrontProxyClient::new(cluster).profile());
            if !matches!(cluster.etcd, Etcd::External { .. }) {
                profiles.push(role::ApiServerEtcdClient::new(cluster).profile());
            }
            if cluster.etcd == Etcd::Stacked {
                profiles.extend(etcd_member);
            }
            profiles.push(role::Admin::new(cluster).profile());
            if turn == Turn::First {
                profiles.push(role::SuperAdmin::new(cluster).profile());
            }
            profiles.push(role::ControllerManager::new(cluster).profile());
            profiles.push(role::Scheduler::new(cluster).profile());
            let mut front_proxy_names = node.front_proxy_server.iter().cloned();
            if let Some(first) = front_proxy_names.next() {
                let server = role::FrontProxyServer::new(cluster, first);
                profiles.push(front_proxy_names.fold(server, role::FrontProxyServer::san).profile());
            }
        }
        NodeKind::EtcdMember { .. } => profiles.extend(etcd_member),
        NodeKind::Worker => {}
    }
    if !matches!(node.kind, NodeKind::EtcdMember { .. }) {
        profiles.push(role::KubeletClient::new(cluster, node).profile());
        if cluster.verify_kubelets || !node.addresses.is_empty() {
            profiles.push(role::KubeletServer::new(cluster, node).profile());
        }
        if node.kube_proxy {
            profiles.push(role::KubeProxy::new(cluster).profile());
        }
    }
    profiles.sort_by_key(Profile::role);
    profiles
}
