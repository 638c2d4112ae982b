//! [`Identity`]: whom Kubernetes sees in a client certificate, and what that means.
//!
//! Upstream's files are those of Kubernetes 1.36: in staging/src/k8s.io/apiserver `CommonNameUserConversion`
//! (pkg/authentication/request/x509/x509.go) and `AuthenticatedGroupAdder`
//! (pkg/authentication/group/authenticated_group_adder.go); below them Go's crypto/x509 (parser.go,
//! `parseName`).

use std::fmt;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc4519::{CN, O, OU};

use crate::role::table::{CLUSTER_ADMINS, MASTERS, NODE_USER};
use crate::role::{Role, looks_like_group};
use crate::x509::{Certificate, DistinguishedName, Usage};

/// The attribute of a user's UID (k8s.io/apimachinery, pkg/apis/asn1/oid.go, `X509UID`).
const UID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57683.2");

/// What every user name of a service account begins with (apiserver,
/// pkg/authentication/serviceaccount/util.go).
const SERVICE_ACCOUNT_USER: &str = "system:serviceaccount:";

/// Groups that the API server gives (apiserver, pkg/authentication/user/user.go).
const GIVEN_GROUPS: [&str; 2] = ["system:authenticated", "system:unauthenticated"];

/// Whom Kubernetes sees in a client certificate: user and groups, with notes on what that means.
///
/// The certificate alone is looked at: neither who signed it nor when it is valid.
///
/// ```
/// use kubepki::{Cluster, Issuer, KeyAlgorithm, Time, role};
///
/// # fn main() -> kubepki::Result<()> {
/// let cluster = Cluster::new("api.example.com:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
/// let authority = Issuer::self_signed(&role::KubernetesCa::new(&cluster).profile(), Time::now())?;
/// let admin = authority.issue(&role::SuperAdmin::new(&cluster).profile(), Time::now())?;
/// let identity = admin.certificate().identity();
/// assert_eq!(identity.user(), Some("kubernetes-super-admin"));
/// assert_eq!(identity.groups().collect::<Vec<_>>(), ["system:masters"]);
/// let notes: Vec<_> = identity.notes().map(|note| note.id()).collect();
/// assert_eq!(notes, ["authorization-bypassed"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    subject: DistinguishedName,
    client: bool,
    authority: bool,
}

impl Certificate {
    /// Whom Kubernetes sees in this certificate when a client presents it.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity {
            subject: self.subject().clone(),
            client: self.allows(Usage::ClientAuth),
            authority: self.is_authority(),
        }
    }
}

impl Identity {
    /// The user: the last common name (CN). `None` where there is none or it is empty: then there is no
    /// identity.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.values(CN).last().filter(|name| !name.is_empty())
    }

    /// The groups: every organization (O), in the order of the certificate. To every user whom it knows, the
    /// API server adds `system:authenticated`, which is not among them.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.user().into_iter().flat_map(|_| self.values(O))
    }

    /// The UID: the attribute 1.3.6.1.4.1.57683.2, which API servers read from Kubernetes 1.33 on.
    #[must_use]
    pub fn uid(&self) -> Option<&str> {
        let mut uids = self.values(UID);
        uids.next().filter(|uid| self.user().is_some() && !uid.is_empty() && uids.next().is_none())
    }

    /// What is to be known of this identity, in the order of [`Note::all`]: first what keeps it from being
    /// seen.
    pub fn notes(&self) -> impl Iterator<Item = &'static Note> {
        Note::all().filter(|note| (note.applies)(self))
    }

    /// The values of an attribute; none at all where Go refuses the subject.
    fn values(&self, wanted: ObjectIdentifier) -> impl Iterator<Item = &str> {
        self.subject.values(wanted).filter(|_| self.subject.is_text())
    }

    fn user_is(&self, predicate: impl FnOnce(&str) -> bool) -> bool {
        self.user().is_some_and(predicate)
    }

    fn plays(&self, role: Role) -> bool {
        self.user_is(|user| role.has_common_name(user))
    }

    fn is_in(&self, wanted: &str) -> bool {
        self.groups().any(|group| group == wanted)
    }

    fn has_node_name(&self) -> bool {
        self.user_is(|user| user.strip_prefix(NODE_USER).is_some_and(|name| !name.is_empty()))
    }

    fn is_in_nodes(&self) -> bool {
        self.groups().any(is_nodes)
    }
}

/// One thing to be known of an [`Identity`].
#[derive(Clone, Copy)]
pub struct Note {
    id: &'static str,
    applies: fn(&Identity) -> bool,
    help: &'static str,
}

impl Note {
    /// Every note that there is, in their order.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        NOTES.iter()
    }

    /// The stable name of this note: `authorization-bypassed`.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// What it means, in a sentence or two.
    #[must_use]
    pub fn help(&self) -> &'static str {
        self.help
    }
}

impl fmt::Display for Note {
    /// [`Note::help`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.help)
    }
}

impl fmt::Debug for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Note({})", self.id)
    }
}

const fn note(id: &'static str, applies: fn(&Identity) -> bool, help: &'static str) -> Note {
    Note { id, applies, help }
}

/// All that is said of identities. Each is seen by a test of its own row in tests/identity.rs.
const NOTES: &[Note] = &[
    // Whether the API server sees anybody.
    note(
        "unreadable-subject",
        |it| !it.subject.is_text(),
        "The subject holds a value that Go does not read as text: every component of Kubernetes refuses the \
         certificate.",
    ),
    note(
        "empty-common-name",
        |it| it.subject.is_text() && it.user().is_none(),
        "There is no common name (CN), so no user: the API server ignores the groups as well, and the caller \
         is anonymous or refused.",
    ),
    note(
        "unusable-uid",
        |it| it.uid().is_none() && it.user().is_some() && it.values(UID).next().is_some(),
        "The UID is empty or stands more than once: from Kubernetes 1.33 on the API server refuses the \
         certificate.",
    ),
    note(
        "no-client-auth",
        |it| !it.client,
        "The extended usages have no client auth: servers refuse the certificate when a client presents it.",
    ),
    // What was probably not meant.
    note(
        "authority-as-client",
        |it| it.authority,
        "This is the certificate of an authority: who has its key can make a certificate for anybody. Nobody \
         should log in with it.",
    ),
    note(
        "several-common-names",
        |it| it.values(CN).nth(1).is_some(),
        "There are several common names (CN): Kubernetes takes the last one, other programs may take \
         another.",
    ),
    note(
        "group-as-user",
        |it| it.user_is(is_group),
        "The common name (CN) is the name of a group, but it makes a user, who has nothing of the group's \
         power: groups are organizations (O).",
    ),
    note(
        "group-in-organizational-unit",
        |it| it.values(OU).any(looks_like_group),
        "An organizational unit (OU) is named like a group. Kubernetes ignores it: did you mean organization \
         (O)?",
    ),
    note(
        "organizational-unit-ignored",
        |it| it.values(OU).any(|unit| !looks_like_group(unit)),
        "Kubernetes ignores organizational units (OU): groups are organizations (O).",
    ),
    note(
        "white-space",
        |it| it.user().into_iter().chain(it.groups()).any(|name| name.trim() != name),
        "The user or a group begins or ends with white space. To Kubernetes that is another name: no binding \
         of the name without it applies.",
    ),
    // What groups mean.
    note(
        "authorization-bypassed",
        |it| it.is_in(MASTERS),
        "system:masters bypasses authorization: it may do everything, and no change of RBAC takes that away \
         while the certificate is valid.",
    ),
    note(
        "cluster-admins",
        |it| it.is_in(CLUSTER_ADMINS),
        "kubeadm:cluster-admins has power only through the ClusterRoleBinding kubeadm:cluster-admins, which \
         must exist in the cluster.",
    ),
    note(
        "given-group",
        |it| it.groups().any(|group| GIVEN_GROUPS.contains(&group)),
        "system:authenticated and system:unauthenticated come from the API server: where a certificate has \
         one of them, it adds none.",
    ),
    note(
        "reserved-group",
        |it| it.groups().any(|group| group.starts_with("system:") && !is_group(group)),
        "Groups that begin with system: are those of Kubernetes itself: whatever is bound to such a group, \
         this user has as well.",
    ),
    // Who the user is.
    note(
        "node",
        |it| it.has_node_name() && it.is_in_nodes(),
        "A kubelet: the node authorizer and NodeRestriction hold it to its own node and the pods there, if \
         the node's name is exactly the one behind system:node:.",
    ),
    note(
        "node-without-group",
        |it| it.has_node_name() && !it.is_in_nodes(),
        "A kubelet's user without the group system:nodes: the node authorizer ignores it, so that a kubelet \
         gets nothing by this certificate.",
    ),
    note(
        "node-group-without-user",
        |it| it.is_in_nodes() && !it.has_node_name(),
        "The group system:nodes without a user system:node:NAME: the node authorizer ignores it, and what is \
         left is what RBAC binds to the group.",
    ),
    note(
        "service-account",
        |it| it.user_is(|user| user.starts_with(SERVICE_ACCOUNT_USER)),
        "Authorization takes this user for a service account. Deleting the account does not invalidate the \
         certificate.",
    ),
    note(
        "front-proxy-client",
        |it| it.plays(Role::FrontProxyClient),
        "If the front-proxy authority signed it, servers believe whatever user and groups it names in the \
         headers of a request. From any other authority it is a user without power of its own.",
    ),
    note(
        "kube-apiserver",
        |it| it.plays(Role::ApiServer),
        "The API server itself: its serving certificate, and its client certificate towards kubelets where \
         the two are one.",
    ),
    note(
        "kube-apiserver-kubelet-client",
        |it| it.plays(Role::ApiServerKubeletClient),
        "The API server towards kubelets, for logs, exec and metrics: kubelets ask the API server whether \
         this user may.",
    ),
    note(
        "etcd-client",
        |it| it.plays(Role::ApiServerEtcdClient) || it.plays(Role::EtcdHealthcheckClient),
        "A client of etcd, which lets everybody in whom its authority signed. In the API server this user \
         has no power of its own.",
    ),
    note(
        "kube-controller-manager",
        |it| it.plays(Role::ControllerManager),
        "kube-controller-manager: RBAC binds this user by name to the role system:kube-controller-manager.",
    ),
    note(
        "kube-scheduler",
        |it| it.plays(Role::Scheduler),
        "kube-scheduler: RBAC binds this user by name to the role system:kube-scheduler.",
    ),
    note(
        "kube-proxy",
        |it| it.plays(Role::KubeProxy),
        "kube-proxy: RBAC binds this user by name to the role system:node-proxier.",
    ),
    note(
        "reserved-user",
        |it| {
            it.user_is(|user| user.starts_with("system:") && !is_group(user))
                && !it.user_is(|user| user.starts_with(SERVICE_ACCOUNT_USER))
                && !it.has_node_name()
                && ![Role::ControllerManager, Role::Scheduler, Role::KubeProxy]
                    .iter()
                    .any(|role| it.plays(*role))
        },
        "User names that begin with system: are those of Kubernetes itself: whatever is bound to such a \
         name, this user has as well.",
    ),
];

/// Whether this is the group of kubelets, as the role table names it.
fn is_nodes(group: &str) -> bool {
    Role::KubeletClient.row().documented.organization == Some(group)
}

/// Whether this is a group of which a note says more.
fn is_group(text: &str) -> bool {
    [MASTERS, CLUSTER_ADMINS].contains(&text) || is_nodes(text) || GIVEN_GROUPS.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_in_kebab_case() {
        let ids: Vec<_> = Note::all().map(Note::id).collect();
        assert!(ids.iter().all(|id| id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')));
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
    }
}
