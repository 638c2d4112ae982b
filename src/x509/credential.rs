//! [`Credential`]: a certificate chain with its private key.

use std::sync::Arc;

use super::Certificate;
use super::chain::{check_chain, check_key, leaf, to_pem};
use crate::error::Result;
use crate::key::PrivateKey;
use crate::time::Time;

/// An issued certificate with its private key, and the intermediates that its holder presents with it.
#[derive(Clone, Debug)]
pub struct Credential {
    chain: Vec<Certificate>,
    key: Arc<PrivateKey>,
    shortened_from: Option<Time>,
}

impl Credential {
    /// Puts a certificate chain, the leaf first, and the leaf's private key together.
    ///
    /// # Errors
    ///
    /// [`Code::KeyMismatch`](crate::Code::KeyMismatch) when the key is not the leaf's,
    /// [`Code::Malformed`](crate::Code::Malformed) when the chain is empty,
    /// [`Code::WrongIssuer`](crate::Code::WrongIssuer) and [`Code::BadSignature`](crate::Code::BadSignature) when a
    /// certificate was not issued by the one behind it.
    pub fn new(chain: Vec<Certificate>, key: PrivateKey) -> Result<Self> {
        check_chain(&chain)?;
        Self::assemble(chain, Arc::new(key), None)
    }

    pub(crate) fn assemble(
        chain: Vec<Certificate>,
        key: Arc<PrivateKey>,
        shortened_from: Option<Time>,
    ) -> Result<Self> {
        check_key(leaf(&chain)?, key.as_ref())?;
        Ok(Self { chain, key, shortened_from })
    }

    /// The leaf, then the intermediates that lead towards the root, which is not among them.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// The leaf: the certificate of [`key`](Self::key).
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "the constructor refuses an empty chain")]
    pub fn certificate(&self) -> &Certificate {
        &self.chain[0]
    }

    /// The private key.
    #[must_use]
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The whole chain in PEM, the leaf first: the contents of a `.crt` file.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        to_pem(&self.chain)
    }

    /// The end that the profile asked for, when the certificate had to end earlier because its authority does.
    #[must_use]
    pub fn shortened_from(&self) -> Option<Time> {
        self.shortened_from
    }
}
