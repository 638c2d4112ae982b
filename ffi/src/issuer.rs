//! One authority that signs.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use ::pki::{Certificate, Issuer, Time};

use crate::credential::kubepki_credential;
use crate::error::kubepki_error;
use crate::guard::{free, give, input, make, out, some};
use crate::owned::kubepki_buffer;
use crate::profile::kubepki_profile;
use crate::signer::{kubepki_signer, public_key};

/// A certificate authority that signs: its certificate, those above it, and its key or a signer.
pub struct kubepki_issuer(pub(crate) Issuer);

/// Makes a key and a self-signed certificate by the profile of an authority: a root, or a cluster's own authority. `now`
/// is in seconds since 1970, here and everywhere.
///
/// Threads: any at once. Free `*out` by `kubepki_issuer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_issuer_self_signed(
    profile: Option<&kubepki_profile>,
    now: i64,
    out: *mut *mut kubepki_issuer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let profile = &some(profile, "profile")?.profile;
        Ok(kubepki_issuer(Issuer::self_signed(profile, Time::from_unix(now)?)?))
    })
}

/// Makes a self-signed certificate for a key that lives elsewhere.
///
/// Threads: any at once. The signer is kept as long as anything signs by it. Free `*out` by `kubepki_issuer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_issuer_self_signed_by(
    profile: Option<&kubepki_profile>,
    signer: Option<&kubepki_signer>,
    now: i64,
    out: *mut *mut kubepki_issuer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let (profile, signer) = (&some(profile, "profile")?.profile, Arc::clone(&some(signer, "signer")?.0));
        Ok(kubepki_issuer(Issuer::self_signed_by(profile, signer, Time::from_unix(now)?)?))
    })
}

/// Takes an authority's certificate in PEM, behind it those above it as far as they are known, and its private key.
///
/// Threads: any. Both are copied. Free `*out` by `kubepki_issuer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_issuer_from_pem(
    chain_pem: *const c_void,
    chain_pem_len: usize,
    key_pem: *const c_void,
    key_pem_len: usize,
    out: *mut *mut kubepki_issuer,
) -> Option<Box<kubepki_error>> {
    let (chain, key) = (input!(chain_pem, chain_pem_len), input!(key_pem, key_pem_len));
    make(out!(out), || Ok(kubepki_issuer(Issuer::from_pem(chain.bytes()?, key.bytes()?)?)))
}

/// Reads the same from two files.
///
/// Threads: any. Free `*out` by `kubepki_issuer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_issuer_load(
    chain_path: *const c_char,
    chain_path_len: usize,
    key_path: *const c_char,
    key_path_len: usize,
    out: *mut *mut kubepki_issuer,
) -> Option<Box<kubepki_error>> {
    let (chain, key) = (input!(chain_path, chain_path_len), input!(key_path, key_path_len));
    make(out!(out), || Ok(kubepki_issuer(Issuer::load(chain.path()?, key.path()?)?)))
}

/// Takes an authority's certificate in PEM, behind it those above it as far as they are known, and a signer with its key.
///
/// Threads: any. The signer is kept as long as anything signs by it. Free `*out` by `kubepki_issuer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_issuer_with_signer(
    chain_pem: *const c_void,
    chain_pem_len: usize,
    signer: Option<&kubepki_signer>,
    out: *mut *mut kubepki_issuer,
) -> Option<Box<kubepki_error>> {
    let chain = input!(chain_pem, chain_pem_len);
    make(out!(out), || {
        let signer = Arc::clone(&some(signer, "signer")?.0);
        Ok(kubepki_issuer(Issuer::with_signer(Certificate::from_pem(chain.bytes()?)?, signer)?))
    })
}

/// Makes a key and a certificate for an authority below this one, which it never outlives.
///
/// Threads: any at once. Free `*out` by `kubepki_issuer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_issuer_intermediate(
    issuer: Option<&kubepki_issuer>,
    profile: Option<&kubepki_profile>,
    now: i64,
    out: *mut *mut kubepki_issuer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let (issuer, profile) = (&some(issuer, "issuer")?.0, &some(profile, "profile")?.profile);
        Ok(kubepki_issuer(issuer.intermediate(profile, Time::from_unix(now)?)?))
    })
}

/// Makes a certificate for an authority below this one, whose key lives elsewhere.
///
/// Threads: any at once. The signer is kept as long as anything signs by it. Free `*out` by `kubepki_issuer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_issuer_intermediate_by(
    issuer: Option<&kubepki_issuer>,
    profile: Option<&kubepki_profile>,
    signer: Option<&kubepki_signer>,
    now: i64,
    out: *mut *mut kubepki_issuer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let (issuer, profile) = (&some(issuer, "issuer")?.0, &some(profile, "profile")?.profile);
        let signer = Arc::clone(&some(signer, "signer")?.0);
        Ok(kubepki_issuer(issuer.intermediate_by(profile, signer, Time::from_unix(now)?)?))
    })
}

/// Makes a key and a certificate for it, valid from five minutes before `now`. Whether the role is one that this
/// authority should sign is not looked at: `kubepki_authorities_issue` takes the right one.
///
/// Threads: any at once. Free `*out` by `kubepki_credential_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_issuer_issue(
    issuer: Option<&kubepki_issuer>,
    profile: Option<&kubepki_profile>,
    now: i64,
    out: *mut *mut kubepki_credential,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let (issuer, profile) = (&some(issuer, "issuer")?.0, &some(profile, "profile")?.profile);
        Ok(issuer.issue(profile, Time::from_unix(now)?)?.into())
    })
}

/// Makes a certificate for a public key in PEM, which may be in a certificate or in a certification request (PKCS#10),
/// whose signature is then verified. Names and usages are the profile's. The result is the chain in PEM, the leaf first.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_issuer_certify(
    issuer: Option<&kubepki_issuer>,
    profile: Option<&kubepki_profile>,
    public_key_pem: *const c_void,
    public_key_pem_len: usize,
    now: i64,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    let pem = input!(public_key_pem, public_key_pem_len);
    make(out!(out), || {
        let (issuer, profile) = (&some(issuer, "issuer")?.0, &some(profile, "profile")?.profile);
        let chain = issuer.certify(profile, &public_key(pem)?, Time::from_unix(now)?)?;
        Ok(kubepki_buffer::new(pem_of(&chain)))
    })
}

/// The authority's certificate in PEM, then those above it as far as they are known.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_issuer_chain_pem(
    issuer: Option<&kubepki_issuer>,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_buffer::new(pem_of(some(issuer, "issuer")?.0.chain()))))
}

/// The authority's private key in PEM; `KUBEPKI_ERROR_ABSENT` where it is with a signer.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_issuer_key_pem(
    issuer: Option<&kubepki_issuer>,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let key = some(issuer, "issuer")?.0.private_key();
        let key = key.ok_or_else(|| kubepki_error::absent("issuer", "an authority whose key is here"))?;
        Ok(kubepki_buffer::secret(key.to_pem()))
    })
}

/// The end that the profile asked for, when this authority's certificate was just made below another and had to end
/// earlier because that one does. `KUBEPKI_ERROR_ABSENT` otherwise.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_issuer_shortened_from(
    issuer: Option<&kubepki_issuer>,
    out: *mut i64,
) -> Option<Box<kubepki_error>> {
    give(out!(out), || {
        let end = some(issuer, "issuer")?.0.shortened_from();
        Ok(end.ok_or_else(|| kubepki_error::absent("issuer", "one that ends earlier"))?.unix())
    })
}

/// Frees an issuer. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_issuer_free(issuer: Option<Box<kubepki_issuer>>) {
    free(issuer);
}

fn pem_of(chain: &[Certificate]) -> String {
    chain.iter().map(Certificate::to_pem).collect()
}
