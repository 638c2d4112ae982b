//! A signer whose key the caller keeps: a callback.

use std::error::Error as StdError;
use std::ffi::{c_char, c_void};
use std::sync::Arc;

use ::pki::{Certificate, PublicKey, Signer, ToSign};

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
pub struct kubepki_answer(Result<Vec<u8>, String>);

/// Signs, and answers by `kubepki_answer_signature` or `kubepki_answer_failure` before it returns.
///
/// It may be called from any thread, from several at once, and may call this library itself, though not with a handle
/// that the call which signs is changing. It must return: no exception and no longjmp may leave it.
pub type kubepki_sign = Option<
    unsafe extern "C" fn(user: *mut c_void, to_sign: *const kubepki_to_sign, answer: *mut kubepki_answer),
>;

/// Takes leave of `user`; called once, from any thread, when nothing signs by it any more.
pub type kubepki_release = Option<unsafe extern "C" fn(user: *mut c_void)>;

/// What signs for an authority whose key is elsewhere: in an HSM, a KMS or another process.
pub struct kubepki_signer(pub(crate) Arc<dyn Signer>);

struct Callback {
    public_key: PublicKey,
    sign: unsafe extern "C" fn(*mut c_void, *const kubepki_to_sign, *mut kubepki_answer),
    release: kubepki_release,
    user: *mut c_void,
}

// SAFETY: the header says that callbacks are called from any thread, and `user` is given to them alone.
unsafe impl Send for Callback {}

// SAFETY: likewise, from several threads at once.
unsafe impl Sync for Callback {}

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
        let mut answer = kubepki_answer(Err("the callback gave no answer".to_owned()));
        // SAFETY: the function and `user` came together, and have not been released; what else it is given lives
        // longer than the call.
        unsafe { (self.sign)(self.user, &to_sign, &mut answer) };
        Ok(answer.0?)
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        if let Some(release) = self.release {
            // SAFETY: as in `sign`; nobody else can have called it, nor will.
            unsafe { release(self.user) };
        }
    }
}

/// A signer that has `sign` called, always with `user`. Its public key is given in PEM: a key or a certificate.
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
        Ok(kubepki_signer(Arc::new(Callback { public_key: public_key(pem)?, sign, release, user })))
    })
}

/// Answers with a signature, which is copied. It is verified before anything is made of it.
///
/// Threads: the callback's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_answer_signature(
    answer: Option<&mut kubepki_answer>,
    signature: *const c_void,
    signature_len: usize,
) {
    let signature = input!(signature, signature_len);
    set(answer, || match signature.bytes() {
        Ok(bytes) if bytes.len() <= LONGEST_SIGNATURE => Ok(bytes.to_vec()),
        _ => Err(format!(
            "the callback gave a signature that is NULL or longer than {LONGEST_SIGNATURE} bytes: {signature_len}"
        )),
    });
}

/// Answers with a reason, which becomes the message of an error: UTF-8, cut after 1024 bytes. It must be no secret.
///
/// Threads: the callback's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_answer_failure(
    answer: Option<&mut kubepki_answer>,
    reason: *const c_char,
    reason_len: usize,
) {
    const LONGEST: usize = 1024;
    let reason = input!(reason, reason_len);
    set(answer, || {
        let bytes = reason.bytes().unwrap_or_default();
        let text = String::from_utf8_lossy(bytes.get(..LONGEST).unwrap_or(bytes));
        Err(text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
    });
}

/// Frees a signer. What signs by it keeps doing so. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_signer_free(signer: Option<Box<kubepki_signer>>) {
    free(signer);
}

fn set(answer: Option<&mut kubepki_answer>, value: impl FnOnce() -> Result<Vec<u8>, String>) {
    if let Some(answer) = answer {
        answer.0 = quietly(value).unwrap_or_else(|| Err("a panic".to_owned()));
    }
}

/// The public key in PEM, or that of the first certificate.
pub(crate) fn public_key(pem: Input<'_>) -> Result<PublicKey, Fail> {
    let bytes = pem.bytes()?;
    match Certificate::from_pem(bytes).map(|certificates| certificates.into_iter().next()) {
        Ok(Some(certificate)) => Ok(certificate.public_key().clone()),
        _ => Ok(PublicKey::from_pem(bytes)?),
    }
}
