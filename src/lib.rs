//! The whole certificate set of a Kubernetes cluster, created by one call: authorities, certificates, private keys,
//! service-account keys and kubeconfigs; and what else says who somebody is in it: requests for certificates, tokens and
//! the objects around them.
//!
//! # The paved path
//!
//! A [`Cluster`] is what all nodes share; a [`Node`] is one machine. [`Pki::create`] makes the authorities of a new
//! cluster and every certificate, key and kubeconfig of its first node, in memory; [`Pki::save`] writes them where
//! kubeadm and every component look for them.
//!
//! ```
//! use kubepki::{Cluster, Component, KeyAlgorithm, Node, Pki, Time};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let directory = tempfile::tempdir()?;
//! let cluster = Cluster::new("api.example.com:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
//! let node = Node::control_plane("cp-1".parse()?, "192.0.2.10".parse()?);
//! let pki = Pki::create(&cluster, &node, Time::now())?;
//! pki.save(directory.path())?;
//! print!("{}", pki.tree());
//! for argument in pki.expected().arguments(Component::ApiServer) {
//!     println!("{argument}");
//! }
//! # Ok(())
//! # }
//! ```
//!
//! [`Pki::files`] has the same files in memory, for whoever sends them elsewhere. `admin.conf` has power once
//! [`manifest::cluster_admins_binding`] is applied to the cluster.
//!
//! Further nodes, control plane, worker or etcd member, are made by [`Authorities::join`]; [`Authorities::files`],
//! [`Authorities::load`] and [`Authorities::from_files`] carry the authorities to another machine.
//!
//! # One certificate
//!
//! Every role of the role table has a typed builder in [`role`], which gives a [`Profile`]; an [`Issuer`] makes a
//! [`Credential`] of it. A CA's key may live elsewhere: see [`Signer`]. A user's certificate becomes a kubeconfig by
//! [`Kubeconfig::for_user`](kubeconfig::Kubeconfig::for_user).
//!
//! # Requests for certificates
//!
//! [`Profile::request`] makes a key and a request for its certificate (PKCS#10), which another authority answers:
//! [`Request::accept`]. [`certificates_api`] is the same by way of the API server: the Kubernetes object
//! ([`CertificateSigningRequest`](certificates_api::CertificateSigningRequest)), what an approver decides
//! ([`review`](certificates_api::review)) and what a signer makes of it ([`sign`](certificates_api::sign)), by the rules of
//! kube-controller-manager or by a policy of one's own. [`manifest`] has what is applied around it: Secrets, what clients
//! trust, roles and bindings.
//!
//! # Other credentials
//!
//! [`token`] has bootstrap tokens and the `cluster-info` by which machines join, service-account tokens with their JWKS and
//! discovery document, and the static token file; it also says what Kubernetes has removed, and what replaces it.
//!
//! [`Cluster::authentication`] tells API servers whom else to believe ([`Authentication`]: OpenID Connect, a token file,
//! webhooks, authenticating proxies), as arguments. The kubeconfigs to that are
//! [`Kubeconfig::with_user`](kubeconfig::Kubeconfig::with_user), for tokens, programs and OpenID Connect, and
//! [`Kubeconfig::webhook`](kubeconfig::Kubeconfig::webhook). [`Impersonation`] acts as another user: in headers, in
//! kubeconfigs, and as the roles that allow it.
//!
//! # Below a root
//!
//! [`Authorities::create_under`] makes the authorities as intermediates of an [`Issuer`]. Trust files then hold the
//! intermediates and never the root, since components would accept what a sibling authority signed if they held it;
//! serving files hold the leaf and its intermediates. `openssl verify -CAfile ca.crt` needs `-partial_chain`.
//!
//! # Rules that hold everywhere
//!
//! * Names are parsed once ([`NodeName`], [`San`], [`Group`]); what takes one cannot fail because of it.
//! * The clock is a parameter: only [`Time::now`] reads it. Certificates begin five minutes before it.
//! * No certificate outlives the authority that issued it.
//! * An [`Error`] says where, what was expected there and what was found. No input makes this crate panic.
//! * Private keys are zeroized on drop, and stand in no error and no `Debug`.

mod arguments;
mod audit;
mod authentication;
mod authority;
pub mod certificates_api;
mod cluster;
mod disk;
mod document;
mod error;
mod expected;
mod file;
mod finding;
mod identity;
mod impersonation;
pub mod import;
mod issuer;
mod key;
pub mod kubeconfig;
mod layout;
pub mod manifest;
mod names;
mod pem;
mod pki;
mod plan;
mod report;
mod request;
pub mod role;
mod store;
mod text;
mod time;
pub mod token;
mod x509;

pub use arguments::Component;
pub use authentication::{Authentication, AuthorizationWebhook, Oidc, TokenWebhook};
pub use authority::{Authorities, Authority};
pub use cluster::{Cluster, Convention, Etcd, KubeletClientCertificate, Node};
pub use error::{Code, Error, Place, Result};
pub use expected::Expected;
pub use file::File;
pub use finding::{Finding, FindingId, Findings, Severity};
pub use identity::{Identity, Note};
pub use impersonation::Impersonation;
pub use issuer::Issuer;
pub use key::{KeyAlgorithm, PrivateKey, PublicKey, SignatureAlgorithm, Signer, ToSign};
pub use layout::{Layout, Part};
pub use names::{
    AuthorityName, ClaimName, ClientId, ClusterName, DnsName, Endpoint, Group, HttpsUrl, KubernetesVersion,
    NamePrefix, Namespace, NodeName, ObjectName, RequiredClaim, San, SanName, SignerName, Subnet,
    TokenAlgorithm, UserName,
};
pub use pki::Pki;
pub use plan::{Action, Blocked, Difference, Effect, Plan, Policy, Reason, Step};
pub use report::{Report, Tree};
pub use request::Request;
pub use role::{Profile, Role};
pub use store::Store;
pub use time::Time;
pub use x509::{AlternativeName, Certificate, CertificationRequest, Credential, DistinguishedName, Usage};

/// The README's examples are compiled and run as well.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
