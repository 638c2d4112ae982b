//! A certificate with its private key, and whom it names.

use std::ffi::c_void;

use ::pki::{Certificate, Credential, Identity, PrivateKey};
use zeroize::Zeroizing;

use crate::error::kubepki_error;
use crate::guard::{free, give, input, kubepki_text, look, make, out, some};

/// An issued certificate with its private key, and the intermediates that its holder presents with it.
pub struct kubepki_credential {
    pub(crate) credential: Credential,
    chain_pem: String,
    key_pem: Zeroizing<String>,
}

impl From<Credential> for kubepki_credential {
    fn from(credential: Credential) -> Self {
        let (chain_pem, key_pem) = (credential.chain_pem(), credential.key().to_pem());
        Self { credential, chain_pem, key_pem }
    }
}

/// Takes a chain in PEM, the leaf first, and the leaf's private key.
///
/// Threads: any. Both are copied. Free `*out` by `kubepki_credential_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_credential_from_pem(
    chain_pem: *const c_void,
    chain_pem_len: usize,
    key_pem: *const c_void,
    key_pem_len: usize,
    out: *mut *mut kubepki_credential,
) -> Option<Box<kubepki_error>> {
    let (chain, key) = (input!(chain_pem, chain_pem_len), input!(key_pem, key_pem_len));
    make(out!(out), || {
        let key = PrivateKey::from_pem(key.bytes()?)?;
        Ok(Credential::new(Certificate::from_pem(chain.bytes()?)?, key)?.into())
    })
}

/// The whole chain in PEM, the leaf first: the contents of a `.crt` file.
///
/// Threads: any at once. The view lives as long as the credential.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_credential_chain_pem(credential: Option<&kubepki_credential>) -> kubepki_text {
    look(credential, |credential| credential.chain_pem.as_str().into())
}

/// The private key in PEM: a secret.
///
/// Threads: any at once. The view lives as long as the credential.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_credential_key_pem(credential: Option<&kubepki_credential>) -> kubepki_text {
    look(credential, |credential| credential.key_pem.as_str().into())
}

/// The last second of the leaf's validity, in seconds since 1970.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_credential_not_after(
    credential: Option<&kubepki_credential>,
    out: *mut i64,
) -> Option<Box<kubepki_error>> {
    give(out!(out), || Ok(some(credential, "credential")?.credential.certificate().not_after().unix()))
}

/// The end that was asked for, when the certificate had to end earlier because its authority does;
/// `KUBEPKI_ERROR_ABSENT` when it had not.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_credential_shortened_from(
    credential: Option<&kubepki_credential>,
    out: *mut i64,
) -> Option<Box<kubepki_error>> {
    give(out!(out), || {
        let asked = some(credential, "credential")?.credential.shortened_from();
        Ok(asked.ok_or_else(|| kubepki_error::absent("credential", "one that was shortened"))?.unix())
    })
}

/// Frees a credential. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_credential_free(credential: Option<Box<kubepki_credential>>) {
    free(credential);
}

/// Whom Kubernetes sees in a client certificate.
pub struct kubepki_identity {
    identity: Identity,
    groups: Vec<String>,
}

/// One thing to be known of an identity.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct kubepki_note {
    /// Its stable name, such as `authorization-bypassed`.
    pub id: kubepki_text,
    /// What it means, in a sentence or two.
    pub help: kubepki_text,
}

/// The identity in the first of some certificates in PEM.
///
/// Threads: any. Free `*out` by `kubepki_identity_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_identity_from_pem(
    certificate_pem: *const c_void,
    certificate_pem_len: usize,
    out: *mut *mut kubepki_identity,
) -> Option<Box<kubepki_error>> {
    let pem = input!(certificate_pem, certificate_pem_len);
    make(out!(out), || {
        let certificates = Certificate::from_pem(pem.bytes()?)?;
        let leaf = certificates.first().ok_or_else(|| kubepki_error::absent("certificate", "one"))?;
        let identity = leaf.identity();
        Ok(kubepki_identity { groups: identity.groups().map(str::to_owned).collect(), identity })
    })
}

/// The user; empty where the API server sees none.
///
/// Threads: any at once. The view lives as long as the identity.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_identity_user(identity: Option<&kubepki_identity>) -> kubepki_text {
    look(identity, |identity| identity.identity.user().into())
}

/// The UID, which API servers read from Kubernetes 1.33 on; empty where there is none.
///
/// Threads: any at once. The view lives as long as the identity.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_identity_uid(identity: Option<&kubepki_identity>) -> kubepki_text {
    look(identity, |identity| identity.identity.uid().into())
}

/// How many groups the certificate names.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_identity_group_count(identity: Option<&kubepki_identity>) -> usize {
    look(identity, |identity| identity.groups.len())
}

/// One of the groups; empty beyond the last.
///
/// Threads: any at once. The view lives as long as the identity.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_identity_group_at(
    identity: Option<&kubepki_identity>,
    index: usize,
) -> kubepki_text {
    look(identity, |identity| identity.groups.get(index).map(String::as_str).into())
}

/// How many notes there are.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_identity_note_count(identity: Option<&kubepki_identity>) -> usize {
    look(identity, |identity| identity.identity.notes().count())
}

/// One of the notes; empty beyond the last.
///
/// Threads: any at once. The views are always there.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_identity_note_at(
    identity: Option<&kubepki_identity>,
    index: usize,
) -> kubepki_note {
    look(identity, |identity| match identity.identity.notes().nth(index) {
        Some(note) => kubepki_note { id: note.id().into(), help: note.help().into() },
        None => kubepki_note::default(),
    })
}

/// Frees an identity. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_identity_free(identity: Option<Box<kubepki_identity>>) {
    free(identity);
}
