//! The authorities of a cluster: all that travels between its control-plane nodes.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use ::pki::{Authorities, Authority, PrivateKey, Role, Time};

use crate::cluster::kubepki_cluster;
use crate::credential::kubepki_credential;
use crate::error::kubepki_error;
use crate::guard::{change, free, input, make, out, some};
use crate::issuer::kubepki_issuer;
use crate::node::{described, kubepki_node};
use crate::owned::{kubepki_buffer, kubepki_files};
use crate::pki::kubepki_pki;
use crate::profile::kubepki_profile;
use crate::signer::kubepki_signer;

/// The authorities of a cluster and its service-account key.
pub struct kubepki_authorities(pub(crate) Authorities);

/// Makes the authorities of a new cluster, each its own root, and the service-account key.
///
/// Threads: any at once. Free `*out` by `kubepki_authorities_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_authorities_create(
    cluster: Option<&kubepki_cluster>,
    now: i64,
    out: *mut *mut kubepki_authorities,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let cluster = &some(cluster, "cluster")?.cluster;
        Ok(kubepki_authorities(Authorities::create(cluster, Time::from_unix(now)?)?))
    })
}

/// Makes them as intermediates below `parent`. Trust files hold the intermediates, never what stands above them.
///
/// Threads: any at once. Free `*out` by `kubepki_authorities_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_authorities_create_under(
    parent: Option<&kubepki_issuer>,
    cluster: Option<&kubepki_cluster>,
    now: i64,
    out: *mut *mut kubepki_authorities,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let (parent, cluster) = (&some(parent, "parent")?.0, &some(cluster, "cluster")?.cluster);
        Ok(kubepki_authorities(Authorities::create_under(parent, cluster, Time::from_unix(now)?)?))
    })
}

/// Takes the service-account key, in PEM, of a cluster whose authorities exist already, or have their keys elsewhere from
/// the start. They are then added by `kubepki_authorities_add`; what a node does not need may be missing.
///
/// Threads: any. The key is copied. Free `*out` by `kubepki_authorities_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_authorities_new(
    service_account_key_pem: *const c_void,
    service_account_key_pem_len: usize,
    out: *mut *mut kubepki_authorities,
) -> Option<Box<kubepki_error>> {
    let key = input!(service_account_key_pem, service_account_key_pem_len);
    make(out!(out), || {
        Ok(kubepki_authorities(Authorities::from_issuers([], PrivateKey::from_pem(key.bytes()?)?)?))
    })
}

/// Adds an authority that exists: `kubernetes-ca`, `etcd-ca` or `front-proxy-ca`, each once. No two may share a key, and
/// none may stand below another.
///
/// Threads: one at a time. The issuer is copied, and its signer kept as long as anything signs by it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_authorities_add(
    authorities: Option<&mut kubepki_authorities>,
    role: *const c_char,
    role_len: usize,
    issuer: Option<&kubepki_issuer>,
) -> Option<Box<kubepki_error>> {
    let role = input!(role, role_len);
    change("authorities", authorities, |authorities| {
        Ok(authorities.0.add(role.parse()?, some(issuer, "issuer")?.0.clone())?)
    })
}

/// Reads the authorities from the directory of a machine's Kubernetes files. One whose key is not there is an external
/// one: `kubepki_authorities_attach` lets it sign.
///
/// Threads: any. Free `*out` by `kubepki_authorities_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_authorities_load(
    directory: *const c_char,
    directory_len: usize,
    out: *mut *mut kubepki_authorities,
) -> Option<Box<kubepki_error>> {
    let directory = input!(directory, directory_len);
    make(out!(out), || Ok(kubepki_authorities(Authorities::load(directory.path()?)?)))
}

/// Reads them from files in memory: those that `kubepki_authorities_files` gave, or all of a machine.
///
/// Threads: any at once. Free `*out` by `kubepki_authorities_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_authorities_from_files(
    files: Option<&kubepki_files>,
    out: *mut *mut kubepki_authorities,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_authorities(Authorities::from_files(some(files, "files")?.contents())?)))
}

/// Everything as files, for another control-plane machine. The keys are the cluster: carry them over an encrypted channel
/// only.
///
/// Threads: any at once. Free `*out` by `kubepki_files_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_authorities_files(
    authorities: Option<&kubepki_authorities>,
    out: *mut *mut kubepki_files,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_files::new(&some(authorities, "authorities")?.0.files())))
}

/// Lets `signer` sign for an authority whose key is not here: `kubernetes-ca`, `etcd-ca` or `front-proxy-ca`.
///
/// Threads: one at a time. The signer is kept as long as anything signs by it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_authorities_attach(
    authorities: Option<&mut kubepki_authorities>,
    role: *const c_char,
    role_len: usize,
    signer: Option<&kubepki_signer>,
) -> Option<Box<kubepki_error>> {
    let role = input!(role, role_len);
    change("authorities", authorities, |authorities| {
        Ok(authorities.0.attach(role.parse()?, Arc::clone(&some(signer, "signer")?.0))?)
    })
}

/// Issues all that the first control-plane node of the cluster holds, super-admin.conf among it.
///
/// Threads: any at once. Free `*out` by `kubepki_pki_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_authorities_first(
    authorities: Option<&kubepki_authorities>,
    cluster: Option<&kubepki_cluster>,
    node: Option<&kubepki_node>,
    now: i64,
    out: *mut *mut kubepki_pki,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let authorities = &some(authorities, "authorities")?.0;
        let (cluster, node) = described(cluster, node)?;
        Ok(kubepki_pki(authorities.first(cluster, node, Time::from_unix(now)?)?))
    })
}

/// Issues all that another node of the cluster holds: a control-plane node, a worker or a member of etcd.
///
/// Threads: any at once. Free `*out` by `kubepki_pki_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_authorities_join(
    authorities: Option<&kubepki_authorities>,
    cluster: Option<&kubepki_cluster>,
    node: Option<&kubepki_node>,
    now: i64,
    out: *mut *mut kubepki_pki,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let authorities = &some(authorities, "authorities")?.0;
        let (cluster, node) = described(cluster, node)?;
        Ok(kubepki_pki(authorities.join(cluster, node, Time::from_unix(now)?)?))
    })
}

/// Makes a key, and has the authority of the profile's role sign a certificate for it.
///
/// Threads: any at once. Free `*out` by `kubepki_credential_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_authorities_issue(
    authorities: Option<&kubepki_authorities>,
    profile: Option<&kubepki_profile>,
    now: i64,
    out: *mut *mut kubepki_credential,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let (authorities, profile) = (some(authorities, "authorities")?, some(profile, "profile")?);
        Ok(authorities.0.issue(&profile.profile, Time::from_unix(now)?)?.into())
    })
}

/// What signs for one authority: `kubernetes-ca`, `etcd-ca` or `front-proxy-ca`. `KUBEPKI_ERROR_ABSENT` when it is not
/// there or cannot sign.
///
/// Threads: any at once. Free `*out`, which is a copy, by `kubepki_issuer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_authorities_issuer(
    authorities: Option<&kubepki_authorities>,
    role: *const c_char,
    role_len: usize,
    out: *mut *mut kubepki_issuer,
) -> Option<Box<kubepki_error>> {
    let role = input!(role, role_len);
    make(out!(out), || {
        let role = role.parse()?;
        let issuer = some(authorities, "authorities")?.0.get(role).and_then(Authority::issuer);
        let issuer = issuer.ok_or_else(|| kubepki_error::none_of(role, "an authority here that can sign"))?;
        Ok(kubepki_issuer(issuer.clone()))
    })
}

/// The certificates, in PEM, by which a client outside the cluster verifies the API server.
/// `KUBEPKI_ERROR_ABSENT` without a Kubernetes authority.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_authorities_trust_store_pem(
    authorities: Option<&kubepki_authorities>,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let pem = some(authorities, "authorities")?.0.trust_store_pem();
        let expected = Role::KubernetesCa.id();
        Ok(kubepki_buffer::new(pem.ok_or_else(|| kubepki_error::absent("authorities", expected))?))
    })
}

/// Frees authorities. NULL is allowed.
///
/// Threads: any, the last to use them.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_authorities_free(authorities: Option<Box<kubepki_authorities>>) {
    free(authorities);
}
