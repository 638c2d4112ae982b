//! Authorities as files: how they are carried to another machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{AUTHORITIES, Authorities, Authority};
use crate::error::{Error, Result};
use crate::issuer::Issuer;
use crate::key::{PrivateKey, Signer};
use crate::layout::{Part, relative_path};
use crate::pki::File;
use crate::role::Role;
use crate::x509::{Certificate, to_pem};

impl Authorities {
    /// Everything as files, for another control-plane machine: certificates, the keys that are here, `sa.key` and
    /// `sa.pub`, and `root-ca.crt` where something stands above the authorities.
    ///
    /// The keys are the cluster: carry them over an encrypted channel only.
    #[must_use]
    pub fn files(&self) -> Vec<File> {
        let mut files: Vec<File> = self.iter().flat_map(|(role, _)| self.files_of(role)).collect();
        files.extend(self.root_file());
        if let Some(key) = &self.service_account {
            files.extend(File::new(Role::ServiceAccount, Part::Key, key.to_pem().as_bytes()));
            files.extend(File::new(Role::ServiceAccount, Part::PublicKey, key.public_key().to_pem()));
        }
        files
    }

    /// The certificate of one authority, and its key if that is here.
    fn files_of(&self, role: Role) -> impl Iterator<Item = File> {
        let authority = self.get(role);
        let certificate =
            authority.and_then(|authority| File::new(role, Part::Certificate, authority.trusted_pem()));
        let key = authority.and_then(|authority| authority.issuer()?.private_key());
        let key = key.and_then(|key| File::new(role, Part::Key, key.to_pem().as_bytes()));
        certificate.into_iter().chain(key)
    }

    /// What stands above the authorities, each certificate once.
    fn root_file(&self) -> Option<File> {
        let mut above: Vec<Certificate> = Vec::new();
        for certificate in self.authorities.values().flat_map(Authority::above) {
            if !above.contains(certificate) {
                above.push(certificate.clone());
            }
        }
        if above.is_empty() { None } else { File::new(Role::RootCa, Part::Certificate, to_pem(&above)) }
    }

    /// Reads what [`files`](Self::files) gave, or all files of a machine: the path of each, such as `pki/ca.crt`, and
    /// its bytes. Other files are passed over. What a node does not need may be missing; an authority without its key
    /// is an external one.
    ///
    /// # Errors
    ///
    /// An error of [`Certificate::from_pem`], [`PrivateKey::from_pem`] or [`Issuer::new`], with the file as its place.
    pub fn from_files<P: AsRef<Path>, B: AsRef<[u8]>>(
        files: impl IntoIterator<Item = (P, B)>,
    ) -> Result<Self> {
        let files: Vec<(P, B)> = files.into_iter().collect();
        let get = |role, part| {
            let path = relative_path(role, part)?;
            files
                .iter()
                .find(|(known, _)| known.as_ref() == path)
                .map(|(path, bytes)| (path.as_ref(), bytes.as_ref()))
        };
        let certificates = |role| match get(role, Part::Certificate) {
            Some((path, pem)) => Certificate::from_pem(pem).map(Some).map_err(|error| error.file(path)),
            None => Ok(None),
        };
        let key = |role| match get(role, Part::Key) {
            Some((path, pem)) => {
                PrivateKey::from_pem(pem).map(|key| Some((path, key))).map_err(|error| error.file(path))
            }
            None => Ok(None),
        };
        let above = certificates(Role::RootCa)?.unwrap_or_default();
        let mut authorities = BTreeMap::new();
        for role in AUTHORITIES {
            let Some(trusted) = certificates(role)? else { continue };
            let mut authority = Authority { above: chain_above(&trusted, &above), trusted, issuer: None };
            if let Some((path, key)) = key(role)? {
                let chain =
                    std::iter::once(authority.certificate()).chain(&authority.above).cloned().collect();
                authority.issuer = Some(Issuer::new(chain, key).map_err(|error| error.file(path))?);
            }
            authorities.insert(role, authority);
        }
        let service_account = key(Role::ServiceAccount)?.map(|(_, key)| Arc::new(key));
        Ok(Self { authorities, service_account })
    }

    /// Reads the authorities from the directory of a machine's Kubernetes files, such as `/etc/kubernetes`.
    ///
    /// # Errors
    ///
    /// As [`from_files`](Self::from_files), and [`Code::Io`](crate::Code::Io) when a file that is there cannot be read.
    pub fn load(directory: impl AsRef<Path>) -> Result<Self> {
        let directory = directory.as_ref();
        let roles = AUTHORITIES.into_iter().chain([Role::RootCa, Role::ServiceAccount]);
        let paths =
            roles.flat_map(|role| [Part::Certificate, Part::Key].map(|part| relative_path(role, part)));
        let mut files = Vec::new();
        for path in paths.flatten() {
            let full = directory.join(&path);
            match fs::read(&full) {
                Ok(bytes) => files.push((path, Zeroizing::new(bytes))),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(Error::io(&full, "read this file", &error)),
            }
        }
        Self::from_files(files)
    }
}

/// The certificates above an authority, nearest first, picked from those that stand above any.
fn chain_above(trusted: &[Certificate], candidates: &[Certificate]) -> Vec<Certificate> {
    let mut chain: Vec<Certificate> = Vec::new();
    while let Some(last) = chain.last().or(trusted.first())
        && let Some(parent) = candidates.iter().find(|it| last.check_issued_by(it).is_ok() && *it != last)
        && !chain.contains(parent)
    {
        chain.push(parent.clone());
    }
    chain
}
