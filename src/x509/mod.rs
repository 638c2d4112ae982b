//! Certificates (RFC 5280): read as they were received, and written exactly as Kubernetes expects them.

mod build;
mod certificate;
mod chain;
mod credential;
mod name;
mod san;
mod usage;

pub(crate) use build::{Template, assemble};
pub use certificate::Certificate;
pub(crate) use chain::{chain_above, check_authorities, check_chain, check_key, leaf, path_to, to_pem};
pub use credential::Credential;
pub use name::DistinguishedName;
pub use san::AlternativeName;
pub use usage::Usage;
