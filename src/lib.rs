//! Creates the whole certificate set of a Kubernetes cluster.

mod document;
mod error;
pub mod kubeconfig;
pub mod manifest;
mod names;
mod role;
mod time;

pub use error::{Code, Error, Place, Result};
pub use names::{ClusterName, DnsName, Endpoint, Group, NodeName, San, SanName, Subnet, UserName};
pub use role::Role;
pub use time::Time;
