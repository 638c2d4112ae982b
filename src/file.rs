//! [`File`]: one file of a machine, in memory.

use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::Result;
use crate::key::{PrivateKey, PublicKey, Signer};
use crate::layout::{Part, relative_path};
use crate::role::Role;
use crate::x509::Certificate;

/// One file: what it is, where it belongs, its bytes and its mode.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    role: Role,
    part: Part,
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
    mode: u32,
}

impl File {
    /// `None` when the role has no such file.
    pub(crate) fn new(role: Role, part: Part, text: impl AsRef<[u8]>) -> Option<Self> {
        let bytes = Zeroizing::new(text.as_ref().to_vec());
        Some(Self { role, part, path: relative_path(role, part)?, bytes, mode: part.mode() })
    }

    /// The role that it belongs to.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// What it holds.
    #[must_use]
    pub fn part(&self) -> Part {
        self.part
    }

    /// Its path below the directory of the machine's Kubernetes files: `pki/apiserver.crt`, `admin.conf`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its bytes: PEM or YAML.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its mode: as it was found, and otherwise 0600 for everything but certificates, which are 0644.
    #[must_use]
    pub fn mode(&self) -> u32 {
        self.mode
    }
}

impl File {
    /// A file as it was received.
    pub(crate) fn received(
        role: Role,
        part: Part,
        path: PathBuf,
        bytes: Zeroizing<Vec<u8>>,
        mode: u32,
    ) -> Self {
        Self { role, part, path, bytes, mode }
    }

    /// The same file with other bytes.
    pub(crate) fn with_bytes(self, bytes: impl AsRef<[u8]>) -> Self {
        Self { bytes: Zeroizing::new(bytes.as_ref().to_vec()), ..self }
    }

    /// The same file with another mode.
    pub(crate) fn with_mode(self, mode: u32) -> Self {
        Self { mode, ..self }
    }

    /// Whether other bytes say the same: the same certificates, or the same key, in whatever form.
    pub(crate) fn has_contents(&self, bytes: &[u8]) -> bool {
        let same = |one: Result<bool>| one.unwrap_or(false);
        bytes == self.bytes()
            || match self.part {
                Part::Certificate => same(
                    Certificate::from_pem(bytes)
                        .and_then(|own| Ok(own == Certificate::from_pem(self.bytes())?)),
                ),
                Part::Key => same(PrivateKey::from_pem(bytes).and_then(|own| {
                    Ok(own.public_key() == PrivateKey::from_pem(self.bytes())?.public_key())
                })),
                Part::PublicKey => same(
                    PublicKey::all_from_pem(bytes)
                        .and_then(|own| Ok(own == PublicKey::all_from_pem(self.bytes())?)),
                ),
                Part::Kubeconfig => false,
            }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({}, {} bytes, {:o})", self.path.display(), self.bytes.len(), self.mode())
    }
}
