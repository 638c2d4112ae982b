//! Tokens: what Kubernetes' own packages say to those of this crate, and this crate to theirs.

mod bootstrap;
mod cluster_info;
mod jwks;
mod service_account;
mod static_tokens;

use std::sync::LazyLock;

use kubepki::{KeyAlgorithm, PrivateKey};

/// A key of each kind that signs tokens.
static KEYS: LazyLock<[PrivateKey; 3]> = LazyLock::new(|| {
    [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384]
        .map(|algorithm| PrivateKey::generate(algorithm).unwrap())
});
