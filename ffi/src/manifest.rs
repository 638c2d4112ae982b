//! Kubernetes objects, to be applied to a cluster or written into a file.

use std::ffi::{c_char, c_void};

use ::pki::Certificate;
use ::pki::manifest::{self, Manifest, Subject};
use zeroize::Zeroizing;

use crate::credential::kubepki_credential;
use crate::error::{Fail, kubepki_error};
use crate::expected::kubepki_expected;
use crate::guard::{Input, free, input, kubepki_text, look, make, out, some};

/// A Kubernetes object. It may hold a secret: it is overwritten when it is freed.
pub struct kubepki_manifest {
    yaml: Zeroizing<String>,
    json: Zeroizing<String>,
}

impl From<Manifest> for kubepki_manifest {
    fn from(manifest: Manifest) -> Self {
        Self { yaml: manifest.to_yaml(), json: manifest.to_json() }
    }
}

/// The object as YAML.
///
/// Threads: any at once. The view lives as long as the object.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_manifest_yaml(manifest: Option<&kubepki_manifest>) -> kubepki_text {
    look(manifest, |manifest| manifest.yaml.as_str().into())
}

/// The object as JSON.
///
/// Threads: any at once. The view lives as long as the object.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_manifest_json(manifest: Option<&kubepki_manifest>) -> kubepki_text {
    look(manifest, |manifest| manifest.json.as_str().into())
}

/// Frees an object. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_manifest_free(manifest: Option<Box<kubepki_manifest>>) {
    free(manifest);
}

/// The ClusterRoleBinding that gives the user of admin.conf its power.
///
/// Threads: any. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_cluster_admins_binding(
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(manifest::cluster_admins_binding().into()))
}

/// The ClusterRoleBinding that the API server needs to call kubelets where its client certificate has no group: with the
/// convention `kubeadm` from version 1.36 on.
///
/// Threads: any. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_apiserver_kubelet_client_binding(
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(manifest::apiserver_kubelet_client_binding().into()))
}

/// The ClusterRoleBinding that the API server needs to call kubelets with its serving certificate.
///
/// Threads: any. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_kubelet_api_admin_binding(
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(manifest::kubelet_api_admin_binding().into()))
}

/// The fields of a KubeletConfiguration that name a machine's files.
///
/// Threads: any at once. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_kubelet_configuration(
    expected: Option<&kubepki_expected>,
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(manifest::kubelet_configuration(&some(expected, "expected")?.0).into()))
}

/// An object that lets machines join by bootstrap tokens of a group, such as
/// `system:bootstrappers:kubeadm:default-node-token`, by its name:
///
/// - `node-bootstrapper-binding`: the group may ask for certificates;
/// - `node-approval-binding`: kube-controller-manager approves what the group asks for kubelets;
/// - `node-reader` and `node-reader-binding`: the group may look whether a node is there, as `kubeadm join` does;
/// - `node-renewal-binding`: kube-controller-manager approves what nodes ask for themselves;
/// - `cluster-info-reader` and `cluster-info-reader-binding`: everybody may read cluster-info.
///
/// The last three are for no group: it must be empty.
///
/// Threads: any. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_for_bootstrap(
    name: *const c_char,
    name_len: usize,
    group: *const c_char,
    group_len: usize,
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    let (name, group) = (input!(name, name_len), input!(group, group_len));
    make(out!(out), || {
        let made = match name.text()? {
            "node-bootstrapper-binding" => manifest::node_bootstrapper_binding(&group.parse()?),
            "node-approval-binding" => manifest::node_approval_binding(&group.parse()?),
            "node-reader" => first(manifest::node_reader(&group.parse()?)),
            "node-reader-binding" => second(manifest::node_reader(&group.parse()?)),
            "node-renewal-binding" => group.none(manifest::node_renewal_binding)?,
            "cluster-info-reader" => first(group.none(manifest::cluster_info_reader)?),
            "cluster-info-reader-binding" => second(group.none(manifest::cluster_info_reader)?),
            other => return Err(kubepki_error::invalid("name", FOR_BOOTSTRAP, other)),
        };
        Ok(made.into())
    })
}

const FOR_BOOTSTRAP: &str = "node-bootstrapper-binding, node-approval-binding, node-reader, node-reader-binding, \
                             node-renewal-binding, cluster-info-reader or cluster-info-reader-binding";

/// The ClusterRole of who approves (`approver`) or signs (`signer`) requests of a signer such as `example.com/serving`,
/// or of who may act as any user (`impersonator`), where no signer is told.
///
/// Threads: any. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_role(
    kind: *const c_char,
    kind_len: usize,
    name: *const c_char,
    name_len: usize,
    signer_name: *const c_char,
    signer_name_len: usize,
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    let (kind, name) = (input!(kind, kind_len), input!(name, name_len));
    let signer_name = input!(signer_name, signer_name_len);
    make(out!(out), || {
        let name = name.parse()?;
        let made = match kind.text()? {
            "approver" => manifest::approver_role(&name, &signer_name.parse()?),
            "signer" => manifest::signer_role(&name, &signer_name.parse()?),
            "impersonator" => signer_name.none(|| manifest::impersonator_role(&name))?,
            other => return Err(kubepki_error::invalid("kind", "approver, signer or impersonator", other)),
        };
        Ok(made.into())
    })
}

/// The RoleBinding in a namespace, or with no namespace the ClusterRoleBinding, that gives a role to somebody: a
/// `user`, a `group`, or a `serviceaccount`, which is written `NAMESPACE:NAME`.
///
/// Threads: any. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_role_binding(
    namespace_name: *const c_char,
    namespace_name_len: usize,
    name: *const c_char,
    name_len: usize,
    role: *const c_char,
    role_len: usize,
    kind: *const c_char,
    kind_len: usize,
    subject: *const c_char,
    subject_len: usize,
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    let (namespace, name) = (input!(namespace_name, namespace_name_len), input!(name, name_len));
    let (role, kind, subject) =
        (input!(role, role_len), input!(kind, kind_len), input!(subject, subject_len));
    make(out!(out), || {
        let (name, role, subject) = (name.parse()?, role.parse()?, to_subject(kind, subject)?);
        let made = match namespace.optional()? {
            Some(namespace) => manifest::role_binding(&namespace, &name, &role, &subject),
            None => manifest::cluster_role_binding(&name, &role, &subject),
        };
        Ok(made.into())
    })
}

/// The Secret of type `kubernetes.io/tls` with a certificate chain and its key.
///
/// Threads: any at once. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_tls_secret(
    namespace_name: *const c_char,
    namespace_name_len: usize,
    name: *const c_char,
    name_len: usize,
    credential: Option<&kubepki_credential>,
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    let (namespace, name) = (input!(namespace_name, namespace_name_len), input!(name, name_len));
    make(out!(out), || {
        let credential = &some(credential, "credential")?.credential;
        Ok(manifest::tls_secret(&namespace.parse()?, &name.parse()?, credential).into())
    })
}

/// The ConfigMap with the authorities that clients are to trust, under the key `ca.crt`.
///
/// Threads: any. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_ca_config_map(
    namespace_name: *const c_char,
    namespace_name_len: usize,
    name: *const c_char,
    name_len: usize,
    trusted_pem: *const c_void,
    trusted_pem_len: usize,
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    let (namespace, name) = (input!(namespace_name, namespace_name_len), input!(name, name_len));
    let trusted = input!(trusted_pem, trusted_pem_len);
    make(out!(out), || {
        let trusted = Certificate::from_pem(trusted.bytes()?)?;
        Ok(manifest::ca_config_map(&namespace.parse()?, &name.parse()?, &trusted)?.into())
    })
}

/// The ClusterTrustBundle (`certificates.k8s.io/v1beta1`) with the authorities that vouch for what a signer signs, or
/// with no signer, for anything. A signer's is named after it: `example.com:serving:NAME`.
///
/// Threads: any. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_cluster_trust_bundle(
    signer_name: *const c_char,
    signer_name_len: usize,
    name: *const c_char,
    name_len: usize,
    trusted_pem: *const c_void,
    trusted_pem_len: usize,
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    let (signer_name, name) = (input!(signer_name, signer_name_len), input!(name, name_len));
    let trusted = input!(trusted_pem, trusted_pem_len);
    make(out!(out), || {
        let (signer, trusted) = (signer_name.optional()?, Certificate::from_pem(trusted.bytes()?)?);
        Ok(manifest::cluster_trust_bundle(signer.as_ref(), &name.parse()?, &trusted)?.into())
    })
}

fn first([first, _]: [Manifest; 2]) -> Manifest {
    first
}

fn second([_, second]: [Manifest; 2]) -> Manifest {
    second
}

/// Whom a role is given to, as `kubectl create rolebinding` is told it.
fn to_subject(kind: Input<'_>, subject: Input<'_>) -> Result<Subject, Fail> {
    Ok(match (kind.text()?, subject.text()?.split_once(':')) {
        ("user", _) => Subject::User(subject.parse()?),
        ("group", _) => Subject::Group(subject.parse()?),
        ("serviceaccount", Some((namespace, name))) => {
            Subject::ServiceAccount { namespace: namespace.parse()?, name: name.parse()? }
        }
        ("serviceaccount", None) => {
            return Err(kubepki_error::invalid("subject", "NAMESPACE:NAME", subject.text()?));
        }
        (other, _) => return Err(kubepki_error::invalid("kind", "user, group or serviceaccount", other)),
    })
}
