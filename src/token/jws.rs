//! JSON Web Signatures (RFC 7515), as far as Kubernetes uses them.

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::document::{Value, to_json_line};

/// base64url without padding (RFC 7515, section 2).
pub(super) fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// The bytes of a text that is exactly what [`encode`] makes of them: Go would overlook line breaks and stray bits.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

/// The header, encoded.
pub(super) fn header(algorithm: &str, key_id: &str) -> String {
    encode(to_json_line(&Value::map([("alg", algorithm.into()), ("kid", key_id.into())])).as_bytes())
}
