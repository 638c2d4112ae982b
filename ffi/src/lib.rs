//! The C interface of kubepki. What it is for its users stands in `include/kubepki.h` and `ffi/README.md`; the rules are
//! the crate's, and nothing here knows one.
//!
//! Types say what may be NULL: a handle comes in as `Option<&T>`, or `Option<&mut T>` where the call changes it, and is
//! freed as `Option<Box<T>>`. Texts and places to write to are raw pointers, which only `guard.rs` follows.

// What everything is made of. The header has its functions in the order of these modules.
pub mod error;
pub mod guard;
pub mod owned;

// Descriptions, and what follows from them.
pub mod cluster;
pub mod kubeadm;
pub mod node;

pub mod expected;

// One machine.
pub mod authorities;
pub mod pki;

pub mod audit;

// One certificate.
pub mod profile;

pub mod credential;
pub mod issuer;
pub mod key;
pub mod signer;

pub mod request;

// What a cluster is given, and what it asks for.
pub mod csr;
pub mod review;

pub mod manifest;

// Users, by whatever they are known.
pub mod kubeconfig;

pub mod authentication;
pub mod impersonation;
pub mod service_account;
pub mod token;

use std::ffi::{CStr, c_char};

/// The version of the library, such as `0.1.0`, terminated by a zero byte. `KUBEPKI_VERSION` is that of the header.
///
/// Threads: any. It is always there.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    CStr::from_bytes_with_nul(VERSION.as_bytes()).unwrap_or_default().as_ptr()
}

/// The version of the library as a number that grows: `KUBEPKI_VERSION_NUMBER` is that of the header.
///
/// Threads: any.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_version_number() -> u32 {
    let part = |text: &str| text.parse::<u32>().unwrap_or_default();
    part(env!("CARGO_PKG_VERSION_MAJOR")) * 1_000_000
        + part(env!("CARGO_PKG_VERSION_MINOR")) * 1_000
        + part(env!("CARGO_PKG_VERSION_PATCH"))
}

/// Handles are read from several threads at once, and freed by whichever is last.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<audit::kubepki_findings>();
    is_shared::<audit::kubepki_plan>();
    is_shared::<audit::kubepki_policy>();
    is_shared::<authorities::kubepki_authorities>();
    is_shared::<cluster::kubepki_cluster>();
    is_shared::<credential::kubepki_credential>();
    is_shared::<credential::kubepki_identity>();
    is_shared::<csr::kubepki_csr>();
    is_shared::<error::kubepki_error>();
    is_shared::<expected::kubepki_expected>();
    is_shared::<impersonation::kubepki_impersonation>();
    is_shared::<issuer::kubepki_issuer>();
    is_shared::<kubeadm::kubepki_kubeadm>();
    is_shared::<kubeconfig::kubepki_user>();
    is_shared::<manifest::kubepki_manifest>();
    is_shared::<node::kubepki_layout>();
    is_shared::<node::kubepki_node>();
    is_shared::<owned::kubepki_buffer>();
    is_shared::<owned::kubepki_files>();
    is_shared::<owned::kubepki_list>();
    is_shared::<pki::kubepki_pki>();
    is_shared::<pki::kubepki_store>();
    is_shared::<profile::kubepki_profile>();
    is_shared::<request::kubepki_request>();
    is_shared::<review::kubepki_approver>();
    is_shared::<review::kubepki_review>();
    is_shared::<review::kubepki_signer_policy>();
    is_shared::<service_account::kubepki_service_account>();
    is_shared::<service_account::kubepki_service_account_token>();
    is_shared::<signer::kubepki_signer>();
    is_shared::<token::kubepki_cluster_info>();
    is_shared::<token::kubepki_static_tokens>();
};
