//! Which fields kubeadm knows: data, and the walk that leaves out all others.

use std::fmt;

use crate::document::Value;
use crate::error::{Code, Error, Result, quoted};

/// Something in a description that has no effect, or another one than its author may think.
///
/// It quotes no value that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    field: String,
    what: String,
}

impl Remark {
    pub(crate) fn new(field: impl Into<String>, what: impl Into<String>) -> Self {
        Self { field: field.into(), what: what.into() }
    }

    /// What it is about: `ClusterConfiguration.apiServer.certSans`, or `document 2`.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.what)
    }
}

/// A version of the group `kubeadm.k8s.io`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1Beta3,
    V1Beta4,
}

impl Version {
    pub(super) const ALL: [Self; 2] = [Self::V1Beta3, Self::V1Beta4];

    pub(super) fn id(self) -> &'static str {
        match self {
            Self::V1Beta3 => "v1beta3",
            Self::V1Beta4 => "v1beta4",
        }
    }

    /// Whether kubeadm has this kind for other purposes than certificates of a new cluster or machine.
    pub(super) fn passes_over(self, kind: &str) -> bool {
        self == Self::V1Beta4 && ["ResetConfiguration", "UpgradeConfiguration"].contains(&kind)
    }

    fn types(self) -> [&'static str; 2] {
        match self {
            Self::V1Beta3 => [BOTH, V1BETA3],
            Self::V1Beta4 => [BOTH, V1BETA4],
        }
    }
}

/// The types of both versions: a name, then the fields (cmd/kubeadm/app/apis/kubeadm/v1beta3/types.go and
/// v1beta4/types.go, of 1.36; bootstraptoken/v1/types.go; k8s.io/api/core/v1). `field=Type` is looked into,
/// and `field=[Type]` is a list; other fields are taken for what they are.
const BOTH: &str = "
InitConfiguration apiVersion kind bootstrapTokens=[BootstrapToken] nodeRegistration=NodeRegistrationOptions
InitConfiguration localAPIEndpoint=APIEndpoint certificateKey skipPhases patches=Patches
ClusterConfiguration apiVersion kind etcd=Etcd networking=Networking kubernetesVersion controlPlaneEndpoint
ClusterConfiguration apiServer=APIServer controllerManager=ControlPlaneComponent scheduler=ControlPlaneComponent
ClusterConfiguration dns=DNS certificatesDir imageRepository featureGates clusterName
JoinConfiguration apiVersion kind nodeRegistration=NodeRegistrationOptions caCertPath discovery=Discovery
JoinConfiguration controlPlane=JoinControlPlane skipPhases patches=Patches
BootstrapToken token description ttl expires usages groups
NodeRegistrationOptions name criSocket taints=[Taint] ignorePreflightErrors imagePullPolicy
Taint key value effect timeAdded
APIEndpoint advertiseAddress bindPort
Patches directory
ControlPlaneComponent extraVolumes=[HostPathMount]
APIServer extraVolumes=[HostPathMount] certSANs
HostPathMount name hostPath mountPath readOnly pathType
DNS imageRepository imageTag
Networking serviceSubnet podSubnet dnsDomain
Etcd local=LocalEtcd external=ExternalEtcd
LocalEtcd imageRepository imageTag dataDir serverCertSANs peerCertSANs
ExternalEtcd endpoints caFile certFile keyFile
Discovery bootstrapToken=BootstrapTokenDiscovery file=FileDiscovery tlsBootstrapToken
BootstrapTokenDiscovery token apiServerEndpoint caCertHashes unsafeSkipCAVerification
FileDiscovery kubeConfigPath
JoinControlPlane localAPIEndpoint=APIEndpoint certificateKey
";

/// What only v1beta3 has: arguments are a mapping.
const V1BETA3: &str = "
NodeRegistrationOptions kubeletExtraArgs
ControlPlaneComponent extraArgs
APIServer extraArgs timeoutForControlPlane
LocalEtcd extraArgs
Discovery timeout
";

/// What only v1beta4 has: arguments are a list.
const V1BETA4: &str = "
InitConfiguration dryRun timeouts=Timeouts
ClusterConfiguration proxy=Proxy encryptionAlgorithm certificateValidityPeriod caCertificateValidityPeriod
JoinConfiguration dryRun timeouts=Timeouts
NodeRegistrationOptions kubeletExtraArgs=[Arg] imagePullSerial
ControlPlaneComponent extraArgs=[Arg] extraEnvs=[EnvVar]
APIServer extraArgs=[Arg] extraEnvs=[EnvVar]
LocalEtcd extraArgs=[Arg] extraEnvs=[EnvVar]
ExternalEtcd httpEndpoints
DNS disabled
Proxy disabled
Arg name value
EnvVar name value valueFrom
Timeouts controlPlaneComponentHealthCheck kubeletHealthCheck kubernetesAPICall etcdAPICall tlsBootstrap discovery
Timeouts upgradeManifests
";

/// The fields of a type, each with the type of what stands in it; that is empty where nobody looks.
fn fields(version: Version, of: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    version
        .types()
        .into_iter()
        .flat_map(str::lines)
        .filter_map(move |line| line.strip_prefix(of)?.strip_prefix(' '))
        .flat_map(str::split_whitespace)
        .map(|field| field.split_once('=').unwrap_or((field, "")))
}

/// `value` without the fields that this version of a type does not have, each of which becomes a remark.
///
/// kubeadm passes over them too, with a warning (util/config/strict, `VerifyUnmarshalStrict`). As there,
/// names of fields are case-sensitive.
///
/// # Errors
///
/// [`Code::Malformed`] where a mapping or a list should be, and something else is.
pub(super) fn known(
    value: Value,
    version: Version,
    of: &str,
    path: &str,
    remarks: &mut Vec<Remark>,
) -> Result<Value> {
    if let Some(of) = of.strip_prefix('[').and_then(|of| of.strip_suffix(']')) {
        return match value {
            Value::Null => Ok(value),
            Value::List(items) => {
                let items = items.into_iter().enumerate();
                let items =
                    items.map(|(place, item)| known(item, version, of, &format!("{path}[{place}]"), remarks));
                items.collect::<Result<_>>().map(Value::List)
            }
            other => Err(mismatch("a list", &other, path)),
        };
    }
    let entries = match value {
        _ if of.is_empty() => return Ok(value),
        Value::Null => return Ok(value),
        Value::Map(entries) => entries,
        other => return Err(mismatch("a mapping", &other, path)),
    };
    let types = Version::ALL.map(|version| Type { version, fields: fields(version, of).collect() });
    let mut found = Vec::new();
    for (name, value) in entries {
        match own(&types, version).find(|(field, _)| *field == name) {
            Some((field, of)) => {
                let value = known(value, version, of, &format!("{path}.{field}"), remarks)?;
                found.push((name, value));
            }
            None => remarks.push(unknown(version, &types, path, &name)),
        }
    }
    Ok(Value::Map(found))
}

/// A value of another kind than expected; it may be a secret, and is not quoted.
pub(super) fn mismatch(expected: &str, found: &Value, path: &str) -> Error {
    Error::new(Code::Malformed, expected).found(found.kind()).field(path.to_owned())
}

/// The same type in one of the versions.
struct Type {
    version: Version,
    fields: Vec<(&'static str, &'static str)>,
}

/// The fields that the type has in `version`.
fn own(types: &[Type], version: Version) -> impl Iterator<Item = &(&'static str, &'static str)> {
    types.iter().filter(move |it| it.version == version).flat_map(|it| &it.fields)
}

fn unknown(version: Version, types: &[Type], path: &str, name: &str) -> Remark {
    let plain = !name.is_empty() && name.len() < 80 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let path = if plain { format!("{path}.{name}") } else { format!("{path}.{}", quoted(name)) };
    let similar = own(types, version).map(|(field, _)| field).find(|field| field.eq_ignore_ascii_case(name));
    let elsewhere = types.iter().find(|it| it.fields.iter().any(|(field, _)| *field == name));
    let hint = match (similar, elsewhere) {
        (Some(field), _) => format!("; did you mean {field}?"),
        (None, Some(other)) => format!("; {} has it", other.version.id()),
        (None, None) => String::new(),
    };
    Remark::new(path, format!("unknown to kubeadm's {}, and without effect{hint}", version.id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_that_a_field_names_is_there() {
        for version in Version::ALL {
            let mut pending = vec!["InitConfiguration", "ClusterConfiguration", "JoinConfiguration"];
            let mut seen = Vec::new();
            while let Some(of) = pending.pop() {
                let inner: Vec<_> = fields(version, of).collect();
                assert!(!inner.is_empty(), "{of}");
                let names: std::collections::BTreeSet<_> = inner.iter().map(|(name, _)| name).collect();
                assert_eq!(names.len(), inner.len(), "{of} has a field twice");
                let types =
                    inner.iter().map(|(_, of)| of.trim_matches(['[', ']'])).filter(|of| !of.is_empty());
                pending.extend(types.filter(|of| !seen.contains(of)));
                seen.push(of);
            }
            let lines = version.types().into_iter().flat_map(str::lines);
            for of in lines.filter_map(|line| line.split(' ').next()).filter(|of| !of.is_empty()) {
                assert!(seen.contains(&of), "nothing leads to {of}");
            }
        }
    }
}
