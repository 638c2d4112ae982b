//! [`Cluster`] and [`Node`]: descriptions, from which everything else follows.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::authentication::Authentication;
use crate::error::{Error, Result};
use crate::key::KeyAlgorithm;
use crate::names::{
    ClusterName, DnsName, Endpoint, KubernetesVersion, NodeName, San, Subnet, TokenIssuer, is_one_machine,
};
use crate::role::Role;

const HOUR: Duration = Duration::from_secs(3600);

/// Whose names the certificates and kubeconfigs carry. Paths are the same in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Convention {
    /// The tables of "PKI certificates and requirements" in the Kubernetes documentation, with every subject
    /// alternative name that either the page or kubeadm asks for.
    #[default]
    Documented,
    /// What kubeadm itself would have made, name for name: with the names and servers of 1.29 to 1.32, which every later
    /// version works with, or exactly as [`Cluster::kubernetes_version`] says.
    Kubeadm,
}

impl Convention {
    /// The stable name: `documented`, `kubeadm`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Kubeadm => "kubeadm",
        }
    }
}

impl FromStr for Convention {
    type Err = Error;

    /// Reads [`Convention::id`].
    fn from_str(text: &str) -> Result<Self> {
        [Self::Documented, Self::Kubeadm]
            .into_iter()
            .find(|convention| convention.id() == text)
            .ok_or_else(|| Error::invalid("convention", "documented or kubeadm", text))
    }
}

impl fmt::Display for Convention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// Where the cluster's etcd runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Etcd {
    /// A member on each control-plane node.
    #[default]
    Stacked,
    /// Members on machines of their own ([`Node::etcd_member`]), with certificates from the same [`Authorities`].
    ///
    /// [`Authorities`]: crate::Authorities
    Dedicated,
    /// An etcd with certificates from elsewhere: no etcd authority is made, and the API server is pointed to these
    /// files, on each control-plane node.
    External {
        /// The certificates that the API server trusts etcd by.
        ca: PathBuf,
        /// The client certificate of the API server.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
}

/// With which certificate the API server calls kubelets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KubeletClientCertificate {
    /// With one of its own, `apiserver-kubelet-client.crt`.
    #[default]
    Separate,
    /// With its serving certificate, which then is good for client authentication too.
    ///
    /// Kubelets see the user `kube-apiserver` without a group: it needs
    /// [`manifest::kubelet_api_admin_binding`](crate::manifest::kubelet_api_admin_binding). The serving key is then a
    /// key to every kubelet: guard it so.
    Shared,
}

/// What all nodes of a cluster share.
///
/// ```
/// use kubepki::{Cluster, Convention, KeyAlgorithm};
///
/// # fn main() -> kubepki::Result<()> {
/// let cluster = Cluster::new("api.example.com:6443".parse()?)
///     .name("prod".parse()?)
///     .service_subnets(["10.96.0.0/12".parse()?, "fd00::/108".parse()?])
///     .key_algorithm(KeyAlgorithm::EcdsaP256)
///     .convention(Convention::Kubeadm);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Cluster {
    pub(crate) endpoint: Endpoint,
    pub(crate) name: Option<ClusterName>,
    pub(crate) dns_domain: Option<DnsName>,
    pub(crate) service_subnets: Option<Vec<Subnet>>,
    pub(crate) key_algorithm: KeyAlgorithm,
    pub(crate) authority_lifetime: Duration,
    pub(crate) leaf_lifetime: Duration,
    pub(crate) convention: Convention,
    pub(crate) etcd: Etcd,
    pub(crate) kubelet_client_certificate: KubeletClientCertificate,
    pub(crate) verify_kubelets: bool,
    pub(crate) authentication: Box<Authentication>,
    kubernetes_version: Option<KubernetesVersion>,
}

impl Cluster {
    /// A cluster that is reached at `endpoint`, with kubeadm's defaults for everything else: services in
    /// `10.96.0.0/12`, DNS domain `cluster.local`, RSA-2048, authorities for ten years and leaves for one.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            name: None,
            dns_domain: None,
            service_subnets: None,
            key_algorithm: KeyAlgorithm::default(),
            authority_lifetime: 87_600 * HOUR,
            leaf_lifetime: 8_760 * HOUR,
            convention: Convention::default(),
            etcd: Etcd::default(),
            kubelet_client_certificate: KubeletClientCertificate::default(),
            verify_kubelets: false,
            authentication: Box::default(),
            kubernetes_version: None,
        }
    }

    /// Another endpoint than that of [`new`](Self::new).
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = endpoint;
        self
    }

    /// The name of the cluster in kubeconfigs; otherwise it is `default-cluster`, with kubeadm's convention
    /// `kubernetes`.
    pub fn name(mut self, name: ClusterName) -> Self {
        self.name = Some(name);
        self
    }

    /// The domain of the cluster's DNS; otherwise it is `cluster.local`.
    pub fn dns_domain(mut self, domain: DnsName) -> Self {
        self.dns_domain = Some(domain);
        self
    }

    /// The ranges of addresses for services: one, or one of each family, instead of `10.96.0.0/12`.
    ///
    /// Another number, or two of one family, is refused where certificates are made.
    pub fn service_subnets(mut self, subnets: impl IntoIterator<Item = Subnet>) -> Self {
        self.service_subnets = Some(subnets.into_iter().collect());
        self
    }

    /// The algorithm of every key that is made; otherwise it is RSA-2048.
    pub fn key_algorithm(mut self, algorithm: KeyAlgorithm) -> Self {
        self.key_algorithm = algorithm;
        self
    }

    /// How long authorities are valid, in whole seconds from the moment of issuing; otherwise it is 87600 hours.
    pub fn authority_lifetime(mut self, lifetime: Duration) -> Self {
        self.authority_lifetime = lifetime;
        self
    }

    /// How long leaves are valid, in whole seconds from the moment of issuing; otherwise it is 8760 hours. A leaf never
    /// outlives its authority: see [`Credential::shortened_from`].
    ///
    /// [`Credential::shortened_from`]: crate::Credential::shortened_from
    pub fn leaf_lifetime(mut self, lifetime: Duration) -> Self {
        self.leaf_lifetime = lifetime;
        self
    }

    /// Whose names certificates and kubeconfigs carry.
    pub fn convention(mut self, convention: Convention) -> Self {
        self.convention = convention;
        self
    }

    /// Which version of kubeadm [`Convention::Kubeadm`] follows where versions differ:
    ///
    /// * before 1.29 the administrator and the API server's client certificate for kubelets are of the group
    ///   `system:masters`, and there is no super-admin.conf;
    /// * until 1.33 kubeconfigs have an empty `preferences`;
    /// * from 1.33 on the kubelet.conf of a control-plane node points to that node's own API server;
    /// * from 1.36 on the API server's client certificate for kubelets has no group, and its user needs
    ///   [`manifest::apiserver_kubelet_client_binding`](crate::manifest::apiserver_kubelet_client_binding).
    pub fn kubernetes_version(mut self, version: KubernetesVersion) -> Self {
        self.kubernetes_version = Some(version);
        self
    }

    /// Where etcd runs; otherwise it is [`Etcd::Stacked`].
    pub fn etcd(mut self, etcd: Etcd) -> Self {
        self.etcd = etcd;
        self
    }

    /// With which certificate the API server calls kubelets.
    pub fn kubelet_client_certificate(mut self, which: KubeletClientCertificate) -> Self {
        self.kubelet_client_certificate = which;
        self
    }

    /// Gives every node's kubelet a serving certificate, and lets API servers verify kubelets by it.
    ///
    /// All kubelets of the cluster must have one that names the address which API servers call, given by
    /// [`Node::addresses`]: with a self-signed one, logs and exec stop working on that node.
    pub fn verify_kubelets(mut self) -> Self {
        self.verify_kubelets = true;
        self
    }

    /// How API servers learn who somebody is, besides the certificates and tokens of the cluster itself.
    pub fn authentication(mut self, authentication: Authentication) -> Self {
        self.authentication = Box::new(authentication);
        self
    }

    /// Whether kubeadm of at least this minor version is followed.
    pub(crate) fn is_since(&self, minor: u16) -> bool {
        self.convention == Convention::Kubeadm
            && self.kubernetes_version.is_some_and(|version| version.minor() >= minor)
    }

    /// Whether kubeadm of an earlier minor version than this is followed.
    pub(crate) fn is_before(&self, minor: u16) -> bool {
        self.convention == Convention::Kubeadm
            && self.kubernetes_version.is_some_and(|version| version.minor() < minor)
    }

    /// Whether kubeadm wrote kubeconfigs with an empty `preferences` (client-go, tools/clientcmd/api/v1/types.go).
    pub(crate) fn has_preferences(&self) -> bool {
        self.convention == Convention::Kubeadm && self.kubernetes_version.is_some() && !self.is_since(34)
    }

    /// The DNS domain, or its default.
    pub(crate) fn domain(&self) -> &str {
        self.dns_domain.as_ref().map_or("cluster.local", DnsName::as_str)
    }

    /// What API servers are told about authentication.
    pub fn known_authentication(&self) -> &Authentication {
        &self.authentication
    }

    /// The issuer of service-account tokens that kube-apiserver is told of in this cluster:
    /// `https://kubernetes.default.svc.` and the DNS domain.
    #[must_use]
    pub fn token_issuer(&self) -> TokenIssuer {
        TokenIssuer::of_domain(self.domain())
    }

    /// The name of the cluster in kubeconfigs, or its default.
    pub(crate) fn display_name(&self) -> &str {
        match (&self.name, self.convention) {
            (Some(name), _) => name.as_str(),
            (None, Convention::Documented) => "default-cluster",
            (None, Convention::Kubeadm) => "kubernetes",
        }
    }

    /// The address of the service `kubernetes` in each service subnet.
    pub(crate) fn service_addresses(&self) -> Vec<IpAddr> {
        match &self.service_subnets {
            Some(subnets) => subnets.iter().map(Subnet::first_address).collect(),
            None => vec![IpAddr::from([10, 96, 0, 1])],
        }
    }

    /// Checks what no single value can.
    pub(crate) fn check(&self) -> Result<()> {
        if self.verify_kubelets && self.convention == Convention::Kubeadm {
            let rule = "documented: kubeadm gives kubelets no serving certificates to verify";
            return Err(Error::invalid("convention", rule, self.convention.id()));
        }
        // The longest name that is made of it is a certificate's as well.
        if let Err(error) = format!("kubernetes.default.svc.{}", self.domain()).parse::<DnsName>() {
            return Err(error.field("DNS domain"));
        }
        self.authentication.check(self.token_issuer().as_str())?;
        match self.service_subnets.as_deref() {
            None | Some([_]) => Ok(()),
            Some([one, two]) if one.is_ipv6() != two.is_ipv6() => Ok(()),
            Some(other) => {
                let found: Vec<_> = other.iter().map(Subnet::to_string).collect();
                Err(Error::invalid(
                    "service subnets",
                    "one subnet, or one of IPv4 and one of IPv6",
                    &found.join(","),
                ))
            }
        }
    }
}

/// One machine of a cluster.
///
/// ```
/// use kubepki::{Node, Role};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let first = Node::control_plane("cp-1".parse()?, "192.0.2.10".parse()?)
///     .san(Role::ApiServer, "api.internal".parse()?);
/// let worker = Node::worker("w-1".parse()?).addresses(["192.0.2.20".parse()?]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Node {
    pub(crate) name: NodeName,
    pub(crate) kind: NodeKind,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) sans: Vec<(Role, San)>,
    pub(crate) kube_proxy: bool,
    pub(crate) front_proxy_server: Vec<San>,
    bind_port: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NodeKind {
    ControlPlane { advertise: IpAddr },
    EtcdMember { advertise: IpAddr },
    Worker,
}

impl Node {
    /// A control-plane node, whose API server and etcd member others reach at `advertise` (kubeadm's
    /// `localAPIEndpoint.advertiseAddress`).
    pub fn control_plane(name: NodeName, advertise: IpAddr) -> Self {
        Self::new(name, NodeKind::ControlPlane { advertise: advertise.to_canonical() })
    }

    /// A worker.
    pub fn worker(name: NodeName) -> Self {
        Self::new(name, NodeKind::Worker)
    }

    /// A machine for an etcd member alone, which others reach at `advertise`.
    pub fn etcd_member(name: NodeName, advertise: IpAddr) -> Self {
        Self::new(name, NodeKind::EtcdMember { advertise: advertise.to_canonical() })
    }

    fn new(name: NodeName, kind: NodeKind) -> Self {
        let (addresses, sans, front_proxy_server) = (Vec::new(), Vec::new(), Vec::new());
        Self { name, kind, addresses, sans, kube_proxy: false, front_proxy_server, bind_port: None }
    }

    /// The addresses at which API servers call this node's kubelet. Giving them asks for a serving certificate of the
    /// kubelet that names them; without, the kubelet makes itself a self-signed one. An etcd member has no kubelet.
    pub fn addresses(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Self {
        self.addresses = addresses.into_iter().collect();
        self
    }

    /// Adds a subject alternative name to one of this node's serving certificates: [`Role::ApiServer`],
    /// [`Role::EtcdServer`], [`Role::EtcdPeer`], [`Role::KubeletServer`] or [`Role::FrontProxyServer`].
    ///
    /// [`Authorities::join`](crate::Authorities::join) refuses a name for a certificate that this node does not get, such
    /// as the kubelet's without [`addresses`](Self::addresses).
    pub fn san(mut self, role: Role, san: San) -> Self {
        self.sans.push((role, san));
        self
    }

    /// Asks for a kubeconfig of kube-proxy, on a control-plane node or a worker. kubeadm's kube-proxy needs none: it
    /// has a service account.
    pub fn kube_proxy(mut self) -> Self {
        self.kube_proxy = true;
        self
    }

    /// Asks for a serving certificate of a front proxy on this control-plane node, with these names; none of them asks
    /// for no certificate.
    pub fn front_proxy_server(mut self, sans: impl IntoIterator<Item = San>) -> Self {
        self.front_proxy_server = sans.into_iter().collect();
        self
    }

    /// The port on which this node's API server listens (kubeadm's `localAPIEndpoint.bindPort`), where its
    /// kube-controller-manager and kube-scheduler reach it. Otherwise it is the endpoint's where that is this node's
    /// address, and 6443 elsewhere.
    pub fn bind_port(mut self, port: u16) -> Self {
        self.bind_port = Some(port);
        self
    }

    /// The name of the node.
    #[must_use]
    pub fn name(&self) -> &NodeName {
        &self.name
    }

    /// Where others reach the node's API server and etcd member; `None` for a worker, which has neither.
    #[must_use]
    pub fn advertise_address(&self) -> Option<IpAddr> {
        match self.kind {
            NodeKind::ControlPlane { advertise } | NodeKind::EtcdMember { advertise } => Some(advertise),
            NodeKind::Worker => None,
        }
    }

    /// Where components of a control-plane node reach its own API server.
    pub(crate) fn local_endpoint(&self, cluster: &Cluster) -> Endpoint {
        let NodeKind::ControlPlane { advertise } = self.kind else { return cluster.endpoint.clone() };
        let default = match cluster.endpoint.san() == San::Ip(advertise) {
            true => cluster.endpoint.port(),
            false => Endpoint::API_SERVER_PORT,
        };
        Endpoint::from_ip(advertise, self.bind_port.unwrap_or(default))
    }

    /// The names added to certificates of `role`.
    pub(crate) fn added_sans(&self, role: Role) -> impl Iterator<Item = San> {
        self.sans.iter().filter(move |(of, _)| *of == role).map(|(_, san)| san.clone())
    }

    /// Checks what its parts alone cannot: addresses and port.
    pub(crate) fn check(&self) -> Result<()> {
        let mut addresses = self.advertise_address().into_iter().chain(self.addresses.iter().copied());
        if let Some(address) = addresses.find(|it| !is_one_machine(*it)) {
            return Err(Error::invalid("address", "an address of one machine", &address.to_string()));
        }
        match self.bind_port {
            Some(0) => Err(Error::invalid("bind port", "a port from 1 to 65535", "0")),
            _ => Ok(()),
        }
    }
}
