//! The certificates of a machine, and who signed each.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::Code;
use crate::key::Signer;
use crate::layout::Part;
use crate::pki::{Held, Pki};
use crate::role::Role;
use crate::x509::Certificate;

/// As many certificates of one file are looked at: no trust file needs more.
const MOST_IN_FILE: usize = 16;

/// One certificate that a machine holds.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) role: Role,
    /// As it is shown.
    pub(super) file: PathBuf,
    pub(super) certificate: Certificate,
    /// The role of the authority here that signed it: its own when it is a root.
    pub(super) signer: Option<Role>,
    /// What is wrong with its private key where it must be beside it.
    pub(super) key: Key,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Own,
    Other,
    None,
}

/// The first certificate of each leaf's file, and all of each authority's, in the order of the roles.
pub(super) fn entries(pki: &Pki) -> Vec<Entry> {
    let held = Held::all(pki).0;
    let mut entries: Vec<_> = held.iter().flat_map(|(role, held)| of_role(*role, held)).collect();
    let authorities: BTreeMap<Role, Vec<Certificate>> = held
        .iter()
        .filter(|(role, _)| role.is_authority())
        .map(|(role, _)| {
            let own = entries.iter().filter(|entry| entry.role == *role);
            (*role, own.map(|entry| entry.certificate.clone()).collect())
        })
        .collect();
    for entry in &mut entries {
        entry.signer = signer(entry, &authorities);
    }
    entries
}

fn of_role(role: Role, held: &Held) -> Vec<Entry> {
    let Some(certificates) = &held.certificates else { return Vec::new() };
    let most = if role.is_authority() { MOST_IN_FILE } else { 1 };
    let entry = |certificate: &Certificate| Entry {
        role,
        file: certificates.file.clone(),
        certificate: certificate.clone(),
        signer: None,
        key: match &held.key {
            None => Key::None,
            Some(key) if key.is.public_key() == certificate.public_key() => Key::Own,
            Some(_) => Key::Other,
        },
    };
    certificates.is.iter().take(most).map(entry).collect()
}

/// The authority of its role is asked first, and itself before all.
fn signer(entry: &Entry, authorities: &BTreeMap<Role, Vec<Certificate>>) -> Option<Role> {
    let certificate = &entry.certificate;
    if certificate.is_self_signed() {
        return Some(entry.role);
    }
    let own = entry.role.authority();
    let signed = |role: &Role| {
        authorities.get(role).into_iter().flatten().any(|it| it != certificate && signed_by(certificate, it))
    };
    own.iter().chain(authorities.keys()).copied().find(signed)
}

/// A signature by an algorithm that is not verified here counts as one.
fn signed_by(certificate: &Certificate, authority: &Certificate) -> bool {
    certificate.check_issued_by(authority).map_or_else(|error| error.code() == Code::Unsupported, |()| true)
}

/// Whether the key of an authority is elsewhere: there is no file of it here, readable or not.
pub(super) fn is_external(pki: &Pki, authority: Role) -> bool {
    let Some(key) = pki.layout().path(authority, Part::Key) else { return true };
    let key = pki.layout().shown(&key);
    let is_readable = pki.files().any(|file| pki.shown(file) == key);
    !is_readable && !pki.seen().unreadable.iter().any(|(_, path, _)| *path == key)
}
