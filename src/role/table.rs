//! The role table: every rule about what a certificate of each role must be, as data.
//!
//! Sources: the page "PKI certificates and requirements" of the Kubernetes documentation for
//! [`Convention::Documented`](crate::Convention::Documented), and kubeadm (kubernetes/kubernetes, cmd/kubeadm/app:
//! phases/certs/certlist.go, phases/kubeconfig/kubeconfig.go) for [`Convention::Kubeadm`](crate::Convention::Kubeadm).

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// One row of the role table: what a certificate, key pair or kubeconfig is for. A role is unique on one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Signs everything but etcd and the front proxy.
    KubernetesCa,
    /// Signs everything of etcd.
    EtcdCa,
    /// Signs the client certificate with which the API server speaks for others to extension API servers.
    FrontProxyCa,
    /// The root above the authorities, where they are not roots themselves.
    RootCa,
    /// A certificate authority between a root and the authorities of one cluster.
    Intermediate,
    /// The key pair that signs and verifies service-account tokens; no certificate.
    ServiceAccount,
    /// The API server towards its clients.
    ApiServer,
    /// The API server as a client of kubelets.
    ApiServerKubeletClient,
    /// The API server as a client of etcd.
    ApiServerEtcdClient,
    /// The API server as a front proxy, towards extension API servers.
    FrontProxyClient,
    /// A front proxy's own serving certificate.
    FrontProxyServer,
    /// An etcd member towards its clients.
    EtcdServer,
    /// An etcd member towards other members.
    EtcdPeer,
    /// The client that asks etcd for its health: liveness probes and `etcdctl`.
    EtcdHealthcheckClient,
    /// A kubelet towards the API server that calls it.
    KubeletServer,
    /// A kubelet as a client of the API server.
    KubeletClient,
    /// The administrator of the cluster, bound by RBAC.
    Admin,
    /// The administrator whom authorization does not bind: for emergencies.
    SuperAdmin,
    /// kube-controller-manager as a client of the API server.
    ControllerManager,
    /// kube-scheduler as a client of the API server.
    Scheduler,
    /// kube-proxy as a client of the API server.
    KubeProxy,
    /// A workload's serving certificate.
    Service,
    /// Any other user of the API server.
    User,
}

/// What a certificate is used for; with the key's algorithm and the convention this gives its key usages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Authority,
    KeyPair,
    Server,
    Client,
    ServerAndClient,
}

/// Where the common name of a role comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommonName {
    /// No certificate, or given by the caller.
    Given,
    Fixed(&'static str),
    /// The node's name.
    Node,
    /// `system:node:` and the node's name, as the node authorizer wants it.
    SystemNode,
}

/// Where the files of a role lie, below the directory of a machine's Kubernetes files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Files {
    /// Nowhere: the caller decides.
    Given,
    /// `pki/STEM.crt`.
    Certificate(&'static str),
    /// `pki/STEM.crt` and `pki/STEM.key`.
    Pair(&'static str),
    /// `pki/STEM.key` and `pki/STEM.pub`.
    KeyPair(&'static str),
    /// `NAME.conf`, with the certificate inside.
    Kubeconfig { file: &'static str, documented_user: &'static str, server: Server },
}

/// Which API server a kubeconfig points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    /// The control-plane endpoint.
    Endpoint,
    /// The API server of the same node: components of one machine must not differ in version from it.
    Local,
    /// With kubeadm from this minor version on, [`Local`](Self::Local) on a control-plane node (cmd/kubeadm/app,
    /// features/features.go, `ControlPlaneKubeletLocalMode`); otherwise [`Endpoint`](Self::Endpoint).
    LocalSince(u16),
}

/// One row: what a certificate of the role must be.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) role: Role,
    pub(crate) id: &'static str,
    pub(crate) authority: Option<Role>,
    pub(crate) kind: Kind,
    pub(crate) documented: Subject,
    pub(crate) kubeadm: Subject,
    pub(crate) files: Files,
}

/// The subject of a role in one convention: common name and organizations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) common_name: CommonName,
    pub(crate) organization: Option<&'static str>,
    /// The minor version of Kubernetes from which the organization is gone.
    pub(crate) until: Option<u16>,
    /// The minor version before which it was `system:masters`: nothing was bound to the group of later.
    pub(crate) masters_before: Option<u16>,
}

/// The group of cluster administrators; it has power only through a ClusterRoleBinding.
pub(crate) const CLUSTER_ADMINS: &str = "kubeadm:cluster-admins";
/// The group that authorization does not bind.
pub(crate) const MASTERS: &str = "system:masters";

/// What every user name of a kubelet begins with (kubernetes/kubernetes, pkg/auth/nodeidentifier/default.go).
pub(crate) const NODE_USER: &str = "system:node:";

/// The group of all kubelets.
pub(crate) const NODES: &str = "system:nodes";

const fn cn(common_name: &'static str) -> Subject {
    Subject {
        common_name: CommonName::Fixed(common_name),
        organization: None,
        until: None,
        masters_before: None,
    }
}

const fn cn_o(common_name: &'static str, organization: &'static str) -> Subject {
    Subject {
        common_name: CommonName::Fixed(common_name),
        organization: Some(organization),
        until: None,
        masters_before: None,
    }
}

/// kubeadm made the group and its binding in 1.29 (cmd/kubeadm/app, phases/kubeconfig/kubeconfig.go,
/// `EnsureAdminClusterRoleBinding`).
const fn of_cluster_admins(common_name: &'static str) -> Subject {
    Subject { masters_before: Some(29), ..cn_o(common_name, CLUSTER_ADMINS) }
}

/// kubeadm 1.36 binds the user instead (cmd/kubeadm/app, phases/certs/certlist.go, `KubeadmCertKubeletClient`).
const KUBELET_CLIENT: Subject =
    Subject { until: Some(36), ..of_cluster_admins("kube-apiserver-kubelet-client") };
const GIVEN: Subject =
    Subject { common_name: CommonName::Given, organization: None, until: None, masters_before: None };
const NODE: Subject =
    Subject { common_name: CommonName::Node, organization: None, until: None, masters_before: None };
const SYSTEM_NODE: Subject = Subject {
    common_name: CommonName::SystemNode,
    organization: Some(NODES),
    until: None,
    masters_before: None,
};

const fn conf(file: &'static str, documented_user: &'static str, server: Server) -> Files {
    Files::Kubeconfig { file, documented_user, server }
}

const K8S: Option<Role> = Some(Role::KubernetesCa);
const ETCD: Option<Role> = Some(Role::EtcdCa);
const PROXY: Option<Role> = Some(Role::FrontProxyCa);

macro_rules! table {
    ($($role:ident $id:literal $authority:ident $kind:ident $documented:expr, $kubeadm:expr, $files:expr;)*) => {
        &[$(Row {
            role: Role::$role,
            id: $id,
            authority: $authority,
            kind: Kind::$kind,
            documented: $documented,
            kubeadm: $kubeadm,
            files: $files,
        }),*]
    };
}

/// Every role, in the order of [`Role`].
#[rustfmt::skip]
const TABLE: &[Row] = table! {
    // role                 id                                signed by  kind       documented subject                                        subject made by kubeadm                                         files
    KubernetesCa           "kubernetes-ca"                    None Authority        cn("kubernetes-ca"),                                      cn("kubernetes"),                                               Files::Pair("ca");
    EtcdCa                 "etcd-ca"                          None Authority        cn("etcd-ca"),                                            cn("etcd-ca"),                                                  Files::Pair("etcd/ca");
    FrontProxyCa           "front-proxy-ca"                   None Authority        cn("kubernetes-front-proxy-ca"),                          cn("front-proxy-ca"),                                           Files::Pair("front-proxy-ca");
    RootCa                 "root-ca"                          None Authority        GIVEN,                                                    GIVEN,                                                          Files::Certificate("root-ca");
    Intermediate           "intermediate"                     None Authority        GIVEN,                                                    GIVEN,                                                          Files::Certificate("intermediate");
    ServiceAccount         "service-account"                  None KeyPair          GIVEN,                                                    GIVEN,                                                          Files::KeyPair("sa");
    ApiServer              "kube-apiserver"                   K8S  Server           cn("kube-apiserver"),                                     cn("kube-apiserver"),                                           Files::Pair("apiserver");
    ApiServerKubeletClient "kube-apiserver-kubelet-client"    K8S  Client           cn_o("kube-apiserver-kubelet-client", MASTERS),           KUBELET_CLIENT,                                                 Files::Pair("apiserver-kubelet-client");
    ApiServerEtcdClient    "kube-apiserver-etcd-client"       ETCD Client           cn("kube-apiserver-etcd-client"),                         cn("kube-apiserver-etcd-client"),                               Files::Pair("apiserver-etcd-client");
    FrontProxyClient       "front-proxy-client"               PROXY Client          cn("front-proxy-client"),                                 cn("front-proxy-client"),                                       Files::Pair("front-proxy-client");
    FrontProxyServer       "front-proxy-server"               PROXY Server          cn("front-proxy-server"),                                 cn("front-proxy-server"),                                       Files::Pair("front-proxy-server");
    EtcdServer             "etcd-server"                      ETCD ServerAndClient  cn("kube-etcd"),                                          NODE,                                                           Files::Pair("etcd/server");
    EtcdPeer               "etcd-peer"                        ETCD ServerAndClient  cn("kube-etcd-peer"),                                     NODE,                                                           Files::Pair("etcd/peer");
    EtcdHealthcheckClient  "etcd-healthcheck-client"          ETCD Client           cn("kube-etcd-healthcheck-client"),                       cn("kube-etcd-healthcheck-client"),                             Files::Pair("etcd/healthcheck-client");
    KubeletServer          "kubelet-server"                   K8S  Server           SYSTEM_NODE,                                              SYSTEM_NODE,                                                    Files::Pair("kubelet");
    KubeletClient          "kubelet-client"                   K8S  Client           SYSTEM_NODE,                                              SYSTEM_NODE,                                                    conf("kubelet.conf", "default-auth", Server::LocalSince(33));
    Admin                  "admin"                            K8S  Client           cn_o("kubernetes-admin", CLUSTER_ADMINS),                 of_cluster_admins("kubernetes-admin"),                          conf("admin.conf", "default-admin", Server::Endpoint);
    SuperAdmin             "super-admin"                      K8S  Client           cn_o("kubernetes-super-admin", MASTERS),                  cn_o("kubernetes-super-admin", MASTERS),                        conf("super-admin.conf", "default-super-admin", Server::Endpoint);
    ControllerManager      "controller-manager"               K8S  Client           cn("system:kube-controller-manager"),                     cn("system:kube-controller-manager"),                           conf("controller-manager.conf", "default-controller-manager", Server::Local);
    Scheduler              "scheduler"                        K8S  Client           cn("system:kube-scheduler"),                              cn("system:kube-scheduler"),                                    conf("scheduler.conf", "default-scheduler", Server::Local);
    KubeProxy              "kube-proxy"                       K8S  Client           cn("system:kube-proxy"),                                  cn("system:kube-proxy"),                                        conf("kube-proxy.conf", "default-kube-proxy", Server::Endpoint);
    Service                "service"                          None Server           GIVEN,                                                    GIVEN,                                                          Files::Given;
    User                   "user"                             K8S  Client           GIVEN,                                                    GIVEN,                                                          Files::Given;
};

impl Role {
    /// Every role, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.role)
    }

    /// The stable name of this role, as in the role table: `kube-apiserver`, `etcd-peer`, `admin`.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.row().id
    }

    /// The role of the authority that signs certificates of this role; `None` where the caller decides, for the
    /// authorities themselves and for the service-account keys.
    #[must_use]
    pub fn authority(self) -> Option<Self> {
        self.row().authority
    }

    /// Whether certificates of this role are for servers, whatever else.
    pub(crate) fn is_serving(self) -> bool {
        matches!(self.row().kind, Kind::Server | Kind::ServerAndClient)
    }

    /// Whether certificates of this role sign others.
    #[must_use]
    pub fn is_authority(self) -> bool {
        self.row().kind == Kind::Authority
    }

    /// The common name of the role's certificates, where it is the same in every cluster and convention.
    pub(crate) fn common_name(self) -> Option<&'static str> {
        match (self.row().documented.common_name, self.row().kubeadm.common_name) {
            (CommonName::Fixed(name), CommonName::Fixed(other)) if name == other => Some(name),
            _ => None,
        }
    }

    /// Whether certificates of this role carry `name` as their common name.
    pub(crate) fn has_common_name(self, name: &str) -> bool {
        [self.row().documented, self.row().kubeadm]
            .iter()
            .any(|subject| matches!(subject.common_name, CommonName::Fixed(fixed) if fixed == name))
    }

    #[expect(clippy::indexing_slicing, reason = "never used: the table holds every role, as a test says")]
    pub(crate) fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.role == self).unwrap_or(&TABLE[0])
    }
}

impl FromStr for Role {
    type Err = Error;

    /// Reads [`Role::id`].
    fn from_str(text: &str) -> Result<Self> {
        match TABLE.iter().find(|row| row.id == text) {
            Some(row) => Ok(row.role),
            None => {
                let ids: Vec<_> = TABLE.iter().map(|row| row.id).collect();
                Err(Error::invalid("role", format!("one of {}", ids.join(", ")), text))
            }
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_every_role_once_and_in_order() {
        let roles: Vec<_> = Role::all().collect();
        assert!(roles.is_sorted() && roles.windows(2).all(|pair| pair[0] != pair[1]));
        assert_eq!(roles.last(), Some(&Role::User), "a role is missing behind the last row");
        assert_eq!(roles.len(), 23);
        for role in roles {
            assert_eq!(role.id().parse::<Role>().unwrap(), role);
        }
    }
}
