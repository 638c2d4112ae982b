//! What a machine must hold, told from its files alone.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Pki;
use super::held::Held;
use crate::authority::AUTHORITIES;
use crate::cluster::{Cluster, Convention, Etcd, KubeletClientCertificate, Node};
use crate::expected::Expected;
use crate::layout::Layout;
use crate::names::{DnsName, Endpoint, KubernetesVersion, NodeName, San};
use crate::role::{NODE_USER, Role};
use crate::x509::{Certificate, DistinguishedName, Usage};

impl Expected {
    /// What a machine must hold as far as its own files tell: its kind by the files that are there, its name and its
    /// addresses by its certificates and kubeconfigs, and of each certificate the names and the key algorithm that it
    /// has.
    ///
    /// What no file tells is not expected; a certificate that then could not be issued again, because it is gone, is
    /// still reported as missing.
    #[must_use]
    pub fn inferred(pki: &Pki) -> Self {
        Self::infer(&pki.layout, &Held::all(pki).0)
    }

    pub(crate) fn infer(layout: &Layout, held: &BTreeMap<Role, Held>) -> Self {
        let seen = Files { held };
        let endpoint = seen.endpoint();
        let name = seen.node_name(endpoint.as_ref());
        let advertise = seen.advertise_address();
        let has_key = |role| held.get(&role).is_some_and(|held| held.key.is_some());
        let is_control_plane = CONTROL_PLANE.into_iter().any(|role| seen.has(role))
            || has_key(Role::KubernetesCa)
            || has_key(Role::ServiceAccount);
        let is_etcd_member = !is_control_plane && seen.has(Role::EtcdCa) && !seen.has(Role::KubeletClient);
        let mut unknown = Vec::new();
        // Without them these cannot be made anew; what is there says its own.
        if endpoint.is_none() || name.is_none() || advertise.is_none() {
            unknown.extend([Role::ApiServer, Role::EtcdServer, Role::EtcdPeer, Role::KubeletServer]);
        }
        // The addresses of services, and what was added, stand in no other file.
        let own = [Role::ApiServer, Role::KubeletServer, Role::FrontProxyServer];
        unknown.extend(own.into_iter().filter(|role| seen.certificate(*role).is_none()));
        if endpoint.is_none() {
            unknown.extend([Role::Admin, Role::SuperAdmin, Role::KubeProxy]);
        }
        if endpoint.is_none() || name.is_none() {
            unknown.push(Role::KubeletClient);
        }
        if advertise.is_none() {
            unknown.extend([Role::ControllerManager, Role::Scheduler]);
        }
        let cluster = seen.cluster(endpoint.unwrap_or_else(Endpoint::unknown), is_control_plane);
        let (name, advertise) =
            (name.unwrap_or_else(NodeName::unknown), advertise.unwrap_or(IpAddr::from([0; 4])));
        let node = match (is_control_plane, is_etcd_member) {
            (true, _) => Node::control_plane(name, advertise),
            (false, true) => Node::etcd_member(name, advertise),
            (false, false) => Node::worker(name),
        };
        let port = seen.server(Role::ControllerManager).or(seen.server(Role::Scheduler));
        let node = match port {
            Some(local) if is_control_plane => node.bind_port(local.port()),
            _ => node,
        };
        let is_external = |role: &Role| held.get(role).is_none_or(|held| held.key.is_none());
        AUTHORITIES
            .into_iter()
            .filter(is_external)
            .fold(Self::new(&cluster, &node).layout(layout.clone()), Self::external)
            .told_by_files(unknown, |role| seen.certificate(role))
    }
}

/// What only a control-plane node has.
const CONTROL_PLANE: [Role; 5] = [
    Role::ApiServer,
    Role::ApiServerKubeletClient,
    Role::FrontProxyClient,
    Role::ControllerManager,
    Role::Scheduler,
];

struct Files<'a> {
    held: &'a BTreeMap<Role, Held>,
}

impl<'a> Files<'a> {
    fn has(&self, role: Role) -> bool {
        self.held.contains_key(&role)
    }

    fn certificate(&self, role: Role) -> Option<&'a Certificate> {
        self.held.get(&role)?.certificate()
    }

    /// Where a kubeconfig points to.
    fn server(&self, role: Role) -> Option<Endpoint> {
        let cluster = self.held.get(&role)?.kubeconfig.as_ref()?.is.current_cluster()?;
        // A host that is not the server's name says nothing about that.
        Endpoint::from_url(&cluster.server).filter(|_| cluster.tls_server_name.is_none())
    }

    fn endpoint(&self) -> Option<Endpoint> {
        [Role::Admin, Role::SuperAdmin, Role::KubeletClient, Role::KubeProxy, Role::ControllerManager]
            .into_iter()
            .find_map(|role| self.server(role))
    }

    fn advertise_address(&self) -> Option<IpAddr> {
        let address = |san| match san {
            San::Ip(address) if !address.is_loopback() => Some(address),
            _ => None,
        };
        let servers = [Role::ControllerManager, Role::Scheduler].into_iter();
        let servers: Vec<_> = servers.filter_map(|role| address(self.server(role)?.san())).collect();
        let etcd = [Role::EtcdServer, Role::EtcdPeer].into_iter().flat_map(|role| self.sans(role));
        let etcd: Vec<_> = etcd.filter_map(address).collect();
        // Old kubeadm pointed both to the load balancer: etcd's certificates know better.
        let both = servers.iter().find(|address| etcd.contains(address));
        both.or(etcd.first()).or(servers.first()).copied()
    }

    fn sans(&self, role: Role) -> impl Iterator<Item = San> {
        self.certificate(role).into_iter().flat_map(|it| it.sans()).filter_map(|san| san.to_san())
    }

    /// The name that most certificates carry; of those that are as frequent, the kubelet's own.
    fn node_name(&self, endpoint: Option<&Endpoint>) -> Option<NodeName> {
        let endpoint = endpoint.map(Endpoint::san);
        let kubelet = |role| self.certificate(role)?.subject().common_name()?.strip_prefix(NODE_USER);
        let kubelets = [Role::KubeletClient, Role::KubeletServer].into_iter().filter_map(kubelet);
        let is_others = |san: &San| {
            Some(san) == endpoint.as_ref()
                || matches!(san, San::Dns(name) if name.as_str() == "localhost"
                    || name.as_str() == "kubernetes" || name.as_str().starts_with("kubernetes.default"))
        };
        let servers = [Role::EtcdServer, Role::EtcdPeer, Role::ApiServer, Role::KubeletServer].into_iter();
        let named = servers.flat_map(|role| self.sans(role)).filter(|san| !is_others(san));
        let named = named.filter_map(|san| match san {
            San::Dns(name) => Some(name.as_str().to_owned()),
            San::Ip(_) => None,
        });
        let mut votes: Vec<(NodeName, usize)> = Vec::new();
        for name in kubelets.map(str::to_owned).chain(named).filter_map(|name| name.parse().ok()) {
            match votes.iter_mut().find(|(known, _)| *known == name) {
                Some((_, votes)) => *votes += 1,
                None => votes.push((name, 1)),
            }
        }
        // The first of the most frequent ones.
        votes.into_iter().rev().max_by_key(|(_, votes)| *votes).map(|(name, _)| name)
    }

    /// A version of kubeadm that would have made this, where it can be told.
    fn version(&self, cluster: &Cluster) -> Option<KubernetesVersion> {
        let kubelets = self.certificate(Role::ApiServerKubeletClient);
        let kubelet = self.server(Role::KubeletClient);
        let has_no_group = |subject: &DistinguishedName| {
            subject.organizations().chain(subject.organizational_units()).next().is_none()
        };
        let is_local =
            kubelet.is_some_and(|own| own != cluster.endpoint && Some(own) == self.server(Role::Scheduler));
        match is_local {
            true if kubelets.is_some_and(|it| has_no_group(it.subject())) => "1.36".parse().ok(),
            true => "1.34".parse().ok(),
            false => None,
        }
    }

    fn cluster(&self, endpoint: Endpoint, is_control_plane: bool) -> Cluster {
        let named = [Role::KubernetesCa, Role::EtcdServer].map(|role| self.certificate(role));
        let named = named.into_iter().flatten().filter_map(|it| it.subject().common_name());
        let convention = match named.into_iter().any(|name| matches!(name, "kubernetes-ca" | "kube-etcd")) {
            true => Convention::Documented,
            false => Convention::Kubeadm,
        };
        // Which subnets there are is not known: names that are there stay.
        let mut cluster = Cluster::new(endpoint).convention(convention).service_subnets([]);
        // The documented convention has `kubernetes.default.svc.cluster` too.
        let mut domains = self.sans(Role::ApiServer).filter_map(|san| match san {
            San::Dns(name) => name.as_str().strip_prefix("kubernetes.default.svc.")?.parse::<DnsName>().ok(),
            San::Ip(_) => None,
        });
        let domain = domains.find(|domain| domain.as_str() != "cluster");
        cluster = domain.into_iter().fold(cluster, Cluster::dns_domain);
        cluster = self.version(&cluster).into_iter().fold(cluster, Cluster::kubernetes_version);
        let name = self.held.get(&Role::Admin).and_then(|held| {
            let kubeconfig = &held.kubeconfig.as_ref()?.is;
            kubeconfig
                .contexts
                .iter()
                .find(|it| it.name == kubeconfig.current_context)?
                .context
                .cluster
                .parse()
                .ok()
        });
        cluster = name.into_iter().fold(cluster, Cluster::name);
        let is_shared = self.certificate(Role::ApiServer).is_some_and(|it| {
            it.usages().contains(&Usage::ClientAuth)
                && it.subject().common_name() == Role::ApiServer.common_name()
        });
        if is_shared && !self.has(Role::ApiServerKubeletClient) {
            cluster = cluster.kubelet_client_certificate(KubeletClientCertificate::Shared);
        }
        let has_etcd = |roles: &[Role]| roles.iter().any(|role| self.has(*role));
        if has_etcd(&[Role::EtcdServer, Role::EtcdPeer]) || !is_control_plane {
            cluster
        } else if has_etcd(&[Role::EtcdCa, Role::ApiServerEtcdClient]) {
            cluster.etcd(Etcd::Dedicated)
        } else {
            cluster.etcd(Etcd::External { ca: "".into(), cert: "".into(), key: "".into() })
        }
    }
}
