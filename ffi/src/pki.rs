//! What one machine holds, in memory and on disk.

use std::ffi::c_char;
use std::sync::Arc;

use ::pki::{Pki, Store, Time};

use crate::authorities::kubepki_authorities;
use crate::cluster::kubepki_cluster;
use crate::credential::kubepki_credential;
use crate::error::kubepki_error;
use crate::guard::{change, free, guard, handles, input, make, out, some};
use crate::node::{described, kubepki_layout, kubepki_node};
use crate::owned::{kubepki_buffer, kubepki_files, kubepki_list};
use crate::signer::kubepki_signer;

/// What one machine holds: credentials and files.
pub struct kubepki_pki(pub(crate) Pki);

/// Makes a new cluster's authorities, and all that its first control-plane node holds.
///
/// Threads: any at once. Free `*out` by `kubepki_pki_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_pki_create(
    cluster: Option<&kubepki_cluster>,
    node: Option<&kubepki_node>,
    now: i64,
    out: *mut *mut kubepki_pki,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let (cluster, node) = described(cluster, node)?;
        Ok(kubepki_pki(Pki::create(cluster, node, Time::from_unix(now)?)?))
    })
}

/// Reads what a machine's directory holds, whatever that is: files that are missing or cannot be read are for an audit
/// to report. Only a directory that cannot be read makes it fail.
///
/// Threads: any at once. Free `*out` by `kubepki_pki_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_pki_load(
    layout: Option<&kubepki_layout>,
    out: *mut *mut kubepki_pki,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_pki(Pki::load(some(layout, "layout")?.0.clone())?)))
}

/// Takes the files of a machine from memory; likewise, no file makes it fail.
///
/// Threads: any at once. Free `*out` by `kubepki_pki_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_pki_from_files(
    files: Option<&kubepki_files>,
    out: *mut *mut kubepki_pki,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_pki(Pki::from_files(some(files, "files")?.contents()))))
}

/// The machine's files, authorities first, then in the order of the role table.
///
/// Threads: any at once. Free `*out`, which is a copy, by `kubepki_files_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_pki_files(
    pki: Option<&kubepki_pki>,
    out: *mut *mut kubepki_files,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_files::new(some(pki, "pki")?.0.files())))
}

/// Writes every file, with its mode; directories are made as needed. None that is there is replaced: when one differs,
/// nothing is written at all.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_pki_save(
    pki: Option<&kubepki_pki>,
    layout: Option<&kubepki_layout>,
) -> Option<Box<kubepki_error>> {
    guard(|| Ok(some(pki, "pki")?.0.save(some(layout, "layout")?.0.clone())?))
}

/// Writes the files of several machines, each where the layout of the same position says: all of them, or when one file
/// cannot be written or differs from one that is there, none.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_pki_save_all(
    pkis: *const *const kubepki_pki,
    layouts: *const *const kubepki_layout,
    count: usize,
) -> Option<Box<kubepki_error>> {
    guard(|| {
        // SAFETY: the header asks for so many handles in each, for the time of the call, or NULL.
        let pkis = unsafe { handles("pkis", pkis, count) }?;
        // SAFETY: likewise.
        let layouts = unsafe { handles("layouts", layouts, count) }?;
        let machines = layouts.iter().zip(pkis).map(|(layout, pki)| (layout.0.clone(), &pki.0));
        Ok(Pki::save_all(machines)?)
    })
}

/// The authorities as the machine holds them: on a control-plane node with their keys, elsewhere only the certificates
/// that it needs.
///
/// Threads: any at once. Free `*out`, which is a copy, by `kubepki_authorities_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_pki_authorities(
    pki: Option<&kubepki_pki>,
    out: *mut *mut kubepki_authorities,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_authorities(some(pki, "pki")?.0.authorities().clone())))
}

/// Lets `signer` sign for an authority whose key is not here: `kubernetes-ca`, `etcd-ca` or `front-proxy-ca`.
///
/// Threads: one at a time. The signer is kept as long as anything signs by it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_pki_attach(
    pki: Option<&mut kubepki_pki>,
    role: *const c_char,
    role_len: usize,
    signer: Option<&kubepki_signer>,
) -> Option<Box<kubepki_error>> {
    let role = input!(role, role_len);
    change("pki", pki, |pki| Ok(pki.0.attach(role.parse()?, Arc::clone(&some(signer, "signer")?.0))?))
}

/// The credential of a role, also of those that lie in a kubeconfig. `KUBEPKI_ERROR_ABSENT` when there is none.
///
/// Threads: any at once. Free `*out`, which is a copy, by `kubepki_credential_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_pki_credential(
    pki: Option<&kubepki_pki>,
    role: *const c_char,
    role_len: usize,
    out: *mut *mut kubepki_credential,
) -> Option<Box<kubepki_error>> {
    let role = input!(role, role_len);
    make(out!(out), || {
        let role = role.parse()?;
        let credential = some(pki, "pki")?.0.credential(role).cloned();
        Ok(credential.ok_or_else(|| kubepki_error::none_of(role, "its credential on this machine"))?.into())
    })
}

/// The cluster, for the kubeconfig of a user: as it was described, or where the machine was loaded, as far as its files
/// tell. That is no whole description, so an audit or a plan by what the files tell is asked for by NULL, not by this.
/// `KUBEPKI_ERROR_ABSENT` where they do not tell the endpoint.
///
/// Threads: any at once. Free `*out`, which is a copy, by `kubepki_cluster_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_pki_cluster(
    pki: Option<&kubepki_pki>,
    out: *mut *mut kubepki_cluster,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let cluster = some(pki, "pki")?.0.expected().cluster().cloned();
        Ok(cluster.ok_or_else(|| kubepki_error::absent("cluster", "files that tell the endpoint"))?.into())
    })
}

/// The arguments by which a component (`kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `kubelet`, `etcd`,
/// `etcdctl`) is given this machine's files: each `--NAME=VALUE`. A machine that was made here has its files in
/// `/etc/kubernetes`, one that was loaded where they are.
///
/// Threads: any at once. Free `*out` by `kubepki_list_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_pki_arguments(
    pki: Option<&kubepki_pki>,
    component: *const c_char,
    component_len: usize,
    out: *mut *mut kubepki_list,
) -> Option<Box<kubepki_error>> {
    let component = input!(component, component_len);
    make(out!(out), || Ok(kubepki_list::new(some(pki, "pki")?.0.expected().arguments(component.parse()?))))
}

/// The trust tree, for people: each authority, and under it what it signed.
///
/// Threads: any at once. Free `*out` by `kubepki_buffer_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_pki_tree(
    pki: Option<&kubepki_pki>,
    out: *mut *mut kubepki_buffer,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_buffer::new(some(pki, "pki")?.0.tree().to_string())))
}

/// Frees what a machine holds; keys are overwritten. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_pki_free(pki: Option<Box<kubepki_pki>>) {
    free(pki);
}

/// A directory under a lock, from loading to committing.
pub struct kubepki_store(Store);

/// Locks a directory, such as `/etc/kubernetes`; it is made if it is not there. `KUBEPKI_ERROR_LOCKED` when another
/// store has it open.
///
/// Threads: any at once. Free `*out` by `kubepki_store_free`, which unlocks.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_store_open(
    layout: Option<&kubepki_layout>,
    out: *mut *mut kubepki_store,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_store(Store::open(some(layout, "layout")?.0.clone())?)))
}

/// Reads what the directory holds, as `kubepki_pki_load` does.
///
/// Threads: any at once. Free `*out` by `kubepki_pki_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_store_load(
    store: Option<&kubepki_store>,
    out: *mut *mut kubepki_pki,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_pki(some(store, "store")?.0.load()?)))
}

/// Writes what has changed in `pki` since it was loaded or made, and nothing else: all of it, or when one file cannot be
/// written, none. `KUBEPKI_ERROR_CHANGED` when a file is no longer what was loaded.
///
/// Threads: one at a time for each `pki`.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_store_commit(
    store: Option<&kubepki_store>,
    pki: Option<&mut kubepki_pki>,
) -> Option<Box<kubepki_error>> {
    change("pki", pki, |pki| Ok(some(store, "store")?.0.commit(&mut pki.0)?))
}

/// Unlocks the directory. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_store_free(store: Option<Box<kubepki_store>>) {
    free(store);
}
