//! Kubernetes objects, as YAML to be applied to a cluster.

use crate::document::{self, Value};
use crate::role::CLUSTER_ADMINS;

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
    const GROUP: &str = "rbac.authorization.k8s.io";
    let binding = Value::map([
        ("apiVersion", "rbac.authorization.k8s.io/v1".into()),
        ("kind", "ClusterRoleBinding".into()),
        ("metadata", Value::map([("name", CLUSTER_ADMINS.into())])),
        (
            "roleRef",
            Value::map([
                ("apiGroup", GROUP.into()),
                ("kind", "ClusterRole".into()),
                ("name", "cluster-admin".into()),
            ]),
        ),
        (
            "subjects",
            [Value::map([
                ("apiGroup", GROUP.into()),
                ("kind", "Group".into()),
                ("name", CLUSTER_ADMINS.into()),
            ])]
            .into(),
        ),
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
