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

    /// Whether such a file holds a secret: who reads it is whom it names.
    pub(crate) fn is_secret(self) -> bool {
        matches!(self, Self::Key | Self::Kubeconfig)
    }
}

/// Where the files of a machine lie: kubeconfigs in one directory, certificates and keys in `pki` below it or in another.
///
/// ```
/// use kubepki::{Layout, Part, Role};
///
/// let layout = Layout::new("/etc/kubernetes").certificates("/etc/kubernetes/ssl");
/// assert_eq!(layout.path(Role::KubernetesCa, Part::Key).unwrap(), std::path::Path::new("/etc/kubernetes/ssl/ca.key"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    directory: PathBuf,
    certificates: PathBuf,
    root: Option<PathBuf>,
}

impl Layout {
    /// The layout in `directory`.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let directory = directory.into();
        Self { certificates: directory.join("pki"), directory, root: None }
    }

    /// Another directory for certificates and keys than `pki` (kubeadm's `certificatesDir`).
    #[must_use]
    pub fn certificates(mut self, directory: impl Into<PathBuf>) -> Self {
        self.certificates = directory.into();
        self
    }

    /// Where to look for everything, a backup or a container's root: `/etc/kubernetes` is then read below `root`, and
    /// no path and no symbolic link in it leads out of it.
    #[must_use]
    pub fn root(mut self, root: impl Into<PathBuf>) -> Self {
        self.root = Some(root.into());
        self
    }

    /// Where a part of a role lies on the machine itself, without the [root](Self::root); `None` when the role has no
    /// such file.
    #[must_use]
    pub fn path(&self, role: Role, part: Part) -> Option<PathBuf> {
        Some(self.absolute(&relative_path(role, part)?))
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The directory of certificates and keys.
    pub(crate) fn certificates_directory(&self) -> &Path {
        &self.certificates
    }

    /// Where a file lies on the machine, by the path below the directory by which the default layout knows it.
    pub(crate) fn absolute(&self, relative: &Path) -> PathBuf {
        match relative.strip_prefix("pki") {
            Ok(below) => self.certificates.join(below),
            Err(_) => self.directory.join(relative),
        }
    }

    pub(crate) fn root_directory(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// Where a part of a role lies, as people know it.
    pub(crate) fn shown_path(&self, role: Role, part: Part) -> Option<PathBuf> {
        Some(self.shown(&self.path(role, part)?))
    }

    /// A path as people know it: below the directory where it is, otherwise as it is.
    pub(crate) fn shown(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.directory).unwrap_or(path).to_owned()
    }
}

impl Default for Layout {
    /// `/etc/kubernetes`.
    fn default() -> Self {
        Self::new("/etc/kubernetes")
    }
}

impl<P: AsRef<Path>> From<P> for Layout {
    fn from(directory: P) -> Self {
        Self::new(directory.as_ref())
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

/// Every file of the table, with its path below the directory.
pub(crate) fn all_files() -> impl Iterator<Item = (Role, Part, PathBuf)> {
    let parts = [Part::Certificate, Part::Key, Part::PublicKey, Part::Kubeconfig];
    Role::all().flat_map(move |role| {
        parts.into_iter().filter_map(move |part| Some((role, part, relative_path(role, part)?)))
    })
}
