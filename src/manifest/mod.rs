//! Kubernetes objects, to be applied to a cluster or written into a file.

mod kubelet;
mod rbac;

use std::fmt;

use zeroize::Zeroizing;

use crate::document::{self, Value};

pub use kubelet::kubelet_configuration;
pub use rbac::{apiserver_kubelet_client_binding, cluster_admins_binding, kubelet_api_admin_binding};

/// A Kubernetes object, as YAML or as JSON. It may hold a secret: it is zeroized on drop, and `Debug` shows kind and
/// name only.
///
/// ```
/// let binding = kubepki::manifest::cluster_admins_binding();
/// assert_eq!(format!("{binding:?}"), "Manifest(ClusterRoleBinding kubeadm:cluster-admins)");
/// assert!(binding.to_yaml().starts_with("apiVersion: rbac.authorization.k8s.io/v1\n"));
/// ```
#[derive(Clone, PartialEq)]
#[must_use]
pub struct Manifest(Value);

impl Manifest {
    /// `fields` in their alphabetical order.
    pub(crate) fn new<'a>(fields: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self(Value::map(fields))
    }

    /// The object as one document of YAML, as `kubectl` writes it.
    #[must_use]
    pub fn to_yaml(&self) -> Zeroizing<String> {
        document::write(&self.0)
    }

    /// The object as JSON.
    #[must_use]
    pub fn to_json(&self) -> Zeroizing<String> {
        document::to_json(&self.0)
    }

    fn text(&self, path: &[&str]) -> &str {
        match path.iter().try_fold(&self.0, |value, key| value.get(key)) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = (self.text(&["kind"]), self.text(&["metadata", "name"]));
        write!(f, "Manifest({})", format!("{kind} {name}").trim_end())
    }
}
