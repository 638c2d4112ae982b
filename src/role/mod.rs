//! The roles of a Kubernetes cluster's certificates: the table of rules, and one typed builder for each role.

mod table;

pub use table::Role;
