//! [`Held`]: what a machine's files say about one role, read once for the audit and the plan.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Pki;
use super::load::{Contents, Reference};
use crate::error::{Code, Error};
use crate::file::File;
use crate::finding::{Finding, FindingId, Findings, Severity};
use crate::key::{PrivateKey, PublicKey};
use crate::kubeconfig::Kubeconfig;
use crate::layout::Part;
use crate::pem;
use crate::role::Role;
use crate::x509::{Certificate, Credential, MOST_NAMES};

/// What is held of one role: the certificates, wherever they stand, their key, and the file around them.
#[derive(Clone, Default)]
pub(crate) struct Held {
    pub(crate) certificates: Option<At<Vec<Certificate>>>,
    pub(crate) key: Option<At<Arc<PrivateKey>>>,
    pub(crate) public_keys: Option<At<Vec<PublicKey>>>,
    pub(crate) kubeconfig: Option<At<Kubeconfig>>,
    /// Those that the kubeconfig trusts.
    pub(crate) trusted: Option<At<Vec<Certificate>>>,
    /// Whether the certificate is another program's to renew: a kubeconfig names its file.
    pub(crate) is_referenced: bool,
}

/// Something, and the file that it was read from, as that is shown.
#[derive(Clone)]
pub(crate) struct At<T> {
    pub(crate) file: PathBuf,
    pub(crate) is: T,
}

impl<T> At<T> {
    fn new(file: &Path, is: T) -> Self {
        Self { file: file.to_owned(), is }
    }
}

impl Held {
    /// Everything that can be used of a machine's files, by role, and what is wrong with the rest.
    pub(crate) fn all(pki: &Pki) -> (BTreeMap<Role, Self>, Findings) {
        let (mut held, mut findings) = (BTreeMap::<Role, Self>::new(), Findings::default());
        for file in pki.files() {
            let entry = held.entry(file.role()).or_default();
            let path = pki.shown(file);
            let mut unusable = entry.take(file, &path);
            if unusable.is_empty() && file.part() != Part::Kubeconfig && pem::has_trailing_data(file.bytes())
            {
                let (expected, found) = ("nothing behind the last PEM block", "something else");
                unusable.push(Finding::new(FindingId::TrailingData, &path, expected, found));
            }
            findings.extend(unusable.into_iter().map(|finding| finding.role_is(file.role())));
        }
        for referenced in &pki.seen.referenced {
            let entry = held.entry(referenced.role).or_default();
            entry.is_referenced |= referenced.reference != Reference::Authority;
            let path = &referenced.path;
            let unusable = |id, expected: &str, found: &str| Finding::new(id, path, expected, found);
            let taken = match &referenced.contents {
                Contents::Missing => {
                    let expected = format!("the file that the kubeconfig of {} names", referenced.role);
                    vec![unusable(FindingId::MissingFile, &expected, "none")]
                }
                Contents::Unreadable(why) => {
                    vec![unusable(FindingId::UnreadableFile, "a file that can be read", why)]
                }
                Contents::File(file) if referenced.reference == Reference::Authority => {
                    keep(&mut entry.trusted, path, certificates(file, path))
                }
                Contents::File(file) => entry.take(file, path),
            };
            findings.extend(taken.into_iter().map(|finding| finding.role_is(referenced.role)));
        }
        (held, findings)
    }

    /// Reads one file, and says what of it cannot be used.
    fn take(&mut self, file: &File, path: &Path) -> Vec<Finding> {
        match file.part() {
            Part::Certificate => keep(&mut self.certificates, path, certificates(file, path)),
            Part::Key => keep(&mut self.key, path, key(file.role(), file.bytes(), path).map(Arc::new)),
            Part::PublicKey => keep(&mut self.public_keys, path, public_keys(file, path)),
            Part::Kubeconfig => self.take_kubeconfig(file, path),
        }
    }

    fn take_kubeconfig(&mut self, file: &File, path: &Path) -> Vec<Finding> {
        let kubeconfig = match Kubeconfig::from_yaml(file.bytes()) {
            Ok(kubeconfig) => kubeconfig,
            Err(error) => {
                return vec![Finding::new(FindingId::Malformed, path, "a kubeconfig", error.to_string())];
            }
        };
        let inside =
            |field: &str, pem: &[u8]| read_certificates(pem, path, &format!("certificates in {field}"));
        let (cluster, user) = (kubeconfig.current_cluster(), kubeconfig.current_user());
        let mut unusable = Vec::new();
        if let Some(pem) = cluster.and_then(|cluster| cluster.certificate_authority_data.as_ref()) {
            unusable.extend(keep(&mut self.trusted, path, inside("certificate-authority-data", pem)));
        }
        if let Some(pem) = user.and_then(|user| user.client_certificate_data.as_ref()) {
            unusable.extend(keep(&mut self.certificates, path, inside("client-certificate-data", pem)));
        }
        if let Some(pem) = user.and_then(|user| user.client_key_data.as_ref()) {
            unusable.extend(keep(&mut self.key, path, key(file.role(), pem, path).map(Arc::new)));
        }
        self.kubeconfig = Some(At::new(path, kubeconfig));
        unusable
    }

    /// Whether a certificate that does not say if it is an authority's, as those before version 3 cannot, has signed one
    /// that is the authority's to sign.
    pub(crate) fn acts_as_authority(
        held: &BTreeMap<Role, Self>,
        role: Role,
        certificate: &Certificate,
    ) -> bool {
        let mut leaves = held.iter().filter(|(leaf, _)| leaf.authority() == Some(role));
        let is_signed =
            |held: &Self| held.certificate().is_some_and(|leaf| leaf.check_issued_by(certificate).is_ok());
        certificate.is_silent_about_authority() && leaves.any(|(_, held)| is_signed(held))
    }

    /// The certificate, if there is one.
    pub(crate) fn certificate(&self) -> Option<&Certificate> {
        // With `as_ref()?.is.first()` valgrind sees a length read where there is none.
        self.certificates.iter().flat_map(|at| &at.is).next()
    }

    /// The keys of sa.pub.
    pub(crate) fn public_keys(&self) -> &[PublicKey] {
        self.public_keys.as_ref().map_or(&[], |keys| &keys.is)
    }

    /// The certificate with its key, if both are here and belong together.
    pub(crate) fn credential(&self) -> Option<Credential> {
        let (chain, key) = (self.certificates.as_ref()?, self.key.as_ref()?);
        Credential::assemble(chain.is.clone(), Arc::clone(&key.is), None).ok()
    }
}

/// Puts what was read in its place, or says why it cannot be used.
fn keep<T>(place: &mut Option<At<T>>, path: &Path, read: Result<T, Finding>) -> Vec<Finding> {
    match read {
        Ok(read) => {
            *place = Some(At::new(path, read));
            Vec::new()
        }
        Err(finding) => vec![finding],
    }
}

fn certificates(file: &File, path: &Path) -> Result<Vec<Certificate>, Finding> {
    read_certificates(file.bytes(), path, "certificates")
}

/// A trust store of a whole system has some 150.
const MOST_CERTIFICATES: usize = 500;

fn read_certificates(pem: &[u8], path: &Path, wanted: &str) -> Result<Vec<Certificate>, Finding> {
    let certificates = Certificate::from_pem(pem).map_err(|error| unreadable(&error, pem, path, wanted))?;
    at_most(MOST_CERTIFICATES, "certificates", certificates.len(), path)?;
    let names = certificates.iter().map(|certificate| certificate.sans().len()).max();
    at_most(MOST_NAMES, "names in a certificate", names.unwrap_or_default(), path)?;
    Ok(certificates)
}

/// What is judged takes bounded time.
fn at_most(most: usize, of_what: &str, found: usize, path: &Path) -> Result<(), Finding> {
    match found > most {
        false => Ok(()),
        true => {
            let expected = format!("at most {most} {of_what}");
            Err(Finding::new(FindingId::Malformed, path, expected, found.to_string()))
        }
    }
}

fn key(role: Role, pem: &[u8], path: &Path) -> Result<PrivateKey, Finding> {
    PrivateKey::from_pem(pem).map_err(|error| match (error.code(), error.found_instead()) {
        (Code::Unsupported, Some(found)) => {
            // Components may know it, P-521 and Ed25519, but they sign no token with the latter.
            let is_refused =
                found == "an encrypted one" || (role == Role::ServiceAccount && !found.contains("curve"));
            let severity = if is_refused { Severity::Error } else { Severity::Warning };
            Finding::new(FindingId::Unsupported, path, error.expected(), found).severity_is(severity)
        }
        _ => unreadable(&error, pem, path, "a private key"),
    })
}

/// As kube-apiserver reads them: also out of certificates (client-go, util/keyutil, `ParsePublicKeysPEM`).
fn public_keys(file: &File, path: &Path) -> Result<Vec<PublicKey>, Finding> {
    let pem = file.bytes();
    let keys = PublicKey::all_from_pem(pem).or_else(|error| {
        let certificates =
            Certificate::from_pem(pem).map_err(|_| unreadable(&error, pem, path, "public keys"))?;
        Ok(certificates.iter().map(|certificate| certificate.public_key().clone()).collect())
    })?;
    at_most(MOST_CERTIFICATES, "public keys", keys.len(), path)?;
    Ok(keys)
}

/// What is wrong with a file whose contents cannot be used.
fn unreadable(error: &Error, pem: &[u8], path: &Path, wanted: &str) -> Finding {
    let found = error.found_instead().unwrap_or(error.expected());
    match pem::blocks(pem) {
        Ok(blocks) if blocks.is_empty() => {
            Finding::new(FindingId::NotPem, path, format!("{wanted} in PEM"), found)
        }
        Ok(_) if error.expected().starts_with("a PEM block") => {
            Finding::new(FindingId::WrongPemType, path, error.expected(), found)
        }
        _ => {
            Finding::new(FindingId::Malformed, path, format!("{wanted} in PEM ({})", error.expected()), found)
        }
    }
}
