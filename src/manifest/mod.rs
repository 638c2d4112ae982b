//! Kubernetes objects, as YAML to be applied to a cluster.

use crate::document::{self, Value};
use crate::expected::Expected;
use crate::layout::Part;
use crate::role::{CLUSTER_ADMINS, Role};

/// The ClusterRoleBinding that gives the group `kubeadm:cluster-admins`, and so the user of `admin.conf`, the power
/// of ClusterRole `cluster-admin`: YAML in UTF-8.
///
/// Until the cluster has it, only `super-admin.conf` can administer the cluster.
///
/// ```
/// # use kubepki::manifest;
/// assert!(manifest::cluster_admins_binding().contains("kind: ClusterRoleBinding"));
/// ```
#[must_use]
pub fn cluster_admins_binding() -> String {
    cluster_role_binding(CLUSTER_ADMINS, "cluster-admin", ("Group", CLUSTER_ADMINS))
}

/// The ClusterRoleBinding that lets the user `kube-apiserver-kubelet-client` call kubelets, as kubeadm makes it from 1.36
/// on: YAML in UTF-8.
///
/// Needed where the API server's client certificate for kubelets has no group:
/// [`Cluster::kubernetes_version`](crate::Cluster::kubernetes_version) says where.
#[must_use]
pub fn apiserver_kubelet_client_binding() -> String {
    let user = Role::ApiServerKubeletClient.common_name().unwrap_or_default();
    cluster_role_binding("kubeadm:apiserver-kubelet-client", "system:kubelet-api-admin", ("User", user))
}

/// The ClusterRoleBinding that lets the user `kube-apiserver` call kubelets: YAML in UTF-8.
///
/// Needed with [`KubeletClientCertificate::Shared`](crate::KubeletClientCertificate::Shared), where kubelets see the API
/// server by its serving certificate. Its key then opens every kubelet.
#[must_use]
pub fn kubelet_api_admin_binding() -> String {
    let user = Role::ApiServer.common_name().unwrap_or_default();
    cluster_role_binding("kube-apiserver:kubelet-api-admin", "system:kubelet-api-admin", ("User", user))
}

/// The fields of a KubeletConfiguration that name this node's files, with those without which they would mean nothing:
/// YAML in UTF-8. They say the same as the [arguments](Expected::arguments) of the kubelet, less `--kubeconfig`, which
/// is a flag only.
#[must_use]
pub fn kubelet_configuration(expected: &Expected) -> String {
    let path = |role, part| {
        let path = expected.layout.path(role, part).unwrap_or_default();
        Value::from(&*path.display().to_string())
    };
    let mut fields = vec![
        ("apiVersion", "kubelet.config.k8s.io/v1beta1".into()),
        (
            "authentication",
            Value::map([
                ("anonymous", Value::map([("enabled", Value::Bool(false))])),
                ("webhook", Value::map([("enabled", Value::Bool(true))])),
                ("x509", Value::map([("clientCAFile", path(Role::KubernetesCa, Part::Certificate))])),
            ]),
        ),
        ("authorization", Value::map([("mode", "Webhook".into())])),
        ("kind", "KubeletConfiguration".into()),
    ];
    if expected.has(Role::KubeletServer) {
        fields.push(("tlsCertFile", path(Role::KubeletServer, Part::Certificate)));
        fields.push(("tlsPrivateKeyFile", path(Role::KubeletServer, Part::Key)));
    }
    document::write(&Value::map(fields)).to_string()
}

fn cluster_role_binding(name: &str, role: &str, (kind, subject): (&str, &str)) -> String {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let reference = |kind: &str, name: &str| {
        Value::map([("apiGroup", GROUP.into()), ("kind", kind.into()), ("name", name.into())])
    };
    let binding = Value::map([
        ("apiVersion", "rbac.authorization.k8s.io/v1".into()),
        ("kind", "ClusterRoleBinding".into()),
        ("metadata", Value::map([("name", name.into())])),
        ("roleRef", reference("ClusterRole", role)),
        ("subjects", [reference(kind, subject)].into()),
    ]);
    document::write(&binding).to_string()
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
        assert_eq!(cluster_admins_binding(), expected);
    }
}
