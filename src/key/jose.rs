//! Keys and signatures in the forms of JOSE (RFC 7518), which tokens use.

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, RsaPublicKey};
use sha2::{Digest, Sha256};
use spki::EncodePublicKey;

use super::public::Kind;
use super::{PublicKey, SignatureAlgorithm, Signer, sign};
use crate::error::{Code, Error, Result};

const P256: &str = "P-256";
const P384: &str = "P-384";

/// The numbers of a public key (RFC 7518, section 6), each big-endian: the coordinates of a point in the full width of
/// its curve, and those of RSA without leading zeros.
pub(crate) enum Numbers {
    Ec { curve: &'static str, x: Vec<u8>, y: Vec<u8> },
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl Numbers {
    /// The numbers of a curve by its name; `None` for another curve than P-256 and P-384.
    pub(crate) fn ec(
        curve: &str,
        point: impl FnOnce() -> Result<(Vec<u8>, Vec<u8>)>,
    ) -> Result<Option<Self>> {
        let known = [P256, P384].into_iter().find(|known| *known == curve);
        known.map(|curve| point().map(|(x, y)| Self::Ec { curve, x, y })).transpose()
    }
}

impl PublicKey {
    /// The name by which service-account tokens and a JWKS know this key (`kid`): the base64url of the SHA-256 of its
    /// SubjectPublicKeyInfo, as kube-apiserver computes it.
    ///
    /// (kubernetes/kubernetes, pkg/serviceaccount/jwt.go, `keyIDFromPublicKey`)
    #[must_use]
    pub fn key_id(&self) -> String {
        Base64UrlUnpadded::encode_string(&Sha256::digest(self.spki_der()))
    }

    /// The `alg` by which the private half of this key signs (RFC 7518, section 3.1), as kube-apiserver chooses it.
    ///
    /// (kubernetes/kubernetes, pkg/serviceaccount/openidmetadata.go, `algorithmFromPublicKey`)
    pub(crate) fn jose_algorithm(&self) -> Result<&'static str> {
        match self.kind() {
            Kind::Rsa(_) => Ok("RS256"),
            Kind::P256(_) => Ok("ES256"),
            Kind::P384(_) => Ok("ES384"),
            Kind::Other(_) => Err(unsupported(self)),
        }
    }

    /// Whether `signature` is one of `message` by this key's own algorithm, in the form of JOSE.
    pub(crate) fn verify_jose(&self, message: &[u8], signature: &[u8]) -> bool {
        match self.kind() {
            Kind::Rsa(_) => self.verify(SignatureAlgorithm::RsaSha256, message, signature),
            Kind::P256(key) => p256::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| {
                key.verify_prehash(&SignatureAlgorithm::EcdsaSha256.digest(message), &signature).is_ok()
            }),
            Kind::P384(key) => p384::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| {
                key.verify_prehash(&SignatureAlgorithm::EcdsaSha384.digest(message), &signature).is_ok()
            }),
            Kind::Other(_) => false,
        }
    }

    pub(crate) fn numbers(&self) -> Result<Numbers> {
        let of_curve = |curve, uncompressed: &[u8]| {
            let (x, y) = coordinates(uncompressed).ok_or_else(|| unsupported(self))?;
            Ok(Numbers::Ec { curve, x, y })
        };
        match self.kind() {
            Kind::Rsa(key) => Ok(Numbers::Rsa {
                n: key.n().to_be_bytes_trimmed_vartime().into(),
                e: key.e().to_be_bytes_trimmed_vartime().into(),
            }),
            Kind::P256(key) => of_curve(P256, key.to_sec1_point(false).as_bytes()),
            Kind::P384(key) => of_curve(P384, key.to_sec1_point(false).as_bytes()),
            Kind::Other(_) => Err(unsupported(self)),
        }
    }

    /// The key of these numbers; `None` when they make none.
    pub(crate) fn from_numbers(numbers: &Numbers) -> Option<Self> {
        let spki = match numbers {
            Numbers::Rsa { n, e } => {
                let [n, e] = [n, e].map(|number| BoxedUint::from_be_slice_vartime(number));
                RsaPublicKey::new(n, e).ok()?.to_public_key_der()
            }
            Numbers::Ec { curve: P256, x, y } => {
                p256::PublicKey::from_sec1_bytes(&point(x, y, 32)?).ok()?.to_public_key_der()
            }
            Numbers::Ec { x, y, .. } => {
                p384::PublicKey::from_sec1_bytes(&point(x, y, 48)?).ok()?.to_public_key_der()
            }
        };
        Self::from_spki_der(spki.ok()?.as_bytes()).ok()
    }
}

/// The signature of `message` by `signer`, verified, in the form of JOSE: that of ECDSA is both numbers in the full width
/// of the curve (RFC 7518, section 3.4).
pub(crate) fn sign_jose(signer: &dyn Signer, message: &[u8]) -> Result<Vec<u8>> {
    let key = signer.public_key();
    let signature = sign(signer, key, key.signature_algorithm()?, message)?;
    let fixed = match key.kind() {
        Kind::P256(_) => p256::ecdsa::Signature::from_der(&signature).map(|it| it.to_bytes().to_vec()),
        Kind::P384(_) => p384::ecdsa::Signature::from_der(&signature).map(|it| it.to_bytes().to_vec()),
        Kind::Rsa(_) | Kind::Other(_) => return Ok(signature),
    };
    fixed.map_err(|_| Error::new(Code::SignerMismatch, "a signature in the form asked for"))
}

/// HMAC with SHA-256 (RFC 2104), to be finished or verified. Verifying takes the same time for every tag.
pub(crate) fn hmac_sha256(key: &[u8], message: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104, section 3)")]
    let mac = Hmac::new_from_slice(key).expect("any key will do");
    mac.chain_update(message)
}

/// The coordinates of a point in the uncompressed form (SEC 1, section 2.3.3).
fn coordinates(point: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (_form, coordinates) = point.split_first()?;
    let (x, y) = coordinates.split_at_checked(coordinates.len() / 2)?;
    Some((x.to_vec(), y.to_vec()))
}

fn point(x: &[u8], y: &[u8], width: usize) -> Option<Vec<u8>> {
    const UNCOMPRESSED: u8 = 4;
    (x.len() == width && y.len() == width).then(|| [&[UNCOMPRESSED], x, y].concat())
}

fn unsupported(key: &PublicKey) -> Error {
    Error::new(Code::Unsupported, "a key of RSA, ECDSA P-256 or ECDSA P-384 for tokens")
        .found(key.to_string())
}
