//! The API `certificates.k8s.io`: requests for certificates as Kubernetes objects, what approves them and what signs
//! them.
//!
//! A workload or a kubelet makes a key and a [`CertificateSigningRequest`]; an approver decides about it ([`review`]);
//! a signer puts the certificate into its status ([`sign`]). Kubernetes' own rules are those of kube-controller-manager
//! 1.36; signers of your own get theirs by a [`SignerPolicy`]. An approver and signer is a loop around these two calls:
//! read the object, call, send it back.
//!
//! ```
//! use kubepki::certificates_api::{CertificateSigningRequest, Context, Outcome, SIGNING_DURATION, SignerPolicy};
//! use kubepki::certificates_api::{review, sign};
//! use kubepki::{Cluster, Issuer, KeyAlgorithm, SignerName, Time, Usage, role};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let cluster = Cluster::new("kubernetes.default.svc:443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
//!
//! // The workload: a key, which it keeps, and the object, which it creates in the cluster.
//! let service = "my-svc.my-namespace.svc.cluster.local";
//! let request = role::Service::new(&cluster, service.parse()?).profile().request()?;
//! let object =
//!     CertificateSigningRequest::new("my-svc.my-namespace".parse()?, "example.com/serving".parse()?, &request);
//!
//! // The approver and signer: what it may sign, and its authority.
//! let signer: SignerName = "example.com/serving".parse()?;
//! let policy = SignerPolicy::new(signer.clone())?
//!     .requesters(["system:serviceaccount:my-namespace:*".parse()?])
//!     .common_names(["*.my-namespace.svc.cluster.local".parse()?])
//!     .sans(["DNS:*.my-namespace.svc.cluster.local".parse()?])
//!     .usages([Usage::DigitalSignature, Usage::KeyEncipherment, Usage::ServerAuth]);
//! let context = Context::default().policy(policy);
//! let root = role::RootCa::new(&cluster, "My Example Signer".parse()?).profile();
//! let authority = Issuer::self_signed(&root, Time::now())?;
//!
//! # let created = object.to_json().replace("\"signerName\"", "\"username\": \"system:serviceaccount:my-namespace:default\", \"signerName\"");
//! # let as_created = created.as_bytes();
//! let mut object = CertificateSigningRequest::from_yaml(as_created)?;
//! review(&object, &context).apply(&mut object, Time::now())?;
//! assert_eq!(sign(&mut object, &signer, &authority, SIGNING_DURATION, Time::now())?, Outcome::Issued);
//!
//! // The workload again: with the certificate the key is a credential.
//! let credential = request.accept(object.certificates()?)?;
//! # assert_eq!(credential.certificate().issuer(), authority.certificate().subject());
//! # Ok(())
//! # }
//! ```

mod node;
mod object;
mod pattern;
mod policy;
mod review;
mod sign;
mod signers;

pub use node::NodeAddresses;
pub use object::{CertificateSigningRequest, State};
pub use pattern::{Pattern, SanPattern};
pub use policy::SignerPolicy;
pub use review::{Context, Review, Verdict, review};
pub use sign::{Outcome, SIGNING_DURATION, sign};
