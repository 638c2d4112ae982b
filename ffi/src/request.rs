//! A key that waits for its certificate.

use std::ffi::c_void;

use ::pki::{Certificate, PrivateKey, Request};
use zeroize::Zeroizing;

use crate::credential::kubepki_credential;
use crate::error::kubepki_error;
use crate::guard::{free, input, kubepki_text, look, make, out, some};
use crate::profile::kubepki_profile;

/// A private key that waits for its certificate, with the request for it.
pub struct kubepki_request {
    pub(crate) request: Request,
    csr_pem: String,
    key_pem: Zeroizing<String>,
}

impl From<Request> for kubepki_request {
    fn from(request: Request) -> Self {
        Self { csr_pem: request.csr_pem(), key_pem: request.key().to_pem(), request }
    }
}

/// Makes a key and a request (PKCS#10) with the profile's subject, names and usages.
///
/// Threads: any at once. Free `*out` by `kubepki_request_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_request_new(
    profile: Option<&kubepki_profile>,
    out: *mut *mut kubepki_request,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(some(profile, "profile")?.profile.request()?.into()))
}

/// Makes such a request for a key that is there already, in PEM, such as one that a program has saved while it waited.
/// The profile's key algorithm is passed over.
///
/// Threads: any at once. The key is copied. Free `*out` by `kubepki_request_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_request_with_key(
    profile: Option<&kubepki_profile>,
    key_pem: *const c_void,
    key_pem_len: usize,
    out: *mut *mut kubepki_request,
) -> Option<Box<kubepki_error>> {
    let key = input!(key_pem, key_pem_len);
    make(out!(out), || {
        let profile = &some(profile, "profile")?.profile;
        Ok(profile.request_with_key(PrivateKey::from_pem(key.bytes()?)?)?.into())
    })
}

/// The request as a PEM block `CERTIFICATE REQUEST`, for whoever signs.
///
/// Threads: any at once. The view lives as long as the request.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_request_csr_pem(request: Option<&kubepki_request>) -> kubepki_text {
    look(request, |request| request.csr_pem.as_str().into())
}

/// The private key in PEM: a secret. `kubepki_request_with_key` takes it back.
///
/// Threads: any at once. The view lives as long as the request.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_request_key_pem(request: Option<&kubepki_request>) -> kubepki_text {
    look(request, |request| request.key_pem.as_str().into())
}

/// Puts the certificate that was issued, in PEM, and those behind it, together with the key. It must be for this key, and
/// have every name and usage that was asked for. The request stays: another answer may come.
///
/// Threads: any at once. Free `*out` by `kubepki_credential_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_request_accept(
    request: Option<&kubepki_request>,
    chain_pem: *const c_void,
    chain_pem_len: usize,
    out: *mut *mut kubepki_credential,
) -> Option<Box<kubepki_error>> {
    let chain = input!(chain_pem, chain_pem_len);
    make(out!(out), || {
        let request = &some(request, "request")?.request;
        Ok(request.accept(Certificate::from_pem(chain.bytes()?)?)?.into())
    })
}

/// Frees a request; its key is overwritten. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_request_free(request: Option<Box<kubepki_request>>) {
    free(request);
}
