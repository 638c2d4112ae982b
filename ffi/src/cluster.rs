//! What all nodes of a cluster share.

use std::ffi::c_char;

use ::pki::{Cluster, Etcd, KubeletClientCertificate, Subnet};

use crate::error::{Fail, kubepki_error};
use crate::guard::{change, free, input, make, out, seconds};

/// The description of a cluster: what all of its nodes share. Whatever is not set has kubeadm's value, but names: those
/// are of the Kubernetes documentation, unless `kubepki_cluster_set_convention` says `kubeadm`.
pub struct kubepki_cluster {
    pub(crate) cluster: Cluster,
    service_subnets: Vec<Subnet>,
}

impl From<Cluster> for kubepki_cluster {
    fn from(cluster: Cluster) -> Self {
        Self { cluster, service_subnets: Vec::new() }
    }
}

/// Lets a description be told one more thing.
fn tell(
    cluster: Option<&mut kubepki_cluster>,
    what: impl FnOnce(Cluster) -> Result<Cluster, Fail>,
) -> Option<Box<kubepki_error>> {
    change("cluster", cluster, |known| {
        known.cluster = what(known.cluster.clone())?;
        Ok(())
    })
}

/// A cluster that clients reach at `endpoint`: `HOST` or `HOST:PORT`. Services are in 10.96.0.0/12, the DNS domain is
/// cluster.local, keys are RSA-2048, authorities are valid for ten years and leaves for one.
///
/// Threads: any. Free `*out` by `kubepki_cluster_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_new(
    endpoint: *const c_char,
    endpoint_len: usize,
    out: *mut *mut kubepki_cluster,
) -> Option<Box<kubepki_error>> {
    let endpoint = input!(endpoint, endpoint_len);
    make(out!(out), || Ok(Cluster::new(endpoint.parse()?).into()))
}

/// The name of the cluster in kubeconfigs, instead of `default-cluster`, or by the convention `kubeadm`, `kubernetes`.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_set_name(
    cluster: Option<&mut kubepki_cluster>,
    name: *const c_char,
    name_len: usize,
) -> Option<Box<kubepki_error>> {
    let name = input!(name, name_len);
    tell(cluster, |cluster| Ok(cluster.name(name.parse()?)))
}

/// Another endpoint.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_set_endpoint(
    cluster: Option<&mut kubepki_cluster>,
    endpoint: *const c_char,
    endpoint_len: usize,
) -> Option<Box<kubepki_error>> {
    let endpoint = input!(endpoint, endpoint_len);
    tell(cluster, |cluster| Ok(cluster.endpoint(endpoint.parse()?)))
}

/// The domain of the cluster's DNS, instead of `cluster.local`.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_set_dns_domain(
    cluster: Option<&mut kubepki_cluster>,
    domain: *const c_char,
    domain_len: usize,
) -> Option<Box<kubepki_error>> {
    let domain = input!(domain, domain_len);
    tell(cluster, |cluster| Ok(cluster.dns_domain(domain.parse()?)))
}

/// Adds a range of addresses for services, such as `10.96.0.0/12`: one, or one of each family. The first one that is
/// added takes the place of those that were there before.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_add_service_subnet(
    cluster: Option<&mut kubepki_cluster>,
    subnet: *const c_char,
    subnet_len: usize,
) -> Option<Box<kubepki_error>> {
    let subnet = input!(subnet, subnet_len);
    change("cluster", cluster, |known| {
        known.service_subnets.push(subnet.parse()?);
        known.cluster = known.cluster.clone().service_subnets(known.service_subnets.iter().cloned());
        Ok(())
    })
}

/// The algorithm of every key that is made, instead of `rsa-2048`: that, `rsa-3072`, `rsa-4096`, `ecdsa-p256` or
/// `ecdsa-p384`.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_set_key_algorithm(
    cluster: Option<&mut kubepki_cluster>,
    algorithm: *const c_char,
    algorithm_len: usize,
) -> Option<Box<kubepki_error>> {
    let algorithm = input!(algorithm, algorithm_len);
    tell(cluster, |cluster| Ok(cluster.key_algorithm(algorithm.parse()?)))
}

/// How many seconds authorities are valid, instead of ten years of 365 days.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_cluster_set_authority_lifetime(
    cluster: Option<&mut kubepki_cluster>,
    lifetime_seconds: u64,
) -> Option<Box<kubepki_error>> {
    tell(cluster, |cluster| Ok(cluster.authority_lifetime(seconds(lifetime_seconds))))
}

/// How many seconds leaves are valid, instead of 365 days. None outlives its authority.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_cluster_set_leaf_lifetime(
    cluster: Option<&mut kubepki_cluster>,
    lifetime_seconds: u64,
) -> Option<Box<kubepki_error>> {
    tell(cluster, |cluster| Ok(cluster.leaf_lifetime(seconds(lifetime_seconds))))
}

/// Whose names certificates and kubeconfigs carry: `documented`, as it is unless this is called, or `kubeadm`.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_set_convention(
    cluster: Option<&mut kubepki_cluster>,
    convention: *const c_char,
    convention_len: usize,
) -> Option<Box<kubepki_error>> {
    let convention = input!(convention, convention_len);
    tell(cluster, |cluster| Ok(cluster.convention(convention.parse()?)))
}

/// The version of kubeadm that the convention `kubeadm` follows where versions differ: `1.36` or `v1.36.3`. Unless this
/// is called, names are those that work with every version.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_set_kubernetes_version(
    cluster: Option<&mut kubepki_cluster>,
    version: *const c_char,
    version_len: usize,
) -> Option<Box<kubepki_error>> {
    let version = input!(version, version_len);
    tell(cluster, |cluster| Ok(cluster.kubernetes_version(version.parse()?)))
}

/// Members of etcd are on machines of their own (`kubepki_node_etcd_member`), with certificates from the same
/// authorities.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_cluster_set_dedicated_etcd(
    cluster: Option<&mut kubepki_cluster>,
) -> Option<Box<kubepki_error>> {
    tell(cluster, |cluster| Ok(cluster.etcd(Etcd::Dedicated)))
}

/// etcd has certificates from elsewhere. The API server is pointed to these files, on each control-plane node: the
/// certificates that it trusts etcd by, its client certificate, and the key of that.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_cluster_set_external_etcd(
    cluster: Option<&mut kubepki_cluster>,
    ca: *const c_char,
    ca_len: usize,
    cert: *const c_char,
    cert_len: usize,
    key: *const c_char,
    key_len: usize,
) -> Option<Box<kubepki_error>> {
    let (ca, cert, key) = (input!(ca, ca_len), input!(cert, cert_len), input!(key, key_len));
    tell(cluster, |cluster| {
        Ok(cluster.etcd(Etcd::External { ca: ca.path()?, cert: cert.path()?, key: key.path()? }))
    })
}

/// The API server calls kubelets with its serving certificate, not with one of its own. Its user then needs
/// `kubepki_manifest_kubelet_api_admin_binding`, and its key opens every kubelet.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_cluster_share_kubelet_client_certificate(
    cluster: Option<&mut kubepki_cluster>,
) -> Option<Box<kubepki_error>> {
    tell(cluster, |cluster| Ok(cluster.kubelet_client_certificate(KubeletClientCertificate::Shared)))
}

/// Gives every node's kubelet a serving certificate, and lets API servers verify kubelets by it. Each node then needs its
/// addresses.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_cluster_verify_kubelets(
    cluster: Option<&mut kubepki_cluster>,
) -> Option<Box<kubepki_error>> {
    tell(cluster, |cluster| Ok(cluster.verify_kubelets()))
}

/// Frees a description. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_cluster_free(cluster: Option<Box<kubepki_cluster>>) {
    free(cluster);
}
