//! Private keys, in PEM.

use std::ffi::c_char;

use ::pki::PrivateKey;

use crate::error::kubepki_error;
use crate::guard::{input, make, out};
use crate::owned::kubepki_buffer;

/// Makes a private key, in PEM: `rsa-2048`, `rsa-3072`, `rsa-4096`, `ecdsa-p256` or `ecdsa-p384`. RSA takes its time,
/// up to a second.
///
/// Threads: any. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_key_generate(
    algorithm: *const c_char,
    algorithm_len: usize,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    let algorithm = input!(algorithm, algorithm_len);
    make(out!(out), || Ok(kubepki_buffer::secret(PrivateKey::generate(algorithm.parse()?)?.to_pem())))
}
