//! The roles of a Kubernetes cluster's certificates: the table of rules, and one typed builder for each role.

mod table;

pub(crate) use table::CLUSTER_ADMINS;
pub use table::Role;
