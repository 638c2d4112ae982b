//! Who may do what (`rbac.authorization.k8s.io`).

use super::Manifest;
use crate::document::Value;
use crate::role::{CLUSTER_ADMINS, Role};

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
    cluster_role_binding(CLUSTER_ADMINS, "cluster-admin", ("Group", CLUSTER_ADMINS))
}

/// The ClusterRoleBinding that lets the user `kube-apiserver-kubelet-client` call kubelets, as kubeadm makes it from 1.36
/// on.
///
/// Needed where the API server's client certificate for kubelets has no group:
/// [`Cluster::kubernetes_version`](crate::Cluster::kubernetes_version) says where.
pub fn apiserver_kubelet_client_binding() -> Manifest {
    let user = Role::ApiServerKubeletClient.common_name().unwrap_or_default();
    cluster_role_binding("kubeadm:apiserver-kubelet-client", "system:kubelet-api-admin", ("User", user))
}

/// The ClusterRoleBinding that lets the user `kube-apiserver` call kubelets.
///
/// Needed with [`KubeletClientCertificate::Shared`](crate::KubeletClientCertificate::Shared), where kubelets see the API
/// server by its serving certificate. Its key then opens every kubelet.
pub fn kubelet_api_admin_binding() -> Manifest {
    let user = Role::ApiServer.common_name().unwrap_or_default();
    cluster_role_binding("kube-apiserver:kubelet-api-admin", "system:kubelet-api-admin", ("User", user))
}

fn cluster_role_binding(name: &str, role: &str, (kind, subject): (&str, &str)) -> Manifest {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let reference = |kind: &str, name: &str| {
        Value::map([("apiGroup", GROUP.into()), ("kind", kind.into()), ("name", name.into())])
    };
    Manifest::new([
        ("apiVersion", "rbac.authorization.k8s.io/v1".into()),
        ("kind", "ClusterRoleBinding".into()),
        ("metadata", Value::map([("name", name.into())])),
        ("roleRef", reference("ClusterRole", role)),
        ("subjects", [reference(kind, subject)].into()),
    ])
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
