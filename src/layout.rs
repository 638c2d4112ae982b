//! [`Layout`]: where the files of a machine lie.

use std::path::{Path, PathBuf};

use crate::role::Role;
use crate::role::table::Files;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Part {
    /// Certificates in PEM.
    Certificate,
    /// A private key in PEM.
    Key,
    /// A public key in PEM: sa.pub.
    PublicKey,
    /// A kubeconfig.
    Kubeconfig,
}

impl Part {
    /// The mode of such a file, as kubeadm sets it: only certificates may be read by others.
    #[must_use]
    pub fn mode(self) -> u32 {
        match self {
            Self::Certificate => 0o644,
            Self::Key | Self::PublicKey | Self::Kubeconfig => 0o600,
        }
    }
}

/// The directory of a machine's Kubernetes files: kubeconfigs are in it, certificates and keys in `pki` below it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    directory: PathBuf,
}

impl Layout {
    /// The layout in `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Where a part of a role lies; `None` when the role has no such file.
    #[must_use]
    pub fn path(&self, role: Role, part: Part) -> Option<PathBuf> {
        Some(self.directory.join(relative_path(role, part)?))
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Default for Layout {
    /// `/etc/kubernetes`.
    fn default() -> Self {
        Self::new("/etc/kubernetes")
    }
}

/// Where a part of a role lies below the directory of a machine's Kubernetes files.
pub(crate) fn relative_path(role: Role, part: Part) -> Option<PathBuf> {
    let path = match (role.row().files, part) {
        (Files::Certificate(stem) | Files::Pair(stem), Part::Certificate) => format!("pki/{stem}.crt"),
        (Files::Pair(stem) | Files::KeyPair(stem), Part::Key) => format!("pki/{stem}.key"),
        (Files::KeyPair(stem), Part::PublicKey) => format!("pki/{stem}.pub"),
        (Files::Kubeconfig { file, .. }, Part::Kubeconfig) => file.to_owned(),
        _ => return None,
    };
    Some(path.into())
}
