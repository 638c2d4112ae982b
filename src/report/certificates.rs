//! The certificates of a machine, and who signed each.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::Code;
use crate::key::Signer;
use crate::layout::Part;
use crate::pki::{Held, Pki};
use crate::role::Role;
use crate::x509::{Certificate, chain_above};

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
    /// The private key beside it.
    pub(super) key: Key,
}

/// Whose private key there is: that of a file's first certificate, or of none in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Own,
    Other,
    None,
}

/// The authorities of a machine: the certificates that are looked at, by role.
type Authorities<'a> = BTreeMap<Role, &'a [Certificate]>;

/// The first certificate of each leaf's file, and all of each authority's, in the order of the roles.
pub(super) fn entries(pki: &Pki) -> Vec<Entry> {
    let held = Held::all(pki).0;
    let authorities: Authorities<'_> = held
        .iter()
        .filter(|(role, _)| role.is_authority())
        .filter_map(|(role, held)| Some((*role, beginning(&held.certificates.as_ref()?.is))))
        .collect();
    held.iter().flat_map(|(role, held)| of_role(*role, held, &authorities)).collect()
}

fn beginning(certificates: &[Certificate]) -> &[Certificate] {
    certificates.get(..MOST_IN_FILE).unwrap_or(certificates)
}

fn of_role(role: Role, held: &Held, authorities: &Authorities<'_>) -> Vec<Entry> {
    let Some(at) = &held.certificates else { return Vec::new() };
    let (own, behind) = match beginning(&at.is) {
        all if role.is_authority() => (all, [].as_slice()),
        all => all.split_at(all.len().min(1)),
    };
    let key = match (&held.key, at.is.first()) {
        (Some(key), Some(first)) if key.is.public_key() == first.public_key() => Key::Own,
        (Some(_), _) => Key::Other,
        (None, _) => Key::None,
    };
    let entry = |certificate: &Certificate| Entry {
        role,
        file: at.file.clone(),
        certificate: certificate.clone(),
        signer: signer(role, certificate, behind, authorities),
        key,
    };
    own.iter().map(entry).collect()
}

/// The authority that signed a certificate, or the last one of those behind it that lead there: that of the
/// role before others.
fn signer(
    role: Role,
    certificate: &Certificate,
    behind: &[Certificate],
    authorities: &Authorities<'_>,
) -> Option<Role> {
    if certificate.is_self_signed() {
        return Some(role);
    }
    let between = chain_above(certificate, behind);
    let has_signed = |authority: &Role, last: &Certificate| {
        let mut own = authorities.get(authority).into_iter().copied().flatten();
        own.any(|it| it != last && signed_by(last, it))
    };
    let mut path = std::iter::once(certificate).chain(&between);
    path.find_map(|last| {
        let own = role.authority();
        own.iter().chain(authorities.keys()).copied().find(|authority| has_signed(authority, last))
    })
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
