//! kubeadm's configuration files as descriptions.

use std::ffi::{c_char, c_void};

use ::pki::import::KubeadmConfiguration;

use crate::cluster::kubepki_cluster;
use crate::error::{Fail, kubepki_error};
use crate::guard::{change, free, input, make, out, some};
use crate::node::{kubepki_layout, kubepki_node};
use crate::owned::kubepki_list;

/// What kubeadm's configuration says about certificates.
pub struct kubepki_kubeadm(KubeadmConfiguration);

/// Takes over what the caller knows better.
fn tell(
    kubeadm: Option<&mut kubepki_kubeadm>,
    what: impl FnOnce(KubeadmConfiguration) -> Result<KubeadmConfiguration, Fail>,
) -> Option<Box<kubepki_error>> {
    change("kubeadm", kubeadm, |known| {
        known.0 = what(known.0.clone())?;
        Ok(())
    })
}

/// Reads the documents of a configuration file of kubeadm (v1beta3, v1beta4) in YAML or JSON, of at most 1 MiB.
///
/// Threads: any. Free `*out` by `kubepki_kubeadm_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_kubeadm_from_yaml(
    yaml: *const c_void,
    yaml_len: usize,
    out: *mut *mut kubepki_kubeadm,
) -> Option<Box<kubepki_error>> {
    let yaml = input!(yaml, yaml_len);
    make(out!(out), || Ok(kubepki_kubeadm(KubeadmConfiguration::from_yaml(yaml.bytes()?)?)))
}

/// Reads such a file.
///
/// Threads: any. Free `*out` by `kubepki_kubeadm_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_kubeadm_load(
    path: *const c_char,
    path_len: usize,
    out: *mut *mut kubepki_kubeadm,
) -> Option<Box<kubepki_error>> {
    let path = input!(path, path_len);
    make(out!(out), || Ok(kubepki_kubeadm(KubeadmConfiguration::load(path.path()?)?)))
}

/// The node's name, instead of the file's: kubeadm takes the host's where the file has none.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_kubeadm_set_node_name(
    kubeadm: Option<&mut kubepki_kubeadm>,
    name: *const c_char,
    name_len: usize,
) -> Option<Box<kubepki_error>> {
    let name = input!(name, name_len);
    tell(kubeadm, |kubeadm| Ok(kubeadm.node_name(name.parse()?)))
}

/// The IP address at which the node's API server is reached, instead of the file's.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_kubeadm_set_advertise_address(
    kubeadm: Option<&mut kubepki_kubeadm>,
    address: *const c_char,
    address_len: usize,
) -> Option<Box<kubepki_error>> {
    let address = input!(address, address_len);
    tell(kubeadm, |kubeadm| Ok(kubeadm.advertise_address(address.address()?)))
}

/// Where clients reach the API servers, instead of what the file says.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_kubeadm_set_endpoint(
    kubeadm: Option<&mut kubepki_kubeadm>,
    endpoint: *const c_char,
    endpoint_len: usize,
) -> Option<Box<kubepki_error>> {
    let endpoint = input!(endpoint, endpoint_len);
    tell(kubeadm, |kubeadm| Ok(kubeadm.endpoint(endpoint.parse()?)))
}

/// The cluster that it describes.
///
/// Threads: any at once. Free `*out` by `kubepki_cluster_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_kubeadm_cluster(
    kubeadm: Option<&kubepki_kubeadm>,
    out: *mut *mut kubepki_cluster,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(some(kubeadm, "kubeadm")?.0.cluster()?.into()))
}

/// The machine that it describes: that of its JoinConfiguration, otherwise the first one.
///
/// Threads: any at once. Free `*out` by `kubepki_node_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_kubeadm_node(
    kubeadm: Option<&kubepki_kubeadm>,
    out: *mut *mut kubepki_node,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(some(kubeadm, "kubeadm")?.0.node()?.into()))
}

/// The machine of its InitConfiguration, the first one of the cluster.
///
/// Threads: any at once. Free `*out` by `kubepki_node_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_kubeadm_first_node(
    kubeadm: Option<&kubepki_kubeadm>,
    out: *mut *mut kubepki_node,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(some(kubeadm, "kubeadm")?.0.first_node()?.into()))
}

/// Where kubeadm has the files of the machine.
///
/// Threads: any at once. Free `*out` by `kubepki_layout_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_kubeadm_layout(
    kubeadm: Option<&kubepki_kubeadm>,
    out: *mut *mut kubepki_layout,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_layout(some(kubeadm, "kubeadm")?.0.layout())))
}

/// What in it has no effect, or not the one that was meant, for people.
///
/// Threads: any at once. Free `*out` by `kubepki_list_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_kubeadm_remarks(
    kubeadm: Option<&kubepki_kubeadm>,
    out: *mut *mut kubepki_list,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_list::new(some(kubeadm, "kubeadm")?.0.remarks())))
}

/// Frees a configuration. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_kubeadm_free(kubeadm: Option<Box<kubepki_kubeadm>>) {
    free(kubeadm);
}
