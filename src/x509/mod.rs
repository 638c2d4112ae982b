//! Certificates (RFC 5280): read as they were received, and written exactly as Kubernetes expects them.

mod build;
mod certificate;
mod chain;
mod credential;
mod name;
mod request;
mod san;
mod usage;

pub(crate) use build::{Template, assemble, serial_number};
pub use certificate::Certificate;
pub(crate) use chain::{chain_above, check_authorities, check_chain, check_key, leaf, path_to, to_pem};
pub use credential::Credential;
pub use name::DistinguishedName;
pub use request::CertificationRequest;
pub(crate) use request::RequestTemplate;
pub use san::AlternativeName;
pub(crate) use san::MOST_NAMES;
pub use usage::Usage;
