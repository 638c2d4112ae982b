//! Who may do what (`rbac.authorization.k8s.io`).

use super::{Manifest, named, named_in};
use crate::document::Value;
use crate::names::{Group, Namespace, ObjectName, SignerName, UserName};
use crate::role::{CLUSTER_ADMINS, Role};

/// Whom a role is given to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// A user, by the name that authentication gives.
    User(UserName),
    /// A group of users.
    Group(Group),
    /// A service account: the programs in pods that run as it.
    ServiceAccount {
        /// Its namespace.
        namespace: Namespace,
        /// Its name.
        name: ObjectName,
    },
}

impl Subject {
    fn to_value(&self) -> Value {
        match self {
            Self::User(name) => reference("User", name.as_str()),
            Self::Group(name) => reference("Group", name.as_str()),
            Self::ServiceAccount { namespace, name } => Value::map([
                ("kind", "ServiceAccount".into()),
                ("name", name.as_str().into()),
                ("namespace", namespace.as_str().into()),
            ]),
        }
    }
}

/// The ClusterRoleBinding that gives the group `kubeadm:cluster-admins`, and so the user of `admin.conf`, the power
/// of ClusterRole `cluster-admin`.
///
/// Until the cluster has it, only `super-admin.conf` can administer the cluster.
///
/// ```
/// # use kubepki::manifest;
/// assert!(manifest::cluster_admins_binding().to_yaml().contains("kind: ClusterRoleBinding"));
/// ```
pub fn cluster_admins_binding() -> Manifest {
    bind(CLUSTER_ADMINS, "cluster-admin", ["Group", CLUSTER_ADMINS])
}

/// The ClusterRoleBinding that lets the user `kube-apiserver-kubelet-client` call kubelets, as kubeadm makes it from 1.36
/// on.
///
/// Needed where the API server's client certificate for kubelets has no group:
/// [`Cluster::kubernetes_version`](crate::Cluster::kubernetes_version) says where.
pub fn apiserver_kubelet_client_binding() -> Manifest {
    let user = Role::ApiServerKubeletClient.common_name().unwrap_or_default();
    bind("kubeadm:apiserver-kubelet-client", "system:kubelet-api-admin", ["User", user])
}

/// The ClusterRoleBinding that lets the user `kube-apiserver` call kubelets.
///
/// Needed with [`KubeletClientCertificate::Shared`](crate::KubeletClientCertificate::Shared), where kubelets see the API
/// server by its serving certificate. Its key then opens every kubelet.
pub fn kubelet_api_admin_binding() -> Manifest {
    let user = Role::ApiServer.common_name().unwrap_or_default();
    bind("kube-apiserver:kubelet-api-admin", "system:kubelet-api-admin", ["User", user])
}

/// The ClusterRoleBinding that gives a ClusterRole to somebody.
///
/// ```
/// use kubepki::manifest::{self, Subject};
///
/// # fn main() -> kubepki::Result<()> {
/// let name = "serving-approver".parse()?;
/// let controller = Subject::ServiceAccount { namespace: "pki".parse()?, name: "approver".parse()? };
/// let role = manifest::approver_role(&name, &"example.com/serving".parse()?);
/// let binding = manifest::cluster_role_binding(&name, &name, &controller);
/// print!("{}---\n{}", *role.to_yaml(), *binding.to_yaml());
/// # Ok(())
/// # }
/// ```
pub fn cluster_role_binding(name: &ObjectName, role: &ObjectName, subject: &Subject) -> Manifest {
    let role = reference("ClusterRole", role.as_str());
    binding("ClusterRoleBinding", named(name.as_str()), role, subject.to_value())
}

/// The RoleBinding that gives a Role of a namespace to somebody.
pub fn role_binding(
    namespace: &Namespace,
    name: &ObjectName,
    role: &ObjectName,
    subject: &Subject,
) -> Manifest {
    let role = reference("Role", role.as_str());
    binding("RoleBinding", named_in(namespace.as_str(), name.as_str()), role, subject.to_value())
}

/// The ClusterRole of who approves requests for certificates of a signer, or denies them.
///
/// As the page "Certificate Signing Requests" of the Kubernetes documentation has it.
pub fn approver_role(name: &ObjectName, signer: &SignerName) -> Manifest {
    of_signer(name, signer, "certificatesigningrequests/approval", "approve")
}

/// The ClusterRole of who signs approved requests of a signer.
///
/// As the page "Certificate Signing Requests" of the Kubernetes documentation has it.
pub fn signer_role(name: &ObjectName, signer: &SignerName) -> Manifest {
    of_signer(name, signer, "certificatesigningrequests/status", "sign")
}

/// The ClusterRole of who may act as any user, group and service account: whoever has it can become an administrator.
///
/// [`Impersonation::roles`](crate::Impersonation::roles) are limited to one user.
pub fn impersonator_role(name: &ObjectName) -> Manifest {
    cluster_role(name, [rule("", &["users", "groups", "serviceaccounts"], &[], &["impersonate"])])
}

/// The ClusterRoleBinding that lets a group of bootstrap tokens request certificates, as kubeadm makes
/// it for `system:bootstrappers:kubeadm:default-node-token`. A cluster has one object of this name: for another group there is
/// [`cluster_role_binding`].
///
/// This and the next ones: kubernetes/kubernetes, cmd/kubeadm/app/phases/bootstraptoken/node/tlsbootstrap.go.
pub fn node_bootstrapper_binding(group: &Group) -> Manifest {
    bind("kubeadm:kubelet-bootstrap", "system:node-bootstrapper", ["Group", group.as_str()])
}

/// The ClusterRoleBinding that has kube-controller-manager approve what a group of bootstrap tokens requests for kubelets:
/// their first client certificate. Whoever has such a token then becomes any node.
pub fn node_approval_binding(group: &Group) -> Manifest {
    let role = "system:certificates.k8s.io:certificatesigningrequests:nodeclient";
    bind("kubeadm:node-autoapprove-bootstrap", role, ["Group", group.as_str()])
}

/// The ClusterRoleBinding that has kube-controller-manager approve what nodes request for themselves: the renewal of
/// their client certificates.
pub fn node_renewal_binding() -> Manifest {
    let role = "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient";
    bind("kubeadm:node-autoapprove-certificate-rotation", role, ["Group", "system:nodes"])
}

/// The ClusterRole that reads nodes, and its binding to a group of bootstrap tokens: `kubeadm join` looks whether a node
/// of its name is there.
pub fn node_reader(group: &Group) -> [Manifest; 2] {
    const NAME: &str = "kubeadm:get-nodes";
    let role = with_rules("ClusterRole", named(NAME), [rule("", &["nodes"], &[], &["get"])]);
    [role, bind(NAME, NAME, ["Group", group.as_str()])]
}

/// The Role that reads the ConfigMap `cluster-info` in `kube-public`, and its binding to everybody, as kubeadm makes
/// them: who joins has nothing yet, and looks there for the authority (kubernetes/kubernetes,
/// cmd/kubeadm/app/phases/bootstraptoken/clusterinfo/clusterinfo.go).
pub fn cluster_info_reader() -> [Manifest; 2] {
    const NAME: &str = "kubeadm:bootstrap-signer-clusterinfo";
    let metadata = || named_in("kube-public", NAME);
    let rule = rule("", &["configmaps"], &["cluster-info"], &["get"]);
    let anybody = reference("User", "system:anonymous");
    [
        with_rules("Role", metadata(), [rule]),
        binding("RoleBinding", metadata(), reference("Role", NAME), anybody),
    ]
}

pub(crate) fn cluster_role(name: &ObjectName, rules: impl IntoIterator<Item = Value>) -> Manifest {
    with_rules("ClusterRole", named(name.as_str()), rules)
}

pub(crate) fn role(
    namespace: &Namespace,
    name: &ObjectName,
    rules: impl IntoIterator<Item = Value>,
) -> Manifest {
    with_rules("Role", named_in(namespace.as_str(), name.as_str()), rules)
}

/// What a role allows: verbs on resources of an API group, on those of these names or, without names, on all.
pub(crate) fn rule(group: &str, resources: &[&str], names: &[&str], verbs: &[&str]) -> Value {
    let list = |texts: &[&str]| Value::List(texts.iter().map(|text| (*text).into()).collect());
    let names = (!names.is_empty()).then(|| ("resourceNames", list(names)));
    let fields = [("apiGroups", list(&[group]))].into_iter().chain(names);
    Value::map(fields.chain([("resources", list(resources)), ("verbs", list(verbs))]))
}

const GROUP: &str = "rbac.authorization.k8s.io";
const VERSION: &str = "rbac.authorization.k8s.io/v1";

/// To read all requests, to write one part of them, and to do that for one signer.
fn of_signer(name: &ObjectName, signer: &SignerName, part: &str, verb: &str) -> Manifest {
    const GROUP: &str = "certificates.k8s.io";
    let rules = [
        rule(GROUP, &["certificatesigningrequests"], &[], &["get", "list", "watch"]),
        rule(GROUP, &[part], &[], &["update"]),
        rule(GROUP, &["signers"], &[signer.as_str()], &[verb]),
    ];
    cluster_role(name, rules)
}

fn with_rules(kind: &str, metadata: Value, rules: impl IntoIterator<Item = Value>) -> Manifest {
    let rules = Value::List(rules.into_iter().collect());
    Manifest::object([VERSION, kind], metadata, [("rules", rules)])
}

fn bind(name: &str, role: &str, [kind, subject]: [&str; 2]) -> Manifest {
    binding("ClusterRoleBinding", named(name), reference("ClusterRole", role), reference(kind, subject))
}

fn binding(kind: &str, metadata: Value, role: Value, subject: Value) -> Manifest {
    Manifest::object([VERSION, kind], metadata, [("roleRef", role), ("subjects", [subject].into())])
}

fn reference(kind: &str, name: &str) -> Value {
    Value::map([("apiGroup", GROUP.into()), ("kind", kind.into()), ("name", name.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cluster_admins_are_bound_as_kubeadm_binds_them() {
        let expected = "\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: kubeadm:cluster-admins
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: cluster-admin
subjects:
- apiGroup: rbac.authorization.k8s.io
  kind: Group
  name: kubeadm:cluster-admins
";
        assert_eq!(*cluster_admins_binding().to_yaml(), expected);
    }
}
