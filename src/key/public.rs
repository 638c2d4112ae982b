//! [`PublicKey`]: a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7) as it was received.

use std::fmt;
use std::sync::Arc;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{ID_EC_PUBLIC_KEY, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1};
use der::{Decode, Tag};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use pkcs1::RsaPublicKeyRef;
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use spki::SubjectPublicKeyInfoRef;

use crate::error::{Code, Error, Result};
use crate::key::{KeyAlgorithm, PrivateKey, SignatureAlgorithm, Signer};
use crate::pem;

/// A public key. Any algorithm can be held and shown; RSA and ECDSA on P-256 and P-384 can also verify.
#[derive(Clone)]
pub struct PublicKey(Arc<Inner>);

struct Inner {
    spki: Vec<u8>,
    /// The contents of `subjectPublicKey`: what key identifiers are digests of.
    bits: Vec<u8>,
    kind: Kind,
}

#[derive(PartialEq)]
pub(super) enum Kind {
    Rsa(RsaPublicKey),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    /// What cannot verify here, with a name for it.
    Other(String),
}

impl PublicKey {
    /// Reads the first block of `pem` that holds a public key: `PUBLIC KEY` (SubjectPublicKeyInfo), or a private key,
    /// whose public half it then is.
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] when there is none, or when it cannot be read, and for private keys as
    /// [`PrivateKey::from_pem`].
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        let blocks = pem::blocks(pem)?;
        match blocks.iter().find(|block| block.label == "PUBLIC KEY") {
            Some(block) => Self::from_spki_der(&block.der),
            None if blocks.iter().any(|block| block.label.ends_with("PRIVATE KEY")) => {
                Ok(PrivateKey::from_pem(pem)?.public_key().clone())
            }
            None => {
                Err(Error::new(Code::Malformed, "a PEM block PUBLIC KEY").found(pem::describe(&blocks, pem)))
            }
        }
    }

    /// Reads every block `PUBLIC KEY`, as kube-apiserver reads `--service-account-key-file`.
    pub(crate) fn all_from_pem(pem: &[u8]) -> Result<Vec<Self>> {
        let blocks = pem::blocks(pem)?;
        let keys = blocks.iter().filter(|block| block.label == "PUBLIC KEY");
        let keys = keys.map(|block| Self::from_spki_der(&block.der)).collect::<Result<Vec<_>>>()?;
        match keys.is_empty() {
            true => {
                Err(Error::new(Code::Malformed, "a PEM block PUBLIC KEY").found(pem::describe(&blocks, pem)))
            }
            false => Ok(keys),
        }
    }

    /// Reads a SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] when it is none. Unknown algorithms are no error.
    pub fn from_spki_der(der: &[u8]) -> Result<Self> {
        Self::decode(der).map_err(|error| {
            Error::new(Code::Malformed, "a public key (SubjectPublicKeyInfo in DER)").found(error.to_string())
        })
    }

    pub(crate) fn decode(der: &[u8]) -> der::Result<Self> {
        let spki = SubjectPublicKeyInfoRef::from_der(der)?;
        let bits = spki.subject_public_key.as_bytes().ok_or(Tag::BitString.value_error())?;
        let kind = kind(&spki, bits).ok_or(Tag::BitString.value_error())?;
        Ok(Self(Arc::new(Inner { spki: der.to_vec(), bits: bits.to_vec(), kind })))
    }

    /// The SubjectPublicKeyInfo in DER, as it was received.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki
    }

    /// The SubjectPublicKeyInfo as a PEM block `PUBLIC KEY`: the form of sa.pub.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("PUBLIC KEY", &self.0.spki).to_string()
    }

    /// The algorithm, where it is one that this crate makes keys of.
    #[must_use]
    pub fn algorithm(&self) -> Option<KeyAlgorithm> {
        match &self.0.kind {
            Kind::Rsa(key) => match key.n().bits() {
                2048 => Some(KeyAlgorithm::Rsa2048),
                3072 => Some(KeyAlgorithm::Rsa3072),
                4096 => Some(KeyAlgorithm::Rsa4096),
                _ => None,
            },
            Kind::P256(_) => Some(KeyAlgorithm::EcdsaP256),
            Kind::P384(_) => Some(KeyAlgorithm::EcdsaP384),
            Kind::Other(_) => None,
        }
    }

    /// The pin by which `kubeadm join` knows an authority (`--discovery-token-ca-cert-hash`): `sha256:` and the
    /// SHA-256 of the SubjectPublicKeyInfo in lower-case hexadecimal digits (RFC 7469, section 2.4).
    #[must_use]
    pub fn pin(&self) -> String {
        let digits: String = Sha256::digest(&self.0.spki).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{digits}")
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// The contents of `subjectPublicKey`.
    pub(super) fn bits(&self) -> &[u8] {
        &self.0.bits
    }

    /// Whether this key may be certified: RSA from 2048 bits with an exponent of at least 65537, P-256 or P-384.
    pub(crate) fn is_strong(&self) -> bool {
        match &self.0.kind {
            Kind::Rsa(key) => key.n().bits() >= 2048 && key.e().bits() > 16,
            Kind::P256(_) | Kind::P384(_) => true,
            Kind::Other(_) => false,
        }
    }

    /// The size of an RSA key, also of one that cannot verify here.
    pub(crate) fn rsa_bits(&self) -> Option<u32> {
        match &self.0.kind {
            Kind::Rsa(key) => Some(key.n().bits()),
            Kind::Other(name) => name.strip_prefix("RSA ")?.strip_suffix(" bits")?.parse().ok(),
            Kind::P256(_) | Kind::P384(_) => None,
        }
    }

    /// Algorithm and size, and an RSA key's exponent where that is why it is weak.
    pub(crate) fn description(&self) -> String {
        match &self.0.kind {
            Kind::Rsa(key) if key.e().bits() <= 16 => {
                let exponent =
                    key.e().to_be_bytes().iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
                format!("{self} with the exponent {exponent}")
            }
            _ => self.to_string(),
        }
    }

    /// Whether signatures of this key can be verified here.
    pub(crate) fn can_verify(&self) -> bool {
        !matches!(self.0.kind, Kind::Other(_))
    }

    pub(crate) fn is_rsa(&self) -> bool {
        self.rsa_bits().is_some()
    }

    /// The algorithm by which the private half of this key signs, as Go chooses it (crypto/x509,
    /// `signingParamsForKey`).
    pub(crate) fn signature_algorithm(&self) -> Result<SignatureAlgorithm> {
        match &self.0.kind {
            Kind::Rsa(_) => Ok(SignatureAlgorithm::RsaSha256),
            Kind::P256(_) => Ok(SignatureAlgorithm::EcdsaSha256),
            Kind::P384(_) => Ok(SignatureAlgorithm::EcdsaSha384),
            Kind::Other(_) => {
                Err(Error::new(Code::Unsupported, "a key of RSA, ECDSA P-256 or ECDSA P-384 to sign with")
                    .found(self.to_string()))
            }
        }
    }

    /// The subject key identifier that Go makes since 1.25: the first 20 bytes of the SHA-256 of the key's bits
    /// (RFC 7093, section 2, method 1).
    pub(crate) fn key_identifier(&self) -> Vec<u8> {
        Sha256::digest(&self.0.bits).iter().take(20).copied().collect()
    }

    pub(crate) fn verify(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        self.verify_digest(algorithm, &algorithm.digest(message), signature)
    }

    pub(super) fn verify_digest(
        &self,
        algorithm: SignatureAlgorithm,
        digest: &[u8],
        signature: &[u8],
    ) -> bool {
        use SignatureAlgorithm::{EcdsaSha256, EcdsaSha384, EcdsaSha512, RsaSha256, RsaSha384, RsaSha512};
        match (&self.0.kind, algorithm) {
            (Kind::Rsa(key), RsaSha256) => {
                key.verify(Pkcs1v15Sign::new::<Sha256>(), digest, signature).is_ok()
            }
            (Kind::Rsa(key), RsaSha384) => {
                key.verify(Pkcs1v15Sign::new::<Sha384>(), digest, signature).is_ok()
            }
            (Kind::Rsa(key), RsaSha512) => {
                key.verify(Pkcs1v15Sign::new::<Sha512>(), digest, signature).is_ok()
            }
            (Kind::P256(key), EcdsaSha256 | EcdsaSha384 | EcdsaSha512) => {
                p256::ecdsa::Signature::from_der(signature)
                    .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
            }
            (Kind::P384(key), EcdsaSha256 | EcdsaSha384 | EcdsaSha512) => {
                p384::ecdsa::Signature::from_der(signature)
                    .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
            }
            _ => false,
        }
    }
}

/// The same key, however its algorithm identifier and point are encoded.
impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0.kind, &other.0.kind) {
            (Kind::Other(_), Kind::Other(_)) => self.0.spki == other.0.spki,
            (one, two) => one == two,
        }
    }
}

impl Eq for PublicKey {}

impl fmt::Display for PublicKey {
    /// Algorithm and size: `RSA 2048 bits`, `ECDSA P-256`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            Kind::Rsa(key) => write!(f, "RSA {} bits", key.n().bits()),
            Kind::P256(_) => f.write_str("ECDSA P-256"),
            Kind::P384(_) => f.write_str("ECDSA P-384"),
            Kind::Other(name) => f.write_str(name),
        }
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self}, {})", self.pin())
    }
}

/// `None` for a key that is not what its algorithm says, to Go (crypto/x509, `parsePublicKey`): it wants the parameters
/// of RSA to be NULL, and points of curves uncompressed.
fn kind(spki: &SubjectPublicKeyInfoRef<'_>, bits: &[u8]) -> Option<Kind> {
    match spki.algorithm.oid {
        RSA_ENCRYPTION => {
            spki.algorithm.parameters.filter(|parameters| parameters.is_null())?;
            let parts = RsaPublicKeyRef::from_der(bits).ok()?;
            Some(RsaPublicKey::try_from(parts).map_or_else(
                |_| {
                    let size =
                        RsaPublicKeyRef::from_der(bits).map_or(0, |key| key.modulus.as_bytes().len() * 8);
                    Kind::Other(format!("RSA {size} bits"))
                },
                Kind::Rsa,
            ))
        }
        ID_EC_PUBLIC_KEY => {
            const UNCOMPRESSED: u8 = 4;
            match spki.algorithm.parameters.and_then(|any| any.decode_as::<ObjectIdentifier>().ok()) {
                Some(SECP_256_R_1 | SECP_384_R_1) if bits.first() != Some(&UNCOMPRESSED) => None,
                Some(SECP_256_R_1) => p256::ecdsa::VerifyingKey::from_sec1_bytes(bits).ok().map(Kind::P256),
                Some(SECP_384_R_1) => p384::ecdsa::VerifyingKey::from_sec1_bytes(bits).ok().map(Kind::P384),
                Some(curve) => Some(Kind::Other(format!("ECDSA on the curve {curve}"))),
                None => Some(Kind::Other("ECDSA on a curve without a name".to_owned())),
            }
        }
        algorithm => Some(Kind::Other(format!("algorithm {algorithm}"))),
    }
}
