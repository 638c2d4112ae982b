//! What the tests share: descriptions of a cluster and its machines.

use kubepki::{Cluster, Convention, KeyAlgorithm, Node};

pub(crate) const CONVENTIONS: [Convention; 2] = [Convention::Documented, Convention::Kubeadm];

/// A dual-stack cluster.
pub(crate) fn cluster(algorithm: KeyAlgorithm, convention: Convention) -> Cluster {
    Cluster::new("api.example.com:6443".parse().unwrap())
        .service_subnets(["10.96.0.0/12".parse().unwrap(), "fd00::/108".parse().unwrap()])
        .key_algorithm(algorithm)
        .convention(convention)
}

/// A cluster whose keys are made fast.
pub(crate) fn fast_cluster() -> Cluster {
    cluster(KeyAlgorithm::EcdsaP256, Convention::Documented)
}

pub(crate) fn control_plane(name: &str, address: &str) -> Node {
    Node::control_plane(name.parse().unwrap(), address.parse().unwrap())
}
