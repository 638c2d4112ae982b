//! The object CertificateSigningRequest of `certificates.k8s.io/v1`, decided about by hand, and signed.

use std::ffi::{c_char, c_void};

use ::pki::Time;
use ::pki::certificates_api::{CertificateSigningRequest, Outcome, State, sign};

use crate::error::{Fail, kubepki_error};
use crate::guard::{change, free, give, input, kubepki_bytes, kubepki_text, look, make, out, seconds, some};
use crate::issuer::kubepki_issuer;
use crate::request::kubepki_request;

/// A CertificateSigningRequest of `certificates.k8s.io/v1`. Fields that the library does not know survive.
pub struct kubepki_csr {
    pub(crate) object: CertificateSigningRequest,
    yaml: String,
    json: String,
    request_pem: String,
    /// Why it was not signed.
    why: String,
}

impl From<CertificateSigningRequest> for kubepki_csr {
    fn from(object: CertificateSigningRequest) -> Self {
        let (yaml, json, request_pem) = (object.to_yaml(), object.to_json(), object.request().to_pem());
        Self { object, yaml, json, request_pem, why: String::new() }
    }
}

impl kubepki_csr {
    /// Changes the object, or when that fails, nothing.
    pub(crate) fn tell<T>(
        &mut self,
        what: impl FnOnce(&mut CertificateSigningRequest) -> Result<T, Fail>,
    ) -> Result<T, Fail> {
        let mut object = self.object.clone();
        let told = what(&mut object)?;
        *self = object.into();
        Ok(told)
    }
}

/// What was decided about a request.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum kubepki_state {
    /// None of the others; that of NULL.
    #[default]
    KUBEPKI_STATE_OTHER = 0,
    /// Nothing yet.
    KUBEPKI_STATE_PENDING = 1,
    /// It may be signed.
    KUBEPKI_STATE_APPROVED = 2,
    /// It must not be signed, also if it was approved as well.
    KUBEPKI_STATE_DENIED = 3,
    /// Its signer refused it, for good.
    KUBEPKI_STATE_FAILED = 4,
    /// It has its certificate.
    KUBEPKI_STATE_ISSUED = 5,
}

/// What became of a request that was to be signed.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum kubepki_outcome_kind {
    /// The object is as it was: it is not, or not yet, to be signed.
    #[default]
    KUBEPKI_OUTCOME_SKIPPED = 0,
    /// The object now has its certificate: it goes to the subresource `status`.
    KUBEPKI_OUTCOME_ISSUED = 1,
    /// The object now has the condition `Failed`: it goes to the subresource `status`, and will never be signed.
    KUBEPKI_OUTCOME_FAILED = 2,
}

/// What became of a request that was to be signed, and why.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct kubepki_outcome {
    /// What.
    pub kind: kubepki_outcome_kind,
    /// Why, for people; empty with a certificate. The view lives until the object is changed or freed.
    pub message: kubepki_text,
}

/// The object for a request, with the usages that it was made with, for a signer such as `example.com/serving`.
///
/// Threads: any at once. Free `*out` by `kubepki_csr_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_csr_new(
    name: *const c_char,
    name_len: usize,
    signer_name: *const c_char,
    signer_name_len: usize,
    request: Option<&kubepki_request>,
    out: *mut *mut kubepki_csr,
) -> Option<Box<kubepki_error>> {
    let (name, signer_name) = (input!(name, name_len), input!(signer_name, signer_name_len));
    make(out!(out), || {
        let request = &some(request, "request")?.request;
        Ok(CertificateSigningRequest::new(name.parse()?, signer_name.parse()?, request).into())
    })
}

/// Reads the object, in YAML or JSON, of at most 4 MiB.
///
/// Threads: any. Free `*out` by `kubepki_csr_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_csr_from_yaml(
    yaml: *const c_void,
    yaml_len: usize,
    out: *mut *mut kubepki_csr,
) -> Option<Box<kubepki_error>> {
    let yaml = input!(yaml, yaml_len);
    make(out!(out), || Ok(CertificateSigningRequest::from_yaml(yaml.bytes()?)?.into()))
}

/// How many seconds the certificate is to be valid, at least 600 (`spec.expirationSeconds`). Signers may make it valid
/// for less or more.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_csr_set_lifetime(
    csr: Option<&mut kubepki_csr>,
    lifetime_seconds: u64,
) -> Option<Box<kubepki_error>> {
    change("csr", csr, |csr| {
        *csr = csr.object.clone().expires_in(seconds(lifetime_seconds))?.into();
        Ok(())
    })
}

/// The object as YAML.
///
/// Threads: any at once. The view lives until the object is changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_csr_yaml(csr: Option<&kubepki_csr>) -> kubepki_text {
    look(csr, |csr| csr.yaml.as_str().into())
}

/// The object as JSON, as the API server's subresources take it.
///
/// Threads: any at once. The view lives until the object is changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_csr_json(csr: Option<&kubepki_csr>) -> kubepki_text {
    look(csr, |csr| csr.json.as_str().into())
}

/// The name of the object; empty where the API server is to generate one.
///
/// Threads: any at once. The view lives until the object is changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_csr_name(csr: Option<&kubepki_csr>) -> kubepki_text {
    look(csr, |csr| csr.object.name().into())
}

/// Who is to sign.
///
/// Threads: any at once. The view lives until the object is changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_csr_signer_name(csr: Option<&kubepki_csr>) -> kubepki_text {
    look(csr, |csr| csr.object.signer_name().as_str().into())
}

/// The user who created the object, as the API server saw it; empty before that.
///
/// Threads: any at once. The view lives until the object is changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_csr_username(csr: Option<&kubepki_csr>) -> kubepki_text {
    look(csr, |csr| csr.object.username().into())
}

/// The request within the object (PKCS#10), in PEM.
///
/// Threads: any at once. The view lives until the object is changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_csr_request_pem(csr: Option<&kubepki_csr>) -> kubepki_text {
    look(csr, |csr| csr.request_pem.as_str().into())
}

/// What was decided.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_csr_state(csr: Option<&kubepki_csr>) -> kubepki_state {
    look(csr, |csr| match csr.object.state() {
        State::Pending => kubepki_state::KUBEPKI_STATE_PENDING,
        State::Approved => kubepki_state::KUBEPKI_STATE_APPROVED,
        State::Denied => kubepki_state::KUBEPKI_STATE_DENIED,
        State::Failed => kubepki_state::KUBEPKI_STATE_FAILED,
        State::Issued => kubepki_state::KUBEPKI_STATE_ISSUED,
        _ => kubepki_state::KUBEPKI_STATE_OTHER,
    })
}

/// Why it was decided so, for people; empty where nothing was said.
///
/// Threads: any at once. The view lives until the object is changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_csr_message(csr: Option<&kubepki_csr>) -> kubepki_text {
    look(csr, |csr| csr.object.message().into())
}

/// The certificate that was issued, and perhaps intermediates, as the object has it: in PEM, for
/// `kubepki_request_accept`. Empty before that.
///
/// Threads: any at once. The view lives until the object is changed or freed.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_csr_certificate_pem(csr: Option<&kubepki_csr>) -> kubepki_bytes {
    look(csr, |csr| csr.object.certificate_pem().map(kubepki_bytes::from).unwrap_or_default())
}

/// Approves the request: the condition that the subresource `approval` takes, with a reason as one word for programs,
/// and a message for people. `KUBEPKI_ERROR_CHANGED` when something was decided already.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_csr_approve(
    csr: Option<&mut kubepki_csr>,
    reason: *const c_char,
    reason_len: usize,
    message: *const c_char,
    message_len: usize,
    now: i64,
) -> Option<Box<kubepki_error>> {
    let (reason, message) = (input!(reason, reason_len), input!(message, message_len));
    change("csr", csr, |csr| {
        csr.tell(|object| Ok(object.approve(reason.text()?, message.text()?, Time::from_unix(now)?)?))
    })
}

/// Denies the request, for good; otherwise as `kubepki_csr_approve`.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_csr_deny(
    csr: Option<&mut kubepki_csr>,
    reason: *const c_char,
    reason_len: usize,
    message: *const c_char,
    message_len: usize,
    now: i64,
) -> Option<Box<kubepki_error>> {
    let (reason, message) = (input!(reason, reason_len), input!(message, message_len));
    change("csr", csr, |csr| {
        csr.tell(|object| Ok(object.deny(reason.text()?, message.text()?, Time::from_unix(now)?)?))
    })
}

/// Signs an approved request for one signer, whose authority `issuer` is, exactly as kube-controller-manager would: for
/// as long as it asks, but at most for so many seconds (kube-controller-manager's own are 31536000, a year), and not
/// longer than the authority. A request for another signer is skipped. An error leaves the object as it was.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_csr_sign(
    csr: Option<&mut kubepki_csr>,
    signer_name: *const c_char,
    signer_name_len: usize,
    issuer: Option<&kubepki_issuer>,
    duration_seconds: u64,
    now: i64,
    out: *mut kubepki_outcome,
) -> Option<Box<kubepki_error>> {
    let signer_name = input!(signer_name, signer_name_len);
    give(out!(out), || {
        let csr = csr.ok_or_else(|| kubepki_error::null("csr"))?;
        let (signer_name, issuer) = (signer_name.parse()?, &some(issuer, "issuer")?.0);
        let (duration, now) = (seconds(duration_seconds), Time::from_unix(now)?);
        let outcome = csr.tell(|object| Ok(sign(object, &signer_name, issuer, duration, now)?))?;
        let (kind, why) = match outcome {
            Outcome::Issued => (kubepki_outcome_kind::KUBEPKI_OUTCOME_ISSUED, String::new()),
            Outcome::Failed(message) => (kubepki_outcome_kind::KUBEPKI_OUTCOME_FAILED, message),
            Outcome::Skipped(why) => (kubepki_outcome_kind::KUBEPKI_OUTCOME_SKIPPED, why),
            other => (kubepki_outcome_kind::KUBEPKI_OUTCOME_SKIPPED, other.to_string()),
        };
        csr.why = why;
        Ok(kubepki_outcome { kind, message: csr.why.as_str().into() })
    })
}

/// Frees an object. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_csr_free(csr: Option<Box<kubepki_csr>>) {
    free(csr);
}
