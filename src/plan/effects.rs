//! Which components take up changed files by themselves, and which must restart.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{Action, Step};
use crate::arguments::Component;
use crate::expected::Expected;
use crate::layout::{Layout, Part};
use crate::role::Role;

/// A component that reads changed files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    component: &'static str,
    files: Vec<PathBuf>,
}

impl Effect {
    /// The name of the component: `kube-apiserver`, as [`Component::id`] has it, or `kube-proxy`.
    #[must_use]
    pub fn component(&self) -> &str {
        self.component
    }

    /// Because of which files.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(PathBuf::as_path)
    }
}

impl fmt::Display for Effect {
    /// `kube-scheduler (scheduler.conf)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: Vec<_> = self.files().map(|file| file.display().to_string()).collect();
        write!(f, "{} ({})", self.component, files.join(", "))
    }
}

/// The arguments whose files a component reads once, at its start; it looks after all others by itself,
/// within a minute or at the next handshake.
///
/// Sources: kubernetes/kubernetes, staging/src/k8s.io/apiserver (`dynamiccertificates`),
/// cmd/kube-controller-manager and client-go; etcd-io/etcd, client/pkg/transport (`listener.go`, `TLSInfo`).
/// Tried with Kubernetes 1.20 and etcd 3.4.
const READ_ONCE: &[(Component, &[&str])] = &[
    (
        Component::ApiServer,
        &[
            "etcd-cafile",
            "kubelet-certificate-authority",
            "service-account-key-file",
            "service-account-signing-key-file",
        ],
    ),
    (
        Component::ControllerManager,
        &[
            "root-ca-file",
            "service-account-private-key-file",
            "kubeconfig",
            "authentication-kubeconfig",
            "authorization-kubeconfig",
        ],
    ),
    (Component::Scheduler, &["kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig"]),
    // The kubelet looks after its serving certificate from 1.31 on.
    (Component::Kubelet, &["kubeconfig", "tls-cert-file", "tls-private-key-file"]),
    // Member by member.
    (Component::Etcd, &["trusted-ca-file", "peer-trusted-ca-file"]),
    (Component::Etcdctl, &[]),
];

/// What stands on a node on request, and who reads it at its start.
const ON_REQUEST: &[(Role, &str)] = &[(Role::KubeProxy, "kube-proxy"), (Role::KubeletServer, "kubelet")];

/// Who reloads, and who must restart, which then is all that is said about it.
pub(super) fn of(steps: &[Step], expected: &Expected, layout: &Layout) -> (Vec<Effect>, Vec<Effect>) {
    let is_new = |step: &&Step| !matches!(step.action, Action::CutTrailingData | Action::SetMode(_));
    let changed: Vec<(Role, Part)> = steps
        .iter()
        .filter(is_new)
        .flat_map(|step| step.files.iter().map(|(role, part, _)| (*role, *part)))
        .collect();
    let (mut reloads, mut restarts) = (Vec::new(), Vec::new());
    for (component, read_once) in READ_ONCE {
        // etcdctl starts anew each time.
        if *component == Component::Etcdctl {
            continue;
        }
        let given = expected.given_files(*component);
        let given = given.iter().filter(|(_, role, part)| changed.contains(&(*role, *part)));
        let (once, always): (Vec<_>, Vec<_>) = given.partition(|(name, ..)| read_once.contains(name));
        let path = |(_, role, part): &(&str, Role, Part)| layout.shown_path(*role, *part);
        match once.is_empty() {
            true => add(&mut reloads, component.id(), always.into_iter().filter_map(path)),
            false => add(&mut restarts, component.id(), once.into_iter().filter_map(path)),
        }
    }
    for (role, component) in ON_REQUEST {
        let changed = changed.iter().filter(|(changed, _)| changed == role);
        add(&mut restarts, component, changed.filter_map(|(role, part)| layout.shown_path(*role, *part)));
    }
    reloads.retain(|reload| !restarts.iter().any(|restart| restart.component == reload.component));
    (reloads, restarts)
}

fn add(effects: &mut Vec<Effect>, component: &'static str, files: impl Iterator<Item = PathBuf>) {
    for file in files {
        match effects.iter_mut().find(|effect| effect.component == component) {
            None => effects.push(Effect { component, files: vec![file] }),
            Some(effect) if effect.files.contains(&file) => {}
            Some(effect) => effect.files.push(file),
        }
    }
}
