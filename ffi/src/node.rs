//! One machine of a cluster, and where its files lie.

use std::ffi::c_char;
use std::net::IpAddr;

use ::pki::{Cluster, Layout, Node, San};

use crate::cluster::kubepki_cluster;
use crate::error::{Fail, kubepki_error};
use crate::guard::{change, free, input, make, out, some};
use crate::owned::{kubepki_buffer, part};

/// The description of one machine.
pub struct kubepki_node {
    pub(crate) node: Node,
    addresses: Vec<IpAddr>,
    front_proxy_names: Vec<San>,
}

impl From<Node> for kubepki_node {
    fn from(node: Node) -> Self {
        Self { node, addresses: Vec::new(), front_proxy_names: Vec::new() }
    }
}

/// Both descriptions, which must be there.
pub(crate) fn described<'a>(
    cluster: Option<&'a kubepki_cluster>,
    node: Option<&'a kubepki_node>,
) -> Result<(&'a Cluster, &'a Node), Fail> {
    Ok((&some(cluster, "cluster")?.cluster, &some(node, "node")?.node))
}

/// A control-plane node: its name, and the IP address at which others reach its API server and its member of etcd.
///
/// Threads: any. Free `*out` by `kubepki_node_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_node_control_plane(
    name: *const c_char,
    name_len: usize,
    address: *const c_char,
    address_len: usize,
    out: *mut *mut kubepki_node,
) -> Option<Box<kubepki_error>> {
    let (name, address) = (input!(name, name_len), input!(address, address_len));
    make(out!(out), || Ok(Node::control_plane(name.parse()?, address.address()?).into()))
}

/// A worker.
///
/// Threads: any. Free `*out` by `kubepki_node_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_node_worker(
    name: *const c_char,
    name_len: usize,
    out: *mut *mut kubepki_node,
) -> Option<Box<kubepki_error>> {
    let name = input!(name, name_len);
    make(out!(out), || Ok(Node::worker(name.parse()?).into()))
}

/// A machine for a member of etcd alone, and the IP address at which others reach it.
///
/// Threads: any. Free `*out` by `kubepki_node_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_node_etcd_member(
    name: *const c_char,
    name_len: usize,
    address: *const c_char,
    address_len: usize,
    out: *mut *mut kubepki_node,
) -> Option<Box<kubepki_error>> {
    let (name, address) = (input!(name, name_len), input!(address, address_len));
    make(out!(out), || Ok(Node::etcd_member(name.parse()?, address.address()?).into()))
}

/// Adds an IP address at which API servers call this node's kubelet, which then gets a serving certificate. The first
/// one that is added takes the place of those that were there before.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_node_add_address(
    node: Option<&mut kubepki_node>,
    address: *const c_char,
    address_len: usize,
) -> Option<Box<kubepki_error>> {
    let address = input!(address, address_len);
    change("node", node, |known| {
        known.addresses.push(address.address()?);
        known.node = known.node.clone().addresses(known.addresses.iter().copied());
        Ok(())
    })
}

/// Adds a subject alternative name, a DNS name or an IP address, to one of this node's serving certificates:
/// `kube-apiserver`, `etcd-server`, `etcd-peer`, `kubelet-server` or `front-proxy-server`.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_node_add_san(
    node: Option<&mut kubepki_node>,
    role: *const c_char,
    role_len: usize,
    san: *const c_char,
    san_len: usize,
) -> Option<Box<kubepki_error>> {
    let (role, san) = (input!(role, role_len), input!(san, san_len));
    change("node", node, |known| {
        known.node = known.node.clone().san(role.parse()?, san.parse()?);
        Ok(())
    })
}

/// Asks for a kubeconfig of kube-proxy.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_node_ask_for_kube_proxy(
    node: Option<&mut kubepki_node>,
) -> Option<Box<kubepki_error>> {
    change("node", node, |known| {
        known.node = known.node.clone().kube_proxy();
        Ok(())
    })
}

/// Asks for a serving certificate of a front proxy on this control-plane node with this name, a DNS name or an IP
/// address; call it for each name. The first one takes the place of those that were there before.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_node_add_front_proxy_name(
    node: Option<&mut kubepki_node>,
    name: *const c_char,
    name_len: usize,
) -> Option<Box<kubepki_error>> {
    let name = input!(name, name_len);
    change("node", node, |known| {
        known.front_proxy_names.push(name.parse()?);
        known.node = known.node.clone().front_proxy_server(known.front_proxy_names.iter().cloned());
        Ok(())
    })
}

/// The port on which this node's API server listens.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_node_set_bind_port(
    node: Option<&mut kubepki_node>,
    port: u16,
) -> Option<Box<kubepki_error>> {
    change("node", node, |known| {
        known.node = known.node.clone().bind_port(port);
        Ok(())
    })
}

/// Frees a description. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_node_free(node: Option<Box<kubepki_node>>) {
    free(node);
}

/// Where the files of a machine lie: kubeconfigs in one directory, certificates and keys in `pki` below it or elsewhere.
pub struct kubepki_layout(pub(crate) Layout);

/// The layout in `directory`, such as `/etc/kubernetes`.
///
/// Threads: any. Free `*out` by `kubepki_layout_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_layout_new(
    directory: *const c_char,
    directory_len: usize,
    out: *mut *mut kubepki_layout,
) -> Option<Box<kubepki_error>> {
    let directory = input!(directory, directory_len);
    make(out!(out), || Ok(kubepki_layout(Layout::new(directory.path()?))))
}

/// Another directory for certificates and keys than `pki` (kubeadm's `certificatesDir`).
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_layout_set_certificates(
    layout: Option<&mut kubepki_layout>,
    directory: *const c_char,
    directory_len: usize,
) -> Option<Box<kubepki_error>> {
    let directory = input!(directory, directory_len);
    change("layout", layout, |known| {
        known.0 = known.0.clone().certificates(directory.path()?);
        Ok(())
    })
}

/// Looks for everything below `root`, the root of a backup or of a container; no path and no symbolic link leads out.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_layout_set_root(
    layout: Option<&mut kubepki_layout>,
    root: *const c_char,
    root_len: usize,
) -> Option<Box<kubepki_error>> {
    let root = input!(root, root_len);
    change("layout", layout, |known| {
        known.0 = known.0.clone().root(root.path()?);
        Ok(())
    })
}

/// Where a part of a role lies on the machine: `certificate`, `key`, `public-key` or `kubeconfig`.
/// `KUBEPKI_ERROR_ABSENT` when the role has no such file.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_layout_path(
    layout: Option<&kubepki_layout>,
    role: *const c_char,
    role_len: usize,
    part_name: *const c_char,
    part_name_len: usize,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    let (role, part_name) = (input!(role, role_len), input!(part_name, part_name_len));
    make(out!(out), || {
        let (role, part) = (role.parse()?, part(part_name.text()?)?);
        let path = some(layout, "layout")?.0.path(role, part);
        let path = path.ok_or_else(|| kubepki_error::none_of(role, "a file of this part"))?;
        Ok(kubepki_buffer::new(path.display().to_string()))
    })
}

/// Frees a layout. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_layout_free(layout: Option<Box<kubepki_layout>>) {
    free(layout);
}
