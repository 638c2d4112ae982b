//! [`Expected`]: all that one machine must hold.

use std::net::IpAddr;

use crate::cluster::{Cluster, Etcd, KubeletClientCertificate, Node, NodeKind};
use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::names::{Endpoint, San};
use crate::role::table::{Files, Server};
use crate::role::{self, Profile, Role};
use crate::x509::Certificate;

/// All that one node of a cluster must hold, and what follows from it: the profiles of its certificates, and the
/// [arguments](Self::arguments) of its components.
#[derive(Clone, Debug)]
pub struct Expected {
    pub(crate) cluster: Cluster,
    pub(crate) node: Node,
    pub(crate) layout: Layout,
    external: Vec<Role>,
    profiles: Vec<Profile>,
    knowledge: Knowledge,
}

/// Where an expectation comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Knowledge {
    Described,
    /// From a machine's files, which do not tell enough about roles, some of which have no certificate either; with
    /// the profiles as they were before certificates told theirs.
    Inferred {
        unknown: Vec<Role>,
        missing: Vec<Role>,
        plain: Vec<Profile>,
    },
}

/// Whether a control-plane node is the one that a cluster begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
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

    /// What follows for the first control-plane node of a cluster: super-admin.conf as well.
    #[must_use]
    pub fn first(cluster: &Cluster, node: &Node) -> Self {
        Self::at_turn(cluster, node, Turn::First)
    }

    fn at_turn(cluster: &Cluster, node: &Node, turn: Turn) -> Self {
        let profiles = profiles(cluster, node, turn);
        Self {
            cluster: cluster.clone(),
            node: node.clone(),
            layout: Layout::default(),
            external: Vec::new(),
            profiles,
            knowledge: Knowledge::Described,
        }
    }

    /// The same as far as a machine's files tell it: what certificates hold may stay.
    pub(crate) fn told_by_files<'a>(
        mut self,
        unknown: Vec<Role>,
        certificate: impl Fn(Role) -> Option<&'a Certificate>,
    ) -> Self {
        let told = |profile: Profile| match certificate(profile.role()) {
            Some(certificate) if unknown.contains(&profile.role()) => {
                profile.without_unknown_sans().adopting(certificate)
            }
            Some(certificate) => profile.adopting(certificate),
            None => profile,
        };
        let plain = self.profiles;
        self.profiles = plain.iter().cloned().map(told).collect();
        let missing = unknown.iter().copied().filter(|role| certificate(*role).is_none()).collect();
        self.knowledge = Knowledge::Inferred { unknown, missing, plain };
        self
    }

    /// Whether it comes from a description, and not from files.
    pub(crate) fn is_described(&self) -> bool {
        self.knowledge == Knowledge::Described
    }

    /// Whether enough is known to make a certificate of `role`.
    pub(crate) fn knows(&self, role: Role) -> bool {
        !matches!(&self.knowledge, Knowledge::Inferred { missing, .. } if missing.contains(&role))
    }

    /// Whether it is known which API server the kubeconfig of a role points to.
    pub(crate) fn knows_server(&self, role: Role) -> bool {
        !matches!(&self.knowledge, Knowledge::Inferred { unknown, .. } if unknown.contains(&role))
    }

    /// The profile of a role, if the node needs a certificate of it.
    pub(crate) fn profile(&self, role: Role) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.role() == role)
    }

    /// What a certificate of a role is issued as in the place of one that the cluster's authority has not signed: nothing
    /// of that is believed. `None` where only it could tell.
    pub(crate) fn plain_profile(&self, role: Role) -> Option<Profile> {
        let profiles = match &self.knowledge {
            Knowledge::Described => &self.profiles,
            Knowledge::Inferred { plain, .. } => plain,
        };
        let profile = profiles.iter().find(|profile| profile.role() == role).cloned();
        let profile = profile.unwrap_or_else(|| Profile::new(role, &self.cluster, Some(&self.node), ""));
        let is_told = self.is_described() && self.has(role);
        (is_told || !profile.is_serving()).then_some(profile)
    }

    /// What a certificate must be that is there though the node does not need it: super-admin.conf, kube-proxy.conf. Its
    /// names and key algorithm are its own.
    pub(crate) fn optional(&self, role: Role, certificate: &Certificate) -> Profile {
        Profile::new(role, &self.cluster, Some(&self.node), "").adopting(certificate)
    }

    /// The cluster. Where it is [inferred](Self::inferred) it has only what the files tell, so no service subnets; `None`
    /// where they do not tell the endpoint.
    #[must_use]
    pub fn cluster(&self) -> Option<&Cluster> {
        Some(&self.cluster).filter(|cluster| !cluster.endpoint.san().is_unknown())
    }

    /// The node. Where it is [inferred](Self::inferred) it has only what the files tell, so no added names; `None` where
    /// they do not tell its name, or the address of one that is no worker.
    #[must_use]
    pub fn node(&self) -> Option<&Node> {
        let address = self.node.advertise_address();
        let is_unknown = San::from(self.node.name()).is_unknown()
            || address.is_some_and(|address| San::from(address).is_unknown());
        (!is_unknown).then_some(&self.node)
    }

    /// Another place for the files than `/etc/kubernetes`.
    #[must_use]
    pub fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// Says that the key of an authority is not on the node: no audit misses it there. For [`Role::KubernetesCa`],
    /// kube-controller-manager is then not told to sign with it.
    #[must_use]
    pub fn external(mut self, authority: Role) -> Self {
        self.external.push(authority);
        self
    }

    pub(crate) fn is_external(&self, authority: Role) -> bool {
        self.external.contains(&authority)
    }

    /// Whether the key of an authority belongs on the node.
    pub(crate) fn has_signing_key(&self, authority: Role) -> bool {
        let is_needed = self.is_control_plane() && self.authorities().any(|needed| needed == authority);
        is_needed && !self.is_external(authority)
    }

    /// The API server that the kubeconfig of a role points to.
    pub(crate) fn server(&self, role: Role) -> Endpoint {
        let is_local = match role.row().files {
            Files::Kubeconfig { server: Server::Local, .. } => true,
            Files::Kubeconfig { server: Server::LocalSince(minor), .. } => self.cluster.is_since(minor),
            _ => false,
        };
        // A worker's own endpoint is the cluster's.
        if is_local { self.node.local_endpoint(&self.cluster) } else { self.cluster.endpoint.clone() }
    }

    /// Where this node may reach an API server of its cluster.
    pub(crate) fn servers(&self) -> impl Iterator<Item = Endpoint> {
        [self.cluster.endpoint.clone(), self.node.local_endpoint(&self.cluster)].into_iter()
    }

    /// Whether an address in the API server's certificate may be that of the service `kubernetes`: it is no server's.
    pub(crate) fn may_be_service(&self, address: IpAddr) -> bool {
        !address.is_loopback() && self.servers().all(|server| server.san() != San::Ip(address))
    }

    /// The common name of an authority in the convention.
    pub(crate) fn authority_name(&self, authority: Role) -> String {
        Profile::new(authority, &self.cluster, None, "").common_name().to_owned()
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

    pub(crate) fn is_control_plane(&self) -> bool {
        matches!(self.node.kind, NodeKind::ControlPlane { .. })
    }

    /// Checks that the descriptions do not contradict themselves, and that the node gets everything that is asked for.
    pub(crate) fn check(&self) -> Result<()> {
        self.cluster.check()?;
        self.node.check()?;
        let node = &self.node;
        if matches!((&self.cluster.etcd, node.kind), (Etcd::External { .. }, NodeKind::EtcdMember { .. })) {
            return Err(Error::invalid(
                "etcd",
                "a cluster with its own etcd for an etcd member",
                "an external etcd",
            ));
        }
        if self.cluster.verify_kubelets && node.advertise_address().is_none() && node.addresses.is_empty() {
            let rule = "the addresses that API servers call, which verify kubelets in this cluster";
            return Err(Error::invalid("addresses", rule, node.name().as_str()));
        }
        let asked_for = [
            (!node.addresses.is_empty(), Role::KubeletServer, "addresses"),
            (node.kube_proxy, Role::KubeProxy, "kube-proxy"),
            (!node.front_proxy_server.is_empty(), Role::FrontProxyServer, "front-proxy server"),
        ];
        if let Some((_, role, field)) = asked_for.iter().find(|(asked, role, _)| *asked && !self.has(*role)) {
            let rule = format!("a kind of node that has a certificate of {role}");
            return Err(Error::invalid(field, rule, node.name().as_str()));
        }
        let serving: Vec<_> =
            self.profiles.iter().filter(|profile| profile.is_serving()).map(Profile::role).collect();
        match node.sans.iter().find(|(role, _)| !serving.contains(role)) {
            None => Ok(()),
            Some((role, san)) => {
                let ids: Vec<_> = serving.iter().map(|role| role.id()).collect();
                let ids = if ids.is_empty() { "it has none".to_owned() } else { ids.join(", ") };
                let rule = format!("a name for a serving certificate of this node ({ids})");
                Err(Error::invalid("subject alternative name", rule, &format!("{san} for {role}")))
            }
        }
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
            if turn == Turn::First && !cluster.is_before(29) {
                profiles.push(role::SuperAdmin::new(cluster).profile());
            }
            profiles.push(role::ControllerManager::new(cluster).profile());
            profiles.push(role::Scheduler::new(cluster).profile());
            let mut front_proxy_names = node.front_proxy_server.iter().cloned();
            if let Some(first) = front_proxy_names.next() {
                let server = role::FrontProxyServer::new(cluster, first);
                let added = node.added_sans(Role::FrontProxyServer);
                profiles
                    .push(front_proxy_names.chain(added).fold(server, role::FrontProxyServer::san).profile());
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
