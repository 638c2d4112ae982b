//! The roles of a Kubernetes cluster's certificates: one typed builder for each, which gives a [`Profile`].
//!
//! What each role must be stands in one table, which the project's README shows; the builders ask for what is missing
//! there, such as the node. What comes from a [`Cluster`](crate::Cluster) is its convention, its key algorithm and its
//! lifetimes, and whatever names the role needs.
//!
//! ```
//! use kubepki::{Cluster, Issuer, Time, role};
//!
//! # fn main() -> kubepki::Result<()> {
//! let cluster = Cluster::new("api.example.com:6443".parse()?);
//! let now = Time::now();
//! let authority = Issuer::self_signed(&role::KubernetesCa::new(&cluster).profile(), now)?;
//! let jane = role::User::new(&cluster, "jane".parse()?).group("developers".parse()?).profile();
//! let credential = authority.issue(&jane, now)?;
//! assert_eq!(credential.certificate().subject().to_string(), "O=developers, CN=jane");
//! # Ok(())
//! # }
//! ```

mod accept;
mod builders;
mod profile;
pub(crate) mod table;

pub(crate) use accept::looks_like_group;
pub use builders::{
    Admin, ApiServer, ApiServerEtcdClient, ApiServerKubeletClient, ControllerManager, EtcdCa,
    EtcdHealthcheckClient, EtcdPeer, EtcdServer, FrontProxyCa, FrontProxyClient, FrontProxyServer,
    Intermediate, KubeProxy, KubeletClient, KubeletServer, KubernetesCa, RootCa, Scheduler, Service,
    SuperAdmin, User,
};
pub use profile::Profile;
pub use table::Role;
pub(crate) use table::{CLUSTER_ADMINS, MASTERS, NODE_USER, NODES};
