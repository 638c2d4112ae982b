//! Certificates for workloads: a server's own, and those that clients trust.

use std::collections::HashSet;

use super::{Manifest, base64, named, named_in};
use crate::document::Value;
use crate::error::{Code, Error, Result};
use crate::names::{Namespace, ObjectName, SignerName};
use crate::x509::{Certificate, Credential, check_authorities, leaf, to_pem};

/// The Secret of type `kubernetes.io/tls` with a certificate chain and its key, for a pod or an Ingress: the same as
/// `kubectl create secret tls` makes, with the PEM in `tls.crt` and `tls.key`.
///
/// The authority is not in it: clients are told by [`ca_config_map`] or [`cluster_trust_bundle`].
pub fn tls_secret(namespace: &Namespace, name: &ObjectName, credential: &Credential) -> Manifest {
    let data = Value::map([
        ("tls.crt", base64(credential.chain_pem().as_bytes())),
        ("tls.key", base64(credential.key().to_pem().as_bytes())),
    ]);
    let fields = [("data", data), ("type", "kubernetes.io/tls".into())];
    Manifest::object(["v1", "Secret"], named_in(namespace.as_str(), name.as_str()), fields)
}

/// The ConfigMap with the certificates that clients are to trust, as PEM under the key `ca.crt`, where pods have their
/// cluster's own as well (`kube-root-ca.crt`).
///
/// # Errors
///
/// As [`cluster_trust_bundle`]: what a client trusts is an authority.
pub fn ca_config_map(
    namespace: &Namespace,
    name: &ObjectName,
    certificates: &[Certificate],
) -> Result<Manifest> {
    let data = Value::map([("ca.crt", trust_bundle("ca.crt", certificates)?)]);
    Ok(Manifest::object(["v1", "ConfigMap"], named_in(namespace.as_str(), name.as_str()), [("data", data)]))
}

/// The ClusterTrustBundle with the certificates that vouch for what a signer signs, or, without a signer, for anything.
/// Pods mount it as a projected volume, and see it change.
///
/// The object of a signer is named after it, as the API server demands (kubernetes/kubernetes,
/// pkg/apis/core/validation/names.go, `ValidateClusterTrustBundleName`): `example.com:serving:NAME` for the signer
/// `example.com/serving`. Whoever applies it needs the verb `attest` on that signer.
///
/// It is of `certificates.k8s.io/v1beta1`, which Kubernetes has from 1.33 on, and serves only where it is switched on:
/// `--runtime-config=certificates.k8s.io/v1beta1/clustertrustbundles=true` and
/// `--feature-gates=ClusterTrustBundle=true`.
///
/// ```
/// use kubepki::{Authorities, Cluster, KeyAlgorithm, Role, Time, manifest};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cluster = Cluster::new("api.example.com:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
/// # let authorities = Authorities::create(&cluster, Time::now())?;
/// let authority = authorities.get(Role::KubernetesCa).ok_or("no authority")?;
/// let signer = "example.com/serving".parse()?;
/// let bundle = manifest::cluster_trust_bundle(Some(&signer), &"v1".parse()?, authority.trusted())?;
/// assert_eq!(format!("{bundle:?}"), "Manifest(ClusterTrustBundle example.com:serving:v1)");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// What the API server refuses (kubernetes/kubernetes, pkg/apis/certificates/validation/validation.go,
/// `validateTrustBundle`): [`Code::Malformed`] without a certificate, [`Code::NotAnAuthority`] for one that may not sign
/// others, [`Code::Invalid`] for one that stands twice, and for more than 1 MiB of PEM.
pub fn cluster_trust_bundle(
    signer: Option<&SignerName>,
    name: &ObjectName,
    certificates: &[Certificate],
) -> Result<Manifest> {
    let mut spec = vec![("trustBundle", trust_bundle("spec.trustBundle", certificates)?)];
    let mut whole_name = name.to_string();
    if let Some(signer) = signer {
        spec.insert(0, ("signerName", signer.as_str().into()));
        whole_name = format!("{}:{name}", signer.as_str().replace('/', ":"));
    }
    let kind = ["certificates.k8s.io/v1beta1", "ClusterTrustBundle"];
    Ok(Manifest::object(kind, named(&whole_name), [("spec", Value::map(spec))]))
}

/// What a client trusts, in PEM. A ConfigMap has the bound of 1 MiB as well (pkg/apis/core/validation, `MaxSecretSize`).
fn trust_bundle(field: &'static str, certificates: &[Certificate]) -> Result<Value> {
    const LONGEST: usize = 1 << 20;
    leaf(certificates).and_then(|_| check_authorities(certificates)).map_err(|error| error.field(field))?;
    let mut seen = HashSet::new();
    if let Some(twice) = certificates.iter().find(|certificate| !seen.insert(certificate.der())) {
        let found = format!("the certificate {} twice", twice.subject());
        return Err(Error::new(Code::Invalid, "each certificate once").found(found).field(field));
    }
    let pem = to_pem(certificates);
    match pem.len() <= LONGEST {
        true => Ok((&*pem).into()),
        false => {
            let found = format!("{} bytes", pem.len());
            Err(Error::new(Code::Invalid, format!("at most {LONGEST} bytes")).found(found).field(field))
        }
    }
}
