//! What an audit accepts beyond what is issued: the other half of the role table.

use super::table::{CLUSTER_ADMINS, MASTERS};
use crate::finding::Severity::{self, Error, Note, Warning};
use crate::role::Role;

/// What may differ in the subject of a role's certificates, and how bad that is.
#[derive(Debug)]
pub(crate) struct Accepts {
    /// Another common name than the profile's.
    pub(crate) other_common_name: Severity,
    /// Groups that may stand there, also instead of the profile's.
    pub(crate) groups: &'static [(&'static str, Severity)],
    /// Any further group.
    pub(crate) other_group: Severity,
    /// No group, where the profile has one.
    pub(crate) no_group: Severity,
}

/// Nobody looks at the subject: clients look at the names of a server, and etcd at who signed.
const ANY: Accepts = Accepts { other_common_name: Note, groups: &[], other_group: Note, no_group: Note };
/// The subject is who the holder is to the API server.
const EXACT: Accepts = Accepts { other_common_name: Error, groups: &[], other_group: Error, no_group: Error };
/// Old kubeadm put etcd's clients into `system:masters`: etcd does not look, but the API server would.
const ETCD: Accepts = Accepts { groups: &[(MASTERS, Warning)], ..ANY };

impl Role {
    /// What is accepted in the subject of this role's certificates.
    pub(crate) fn accepts(self) -> Accepts {
        match self {
            Self::ApiServerKubeletClient => Accepts {
                groups: &[(MASTERS, Note), (CLUSTER_ADMINS, Note)],
                // RBAC decides what they may.
                other_group: Note,
                no_group: Note,
                ..EXACT
            },
            Self::ApiServerEtcdClient | Self::EtcdHealthcheckClient | Self::EtcdServer | Self::EtcdPeer => {
                ETCD
            }
            // `--requestheader-allowed-names` looks at the common name alone.
            Self::FrontProxyClient => Accepts { other_common_name: Error, ..ANY },
            // Until 1.28 kubeadm's administrator was in `system:masters`; a site may have a group of its own.
            Self::Admin => Accepts { groups: &[(MASTERS, Warning)], other_group: Warning, ..EXACT },
            Self::SuperAdmin => Accepts { other_group: Warning, ..EXACT },
            Self::KubeProxy => Accepts { groups: &[("system:node-proxier", Note)], ..EXACT },
            Self::KubeletClient | Self::ControllerManager | Self::Scheduler | Self::User => EXACT,
            Self::KubernetesCa
            | Self::EtcdCa
            | Self::FrontProxyCa
            | Self::RootCa
            | Self::Intermediate
            | Self::ServiceAccount
            | Self::ApiServer
            | Self::FrontProxyServer
            | Self::KubeletServer
            | Self::Service => ANY,
        }
    }
}

impl Accepts {
    /// How bad it is that a certificate has `group`, which its profile has not.
    pub(crate) fn group(&self, group: &str) -> Severity {
        let known = self.groups.iter().find(|(known, _)| *known == group);
        known.map_or(self.other_group, |(_, severity)| *severity)
    }
}

/// Whether a text looks like one of Kubernetes' groups, wherever it stands.
pub(crate) fn looks_like_group(text: &str) -> bool {
    text.starts_with("system:") || text.starts_with("kubeadm:")
}
