//! Tokens: bootstrap tokens, service-account tokens and the static token file.
//!
//! A bearer token is a password: whoever has its text is the user. So texts of tokens are zeroized on drop, and stand in
//! no error and no `Debug`.
//!
//! * A [`BootstrapToken`] makes a new machine known to its cluster, and the cluster to the machine, until the machine has
//!   a certificate. The cluster has a [`BootstrapSecret`] of it, and signs its [`ClusterInfo`] by it.
//! * A [`ServiceAccountToken`] makes a program known to the API server, and to others that have its [`KeySet`]: sa.key
//!   has signed it, and it ends.
//! * A [`StaticToken`] stands in a file that kube-apiserver reads when it starts. It never ends, and is for tests.
//!
//! # What Kubernetes has removed
//!
//! Older guides describe what no supported version has any more:
//!
//! * Passwords in a file (`--basic-auth-file`), removed in 1.19. Instead: client certificates
//!   ([`Kubeconfig::for_user`]) or OpenID Connect for people, [`StaticTokens`] for tests.
//! * Keystone (`--experimental-keystone-url`, `--experimental-keystone-ca-file`), removed in 1.10. Instead: an
//!   authentication webhook that asks Keystone.
//! * `--experimental-bootstrap-token-auth`, removed in 1.9. Instead: `--enable-bootstrap-token-auth`, which is among
//!   [`Expected::arguments`].
//! * A Secret with a token that never ends, which every service account was given until 1.24. Instead: tokens that end,
//!   by a projected volume, `kubectl create token` or a [`ServiceAccountToken`].
//!
//! [`Kubeconfig::for_user`]: crate::kubeconfig::Kubeconfig::for_user
//! [`Expected::arguments`]: crate::Expected::arguments

mod bootstrap;
mod cluster_info;
mod jwks;
mod jws;
mod service_account;
mod static_tokens;

pub use bootstrap::{BootstrapGroup, BootstrapSecret, BootstrapToken, BootstrapUsage};
pub use cluster_info::{ClusterInfo, Pin, VerifiedClusterInfo};
pub use jwks::KeySet;
pub use service_account::{Binding, ObjectReference, ObjectUid, ServiceAccountClaims, ServiceAccountToken};
pub use static_tokens::{StaticToken, StaticTokens};

pub use crate::names::TokenIssuer;
