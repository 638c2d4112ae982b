//! What one described machine must hold.

use std::ffi::c_char;

use ::pki::{Expected, Role};

use crate::cluster::kubepki_cluster;
use crate::error::kubepki_error;
use crate::guard::{change, free, input, make, out, some};
use crate::node::{described, kubepki_layout, kubepki_node};
use crate::owned::kubepki_list;

/// All that one node of a cluster must hold, by their descriptions.
pub struct kubepki_expected(pub(crate) Expected);

/// What follows from the descriptions of a cluster and one of its nodes. super-admin.conf is not expected: only the first
/// node of a cluster has it.
///
/// Threads: any at once. Both descriptions are copied. Free `*out` by `kubepki_expected_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_expected_new(
    cluster: Option<&kubepki_cluster>,
    node: Option<&kubepki_node>,
    out: *mut *mut kubepki_expected,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let (cluster, node) = described(cluster, node)?;
        Ok(kubepki_expected(Expected::new(cluster, node)))
    })
}

/// What follows for the first control-plane node of a cluster: super-admin.conf as well.
///
/// Threads: any at once. Both descriptions are copied. Free `*out` by `kubepki_expected_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_expected_first(
    cluster: Option<&kubepki_cluster>,
    node: Option<&kubepki_node>,
    out: *mut *mut kubepki_expected,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let (cluster, node) = described(cluster, node)?;
        Ok(kubepki_expected(Expected::first(cluster, node)))
    })
}

/// Another place for the files than `/etc/kubernetes`, for arguments.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_expected_set_layout(
    expected: Option<&mut kubepki_expected>,
    layout: Option<&kubepki_layout>,
) -> Option<Box<kubepki_error>> {
    change("expected", expected, |known| {
        known.0 = known.0.clone().layout(some(layout, "layout")?.0.clone());
        Ok(())
    })
}

/// Says that the key of an authority is not on the node: no audit misses it there. For `kubernetes-ca`,
/// kube-controller-manager is then not told to sign with it.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_expected_add_external(
    expected: Option<&mut kubepki_expected>,
    role: *const c_char,
    role_len: usize,
) -> Option<Box<kubepki_error>> {
    let role = input!(role, role_len);
    change("expected", expected, |known| {
        let role: Role = role.parse()?;
        if !role.is_authority() {
            return Err(kubepki_error::invalid("role", "that of an authority", role.id()));
        }
        known.0 = known.0.clone().external(role);
        Ok(())
    })
}

/// The roles of the machine's own certificates, without the authorities', in the order of the role table.
///
/// Threads: any at once. Free `*out` by `kubepki_list_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_expected_roles(
    expected: Option<&kubepki_expected>,
    out: *mut *mut kubepki_list,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        Ok(kubepki_list::new(some(expected, "expected")?.0.profiles().map(|profile| profile.role().id())))
    })
}

/// The arguments by which a component (`kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `kubelet`, `etcd`,
/// `etcdctl`) is given the machine's files: each `--NAME=VALUE`.
///
/// Threads: any at once. Free `*out` by `kubepki_list_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_expected_arguments(
    expected: Option<&kubepki_expected>,
    component: *const c_char,
    component_len: usize,
    out: *mut *mut kubepki_list,
) -> Option<Box<kubepki_error>> {
    let component = input!(component, component_len);
    make(out!(out), || Ok(kubepki_list::new(some(expected, "expected")?.0.arguments(component.parse()?))))
}

/// Frees it. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_expected_free(expected: Option<Box<kubepki_expected>>) {
    free(expected);
}
