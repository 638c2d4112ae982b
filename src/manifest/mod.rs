//! Kubernetes objects, to be applied to a cluster or written into a file.
//!
//! ```
//! use kubepki::{Authorities, Cluster, KeyAlgorithm, Role, Time, manifest};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let cluster = Cluster::new("api.example.com:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
//! # let authorities = Authorities::create(&cluster, Time::now())?;
//! let authority = authorities.get(Role::KubernetesCa).ok_or("no authority")?;
//! let (namespace, name) = ("web".parse()?, "serving-ca".parse()?);
//! let config_map = manifest::ca_config_map(&namespace, &name, authority.trusted())?;
//! print!("{}", *config_map.to_yaml());
//! # Ok(())
//! # }
//! ```

mod kubelet;
mod rbac;
mod tls;

use std::fmt;

use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::document::record::sorted;
use crate::document::{self, Value};

pub use kubelet::kubelet_configuration;
pub use rbac::{
    Subject, apiserver_kubelet_client_binding, approver_role, cluster_admins_binding, cluster_info_reader,
    cluster_role_binding, impersonator_role, kubelet_api_admin_binding, node_approval_binding,
    node_bootstrapper_binding, node_reader, node_renewal_binding, role_binding, signer_role,
};
pub(crate) use rbac::{cluster_role, role, rule};
pub use tls::{ca_config_map, cluster_trust_bundle, tls_secret};

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

    /// An object of a kind, with `fields` in any order.
    pub(crate) fn object<'a>(
        [version, kind]: [&'a str; 2],
        metadata: Value,
        fields: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Self {
        let head = [("apiVersion", version.into()), ("kind", kind.into()), ("metadata", metadata)];
        let fields = head.into_iter().chain(fields);
        Self(sorted(fields.map(|(key, value)| (key.to_owned(), value)).collect()))
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

/// The metadata of an object that belongs to the whole cluster.
pub(crate) fn named(name: &str) -> Value {
    Value::map([("name", name.into())])
}

/// The metadata of an object in a namespace.
pub(crate) fn named_in(namespace: &str, name: &str) -> Value {
    Value::map([("name", name.into()), ("namespace", namespace.into())])
}

/// Bytes as the `data` of a Secret holds them (RFC 4648, section 4).
pub(crate) fn base64(bytes: &[u8]) -> Value {
    Value::Text(Zeroizing::new(Base64::encode_string(bytes)))
}
