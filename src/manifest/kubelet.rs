//! The kubelet's configuration.

use super::Manifest;
use crate::document::Value;
use crate::expected::Expected;
use crate::layout::Part;
use crate::role::Role;

/// The fields of a KubeletConfiguration that name this node's files, with those without which they would mean nothing.
/// They say the same as the [arguments](Expected::arguments) of the kubelet, less `--kubeconfig`, which
/// is a flag only.
pub fn kubelet_configuration(expected: &Expected) -> Manifest {
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
    Manifest::new(fields)
}
