//! Authorities as files: how they are carried to another machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{AUTHORITIES, Authorities, Authority, ServiceAccount};
use crate::disk::{Found, find};
use crate::error::{Code, Error, Result};
use crate::file::File;
use crate::issuer::Issuer;
use crate::key::{PrivateKey, PublicKey, Signer};
use crate::layout::{Part, relative_path};
use crate::role::Role;
use crate::x509::{Certificate, to_pem};

impl Authorities {
    /// Everything as files, for another control-plane machine: certificates, the keys that are here, `sa.key` and
    /// `sa.pub`, and what stands above the authorities: the root in `root-ca.crt`, others in `intermediate.crt`.
    ///
    /// The keys are the cluster: carry them over an encrypted channel only.
    #[must_use]
    pub fn files(&self) -> Vec<File> {
        let mut files: Vec<File> = self.iter().flat_map(|(role, _)| self.files_of(role)).collect();
        files.extend(self.files_above());
        if let Some(key) = &self.service_account.signing {
            files.extend(File::new(Role::ServiceAccount, Part::Key, key.to_pem().as_bytes()));
        }
        if !self.service_account.verifying.is_empty() {
            let keys: String = self.service_account.verifying.iter().map(PublicKey::to_pem).collect();
            files.extend(File::new(Role::ServiceAccount, Part::PublicKey, keys));
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
    fn files_above(&self) -> impl Iterator<Item = File> {
        let (mut roots, mut others): (Vec<Certificate>, Vec<Certificate>) = (Vec::new(), Vec::new());
        for certificate in self.authorities.values().flat_map(Authority::above) {
            let list = if certificate.is_self_signed() { &mut roots } else { &mut others };
            if !list.contains(certificate) {
                list.push(certificate.clone());
            }
        }
        let file = |role, certificates: Vec<_>| match certificates.is_empty() {
            true => None,
            false => File::new(role, Part::Certificate, to_pem(&certificates)),
        };
        file(Role::RootCa, roots).into_iter().chain(file(Role::Intermediate, others))
    }

    /// Reads what [`files`](Self::files) gave, or all files of a machine: the path of each, such as `pki/ca.crt`, and
    /// its bytes. Other files are passed over. What a node does not need may be missing; an authority without its key
    /// is an external one.
    ///
    /// # Errors
    ///
    /// [`Code::NoIssuer`] for a key without its certificate, [`Code::NotAnAuthority`] for a certificate that is no
    /// authority's, [`Code::KeyMismatch`] for an sa.pub without the public half of sa.key, and the errors of
    /// [`Certificate::from_pem`], [`PrivateKey::from_pem`] and [`Issuer::new`]; the file is the place.
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
        let mut above = certificates(Role::Intermediate)?.unwrap_or_default();
        above.extend(certificates(Role::RootCa)?.unwrap_or_default());
        let mut authorities = BTreeMap::new();
        for role in AUTHORITIES {
            let Some(trusted) = certificates(role)? else {
                if let Some((path, _)) = key(role)? {
                    let expected = "the certificate of this key beside it";
                    return Err(Error::new(Code::NoIssuer, expected).found("none").file(path));
                }
                continue;
            };
            let mut authority = Authority::from_trusted(trusted, &above)
                .map_err(|error| error.file(relative_path(role, Part::Certificate).unwrap_or_default()))?;
            if let Some((path, key)) = key(role)? {
                let issuer = Issuer::new(authority.chain(), key);
                authority.issuer = Some(issuer.map_err(|error| error.file(path))?);
            }
            authorities.insert(role, authority);
        }
        let mut service_account =
            key(Role::ServiceAccount)?.map(|(_, key)| ServiceAccount::new(key)).unwrap_or_default();
        if let Some((path, pem)) = get(Role::ServiceAccount, Part::PublicKey) {
            let stated = PublicKey::all_from_pem(pem).map_err(|error| error.file(path))?;
            if let Some(own) = service_account.verifying.first().filter(|own| !stated.contains(own)) {
                return Err(Error::new(Code::KeyMismatch, "the public half of sa.key among its keys")
                    .found(format!("no key with the pin {}", own.pin()))
                    .file(path));
            }
            let others = stated.into_iter().filter(|key| !service_account.verifying.contains(key));
            let others: Vec<_> = others.collect();
            service_account.verifying.extend(others);
        }
        Ok(Self { authorities, service_account })
    }

    /// What can be used of what a machine holds: an authority whose certificate cannot is left out, one whose key cannot
    /// is external.
    pub(crate) fn usable<'a>(
        certificates: impl Fn(Role) -> Option<&'a [Certificate]>,
        key: impl Fn(Role) -> Option<Arc<PrivateKey>>,
        stated: &[PublicKey],
    ) -> Self {
        let above = [Role::Intermediate, Role::RootCa].into_iter().filter_map(&certificates);
        let above: Vec<Certificate> = above.flatten().cloned().collect();
        let authority = |role| {
            let mut authority = Authority::from_trusted(certificates(role)?.to_vec(), &above).ok()?;
            authority.issuer = key(role).and_then(|key| Issuer::with_shared_key(authority.chain(), key).ok());
            Some((role, authority))
        };
        let signing = key(Role::ServiceAccount);
        let mut verifying: Vec<PublicKey> = Vec::new();
        for key in signing.iter().map(|key| key.public_key()).chain(stated) {
            if !verifying.contains(key) {
                verifying.push(key.clone());
            }
        }
        let authorities = AUTHORITIES.into_iter().filter_map(authority).collect();
        Self { authorities, service_account: ServiceAccount { signing, verifying } }
    }

    /// Reads the authorities from the directory of a machine's Kubernetes files, such as `/etc/kubernetes`.
    ///
    /// # Errors
    ///
    /// As [`from_files`](Self::from_files), [`Code::NoIssuer`] when there is no authority at all, and [`Code::Io`] when
    /// the directory or a file that is there cannot be read.
    pub fn load(directory: impl AsRef<Path>) -> Result<Self> {
        let directory = directory.as_ref();
        let roles = AUTHORITIES.into_iter().chain([Role::RootCa, Role::Intermediate, Role::ServiceAccount]);
        let paths = roles.flat_map(|role| {
            [Part::Certificate, Part::Key, Part::PublicKey].map(|part| relative_path(role, part))
        });
        let mut files = Vec::new();
        for path in paths.flatten() {
            if let Some(bytes) = read_if_there(&directory.join(&path))? {
                files.push((path, bytes));
            }
        }
        if let (true, Err(error)) = (files.is_empty(), fs::metadata(directory)) {
            return Err(Error::io(directory, "read this directory", &error));
        }
        let this = Self::from_files(files).map_err(|error| error.below(directory))?;
        match this.authorities.is_empty() {
            false => Ok(this),
            true => Err(Error::new(
                Code::NoIssuer,
                "an authority's certificate, such as pki/ca.crt, below this directory",
            )
            .found("none")
            .file(directory)),
        }
    }
}

/// The bytes of a file; `None` when there is none.
fn read_if_there(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>> {
    match find(None, path) {
        Found::Nothing => Ok(None),
        Found::File(file) => Ok(Some(file.bytes)),
        Found::Unreadable(error) => Err(error),
    }
}
