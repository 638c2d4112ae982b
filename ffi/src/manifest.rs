//! Kubernetes objects, to be applied to a cluster or written into a file.

use ::pki::manifest::{self, Manifest};
use zeroize::Zeroizing;

use crate::cluster::kubepki_cluster;
use crate::error::kubepki_error;
use crate::guard::{free, kubepki_text, look, make, out};
use crate::node::{kubepki_layout, kubepki_node};
use crate::pki::described;

/// A Kubernetes object. It may hold a secret: it is overwritten when it is freed.
pub struct kubepki_manifest {
    yaml: Zeroizing<String>,
    json: Zeroizing<String>,
}

impl From<Manifest> for kubepki_manifest {
    fn from(manifest: Manifest) -> Self {
        Self { yaml: manifest.to_yaml(), json: manifest.to_json() }
    }
}

/// The object as YAML.
///
/// Threads: any at once. The view lives as long as the object.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_manifest_yaml(manifest: Option<&kubepki_manifest>) -> kubepki_text {
    look(manifest, |manifest| manifest.yaml.as_str().into())
}

/// The object as JSON.
///
/// Threads: any at once. The view lives as long as the object.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_manifest_json(manifest: Option<&kubepki_manifest>) -> kubepki_text {
    look(manifest, |manifest| manifest.json.as_str().into())
}

/// Frees an object. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_manifest_free(manifest: Option<Box<kubepki_manifest>>) {
    free(manifest);
}

/// The ClusterRoleBinding that gives the user of admin.conf its power.
///
/// Threads: any. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_cluster_admins_binding(
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(manifest::cluster_admins_binding().into()))
}

/// The ClusterRoleBinding that the API server needs to call kubelets where its client certificate has no group: with the
/// convention `kubeadm` from version 1.36 on.
///
/// Threads: any. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_apiserver_kubelet_client_binding(
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(manifest::apiserver_kubelet_client_binding().into()))
}

/// The ClusterRoleBinding that the API server needs to call kubelets with its serving certificate.
///
/// Threads: any. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_kubelet_api_admin_binding(
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(manifest::kubelet_api_admin_binding().into()))
}

/// The fields of a KubeletConfiguration that name a machine's files, which lie where `layout` says, or when that is NULL,
/// in `/etc/kubernetes`.
///
/// Threads: any at once. Free `*out` by `kubepki_manifest_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_manifest_kubelet_configuration(
    cluster: Option<&kubepki_cluster>,
    node: Option<&kubepki_node>,
    layout: Option<&kubepki_layout>,
    out: *mut *mut kubepki_manifest,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(manifest::kubelet_configuration(&described(cluster, node, layout)?).into()))
}
