//! Creates the whole certificate set of a Kubernetes cluster.

mod cluster;
mod error;
mod issuer;
mod key;
mod names;
mod pem;
pub mod role;
mod time;
mod x509;

pub use cluster::{Cluster, Convention, Etcd, KubeletClientCertificate, Node};
pub use error::{Code, Error, Place, Result};
pub use issuer::Issuer;
pub use key::{KeyAlgorithm, PrivateKey, PublicKey, SignatureAlgorithm, Signer, ToSign};
pub use names::{AuthorityName, ClusterName, DnsName, Endpoint, Group, NodeName, San, SanName, Subnet, UserName};
pub use role::{Profile, Role};
pub use time::Time;
pub use x509::{AlternativeName, Certificate, Credential, DistinguishedName, Usage};
