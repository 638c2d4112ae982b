//! Keys and signatures: the only place that names the crates `rsa`, `p256` and `p384`.

mod jose;
mod private;
mod public;
mod signer;

use std::fmt;
use std::str::FromStr;

pub(crate) use jose::{Numbers, hmac_sha256, sign_jose};
pub use private::PrivateKey;
pub(crate) use private::{generate_all, random};
pub use public::PublicKey;
pub(crate) use signer::sign;
pub use signer::{SignatureAlgorithm, Signer, ToSign};

use crate::error::{Error, Result};

/// A key algorithm that Kubernetes' components and kubeadm know. RSA-2048 is the default everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// RSA with 2048 bits, public exponent 65537.
    #[default]
    Rsa2048,
    /// RSA with 3072 bits, public exponent 65537.
    Rsa3072,
    /// RSA with 4096 bits, public exponent 65537.
    Rsa4096,
    /// ECDSA on the curve P-256 (secp256r1).
    EcdsaP256,
    /// ECDSA on the curve P-384 (secp384r1).
    EcdsaP384,
}

impl KeyAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 5] =
        [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::EcdsaP256, Self::EcdsaP384];

    /// The stable name: `rsa-2048`, `ecdsa-p256`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
        }
    }

    pub(crate) fn is_rsa(self) -> bool {
        matches!(self, Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096)
    }
}

impl FromStr for KeyAlgorithm {
    type Err = Error;

    /// Reads [`KeyAlgorithm::id`], in any case: kubeadm writes `RSA-2048`.
    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|algorithm| text.eq_ignore_ascii_case(algorithm.id())).ok_or_else(|| {
            let ids = Self::ALL.map(Self::id).join(", ");
            Error::invalid("key algorithm", format!("one of {ids}"), text)
        })
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
