//! A signer whose key the caller keeps: a callback.

use std::error::Error as StdError;
use std::ffi::{c_char, c_void};
use std::fmt;
use std::sync::Arc;

use ::pki::{Certificate, CertificationRequest, Error, PublicKey, Signer, ToSign};

use crate::error::{Fail, kubepki_error};
use crate::guard::{Input, free, input, kubepki_bytes, kubepki_text, make, out, quietly};

/// Most bytes of a signature: RSA with 16384 bits has 2048.
const LONGEST_SIGNATURE: usize = 4096;

/// What is to be signed. The views live until the callback returns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct kubepki_to_sign {
    /// How: `sha256WithRSAEncryption` (PKCS#1 v1.5), `ecdsa-with-SHA256` or `ecdsa-with-SHA384` (in DER). It follows from
    /// the public key.
    pub algorithm: kubepki_text,
    /// The whole message, for signers that hash themselves.
    pub message: kubepki_bytes,
    /// Its digest by the hash of the algorithm, for those that want that.
    pub digest: kubepki_bytes,
}

/// Where a callback puts its answer. It lives until the callback returns.
pub struct kubepki_answer(Result<Vec<u8>, Failure>);

/// Why a callback has not signed.
#[derive(Debug)]
struct Failure {
    reason: String,
    cause: Option<Arc<Cause>>,
}

impl From<&str> for Failure {
    fn from(reason: &str) -> Self {
        Self { reason: reason.to_owned(), cause: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl StdError for Failure {}

/// What a callback knows of its failure, for whoever gets the error.
#[derive(Debug)]
pub(crate) struct Cause(Kept);

impl Cause {
    /// That of an error, where a callback has given one.
    pub(crate) fn of(error: &Error) -> Option<Arc<Self>> {
        error.source()?.downcast_ref::<Failure>()?.cause.clone()
    }

    pub(crate) fn pointer(&self) -> *mut c_void {
        self.0.pointer
    }
}

/// A pointer of the caller's, which is released when it is no longer needed.
#[derive(Debug)]
struct Kept {
    pointer: *mut c_void,
    release: kubepki_release,
}

// SAFETY: the header says that it is released on any thread, and it is given to the caller's own functions alone.
unsafe impl Send for Kept {}

// SAFETY: likewise, from several threads at once.
unsafe impl Sync for Kept {}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: both came together, and nobody else can have called it, nor will.
            unsafe { release(self.pointer) };
        }
    }
}

/// Signs, and answers by `kubepki_answer_signature`, `kubepki_answer_failure` or `kubepki_answer_failure_with_cause`
/// before it returns; the last answer counts.
///
/// It may be called from any thread, from several at once, and may call this library itself, though not with a handle
/// that the call which signs is changing. It must return: no exception and no longjmp may leave it.
pub type kubepki_sign = Option<
    unsafe extern "C" fn(user: *mut c_void, to_sign: *const kubepki_to_sign, answer: *mut kubepki_answer),
>;

/// Called once, when nothing signs by `user` any more, or no error has the cause any more, on whichever thread drops the
/// last. It may free handles of its own, but must not touch the one that the outer call frees or changes. It must return,
/// as `kubepki_sign` must.
pub type kubepki_release = Option<unsafe extern "C" fn(user: *mut c_void)>;

/// What signs for an authority whose key is elsewhere: in an HSM, a KMS or another process.
pub struct kubepki_signer(pub(crate) Arc<dyn Signer>);

struct Callback {
    public_key: PublicKey,
    sign: unsafe extern "C" fn(*mut c_void, *const kubepki_to_sign, *mut kubepki_answer),
    user: Kept,
}

impl Signer for Callback {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign(&self, what: &ToSign<'_>) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>> {
        let algorithm = what.algorithm().to_string();
        let to_sign = kubepki_to_sign {
            algorithm: algorithm.as_str().into(),
            message: what.message().into(),
            digest: what.digest().into(),
        };
        let mut answer = kubepki_answer(Err("the callback gave no answer".into()));
        // SAFETY: the function and `user` came together, and have not been released; what else it is given lives
        // longer than the call.
        unsafe { (self.sign)(self.user.pointer, &to_sign, &mut answer) };
        Ok(answer.0?)
    }
}

/// A signer that has `sign` called, always with `user`. Its public key is given in PEM: a key, a certificate or a
/// certification request.
///
/// `user` is kept until the signer, and everything that signs by it, has been freed; then `release` is called with it,
/// unless it is NULL. When this function fails, nothing is kept or released.
///
/// Threads: any. Free `*out` by `kubepki_signer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_signer_new(
    public_key_pem: *const c_void,
    public_key_pem_len: usize,
    sign: kubepki_sign,
    user: *mut c_void,
    release: kubepki_release,
    out: *mut *mut kubepki_signer,
) -> Option<Box<kubepki_error>> {
    let pem = input!(public_key_pem, public_key_pem_len);
    make(out!(out), || {
        let sign = sign.ok_or_else(|| kubepki_error::null("sign"))?;
        let public_key = public_key(pem)?;
        Ok(kubepki_signer(Arc::new(Callback { public_key, sign, user: Kept { pointer: user, release } })))
    })
}

/// Answers with a signature, which is copied. It is verified before anything is made of it.
///
/// Threads: any, before the callback returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_answer_signature(
    answer: Option<&mut kubepki_answer>,
    signature: *const c_void,
    signature_len: usize,
) {
    let signature = input!(signature, signature_len);
    set(answer, || match signature.bytes() {
        Ok(bytes) if bytes.len() <= LONGEST_SIGNATURE => Ok(bytes.to_vec()),
        _ => {
            let rule = format!("a signature that is NULL or longer than {LONGEST_SIGNATURE} bytes");
            Err(format!("the callback gave {rule}: {signature_len}").as_str().into())
        }
    });
}

/// Answers with a reason, which becomes the message of an error: UTF-8, cut after 1024 bytes. It must be no secret.
///
/// Threads: any, before the callback returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_answer_failure(
    answer: Option<&mut kubepki_answer>,
    reason: *const c_char,
    reason_len: usize,
) {
    let reason = input!(reason, reason_len);
    set(answer, || Err(Failure { reason: shown(reason), cause: None }));
}

/// The same with what the caller knows of it: `kubepki_error_cause` gives it back. It is kept as long as the error; then
/// `release` is called with it, unless that is NULL. Without an answer to put it in (NULL) it is released at once.
///
/// Threads: any, before the callback returns.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_answer_failure_with_cause(
    answer: Option<&mut kubepki_answer>,
    reason: *const c_char,
    reason_len: usize,
    cause: *mut c_void,
    release: kubepki_release,
) {
    let reason = input!(reason, reason_len);
    let cause = Arc::new(Cause(Kept { pointer: cause, release }));
    set(answer, || Err(Failure { reason: shown(reason), cause: Some(cause) }));
}

/// Frees a signer. What signs by it keeps doing so. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_signer_free(signer: Option<Box<kubepki_signer>>) {
    free(signer);
}

fn set(answer: Option<&mut kubepki_answer>, value: impl FnOnce() -> Result<Vec<u8>, Failure>) {
    if let Some(answer) = answer {
        answer.0 = quietly(value).unwrap_or_else(|| Err("a panic".into()));
    }
}

/// A reason as it may stand in a message.
fn shown(reason: Input<'_>) -> String {
    const LONGEST: usize = 1024;
    let bytes = reason.bytes().unwrap_or_default();
    let text = String::from_utf8_lossy(bytes.get(..LONGEST).unwrap_or(bytes));
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The public key in PEM, or that of the first certificate, or of a certification request.
pub(crate) fn public_key(pem: Input<'_>) -> Result<PublicKey, Fail> {
    let bytes = pem.bytes()?;
    let has = |begin: &[u8]| bytes.windows(begin.len()).any(|window| window == begin);
    if has(b"-----BEGIN CERTIFICATE REQUEST-----") {
        let request = CertificationRequest::from_pem(bytes)?;
        request.check_signature()?;
        return Ok(request.public_key().clone());
    }
    match PublicKey::from_pem(bytes) {
        Err(_) if has(b"-----BEGIN CERTIFICATE-----") => {
            let certificates = Certificate::from_pem(bytes)?;
            let first = certificates.first().map(|certificate| certificate.public_key().clone());
            first.ok_or_else(|| kubepki_error::absent("public_key_pem", "a certificate"))
        }
        key => Ok(key?),
    }
}
