//! [`Signer`]: what signs, wherever its key lives.

use std::error::Error as StdError;
use std::fmt;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ECDSA_WITH_SHA_512, SHA_256_WITH_RSA_ENCRYPTION,
    SHA_384_WITH_RSA_ENCRYPTION, SHA_512_WITH_RSA_ENCRYPTION,
};
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::error::{Code, Error, Result};
use crate::key::PublicKey;

/// A private key that signs, perhaps elsewhere: in an HSM, a KMS or another process.
///
/// Every answer is verified before it is used: with the key of the authority's certificate, which
/// [`public_key`](Self::public_key) must be.
/// [`PrivateKey`](crate::PrivateKey) is the signer whose key is at hand.
pub trait Signer: Send + Sync {
    /// The public key of the key that signs.
    fn public_key(&self) -> &PublicKey;

    /// Signs: RSA as PKCS#1 v1.5 (RFC 8017, section 8.2), ECDSA as DER of `ECDSA-Sig-Value` (RFC 3279, section 2.2.3).
    ///
    /// May be called from several threads at once.
    ///
    /// # Errors
    ///
    /// Whatever keeps the key from signing; it becomes the source of an error with [`Code::Signer`].
    fn sign(&self, what: &ToSign<'_>) -> Result<Vec<u8>, Box<dyn StdError + Send + Sync>>;
}

/// What a [`Signer`] is to sign: the message and its digest, since some want the one and some the other.
#[derive(Clone, Debug)]
pub struct ToSign<'a> {
    message: &'a [u8],
    digest: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

impl<'a> ToSign<'a> {
    fn new(algorithm: SignatureAlgorithm, message: &'a [u8]) -> Self {
        Self { message, digest: algorithm.digest(message), algorithm }
    }

    /// The whole message, for signers that hash themselves.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        self.message
    }

    /// The digest of the message by the hash of [`algorithm`](Self::algorithm), as KMS services and Go's `crypto.Signer`
    /// want it. PKCS#11's `CKM_RSA_PKCS` wants it within a DigestInfo (RFC 8017, section 9.2).
    #[must_use]
    pub fn digest(&self) -> &[u8] {
        &self.digest
    }

    /// How to sign. It follows from the public key, as Go chooses it.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }
}

/// An algorithm of signatures. With RSA this is PKCS#1 v1.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// `sha256WithRSAEncryption`: what RSA keys of every size sign with here.
    RsaSha256,
    /// `sha384WithRSAEncryption`: read, never written.
    RsaSha384,
    /// `sha512WithRSAEncryption`: read, never written.
    RsaSha512,
    /// `ecdsa-with-SHA256`: what P-256 keys sign with.
    EcdsaSha256,
    /// `ecdsa-with-SHA384`: what P-384 keys sign with.
    EcdsaSha384,
    /// `ecdsa-with-SHA512`: read, never written.
    EcdsaSha512,
}

impl SignatureAlgorithm {
    const OIDS: [(Self, ObjectIdentifier); 6] = [
        (Self::RsaSha256, SHA_256_WITH_RSA_ENCRYPTION),
        (Self::RsaSha384, SHA_384_WITH_RSA_ENCRYPTION),
        (Self::RsaSha512, SHA_512_WITH_RSA_ENCRYPTION),
        (Self::EcdsaSha256, ECDSA_WITH_SHA_256),
        (Self::EcdsaSha384, ECDSA_WITH_SHA_384),
        (Self::EcdsaSha512, ECDSA_WITH_SHA_512),
    ];

    pub(crate) fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::OIDS.iter().find(|(_, known)| *known == oid).map(|(algorithm, _)| *algorithm)
    }

    pub(crate) fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::RsaSha256 | Self::EcdsaSha256 => Sha256::digest(message).to_vec(),
            Self::RsaSha384 | Self::EcdsaSha384 => Sha384::digest(message).to_vec(),
            Self::RsaSha512 | Self::EcdsaSha512 => Sha512::digest(message).to_vec(),
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    /// The name as RFC 5912 writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RsaSha256 => "sha256WithRSAEncryption",
            Self::RsaSha384 => "sha384WithRSAEncryption",
            Self::RsaSha512 => "sha512WithRSAEncryption",
            Self::EcdsaSha256 => "ecdsa-with-SHA256",
            Self::EcdsaSha384 => "ecdsa-with-SHA384",
            Self::EcdsaSha512 => "ecdsa-with-SHA512",
        })
    }
}

/// The signature of `message` by `signer`, verified with `public_key`.
pub(crate) fn sign(
    signer: &dyn Signer,
    public_key: &PublicKey,
    algorithm: SignatureAlgorithm,
    message: &[u8],
) -> Result<Vec<u8>> {
    let what = ToSign::new(algorithm, message);
    let signature = signer.sign(&what).map_err(|error| {
        Error::new(Code::Signer, "a signature from the signer").found(error.to_string()).caused_by(error)
    })?;
    match public_key.verify_digest(algorithm, &what.digest, &signature) {
        true => Ok(signature),
        false => Err(Error::new(
            Code::SignerMismatch,
            "a signature by the signer's own key, in the form asked for",
        )
        .found(format!("{} bytes that its public key does not verify", signature.len()))),
    }
}
