//! [`Tree`]: who signed what.

use std::fmt;
use std::path::PathBuf;

use super::certificates::{Entry, Key, entries};
use crate::authority::AUTHORITIES;
use crate::pki::{Contents, Pki, Reference};
use crate::role::Role;
use crate::text::Printable;
use crate::time::Time;

/// The trust tree of a machine: each authority, and under it what it signed. Shown by
/// [`Display`](fmt::Display), over several lines, with a line break at the end.
#[derive(Clone, Debug)]
#[must_use]
pub struct Tree<'a> {
    pki: &'a Pki,
}

impl Pki {
    /// The trust tree, for people: each authority, under it what it signed, with subject, subject alternative
    /// names, usages, expiry and files; at the end what none of the machine's authorities signed.
    pub fn tree(&self) -> Tree<'_> {
        Tree { pki: self }
    }
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = entries(self.pki);
        let of = |role| entries.iter().filter(move |entry| entry.role == role);
        for entry in of(Role::RootCa).chain(of(Role::Intermediate).rev()) {
            writeln!(f, "{} (above the authorities, trusted by no component)", entry.role)?;
            self.describe(f, entry, "   ")?;
        }
        let (signed, others): (Vec<_>, Vec<_>) = entries
            .iter()
            .filter(|entry| !entry.role.is_authority())
            .partition(|entry| entry.signer.is_some_and(|signer| AUTHORITIES.contains(&signer)));
        for authority in AUTHORITIES.into_iter().filter(|role| of(*role).next().is_some()) {
            let signed: Vec<_> = signed.iter().filter(|leaf| leaf.signer == Some(authority)).collect();
            writeln!(f, "{authority}")?;
            let indent = if signed.is_empty() { "   " } else { "│  " };
            of(authority).try_for_each(|entry| self.describe(f, entry, indent))?;
            for (index, leaf) in signed.iter().enumerate() {
                let (branch, indent) =
                    if index + 1 < signed.len() { ("├─ ", "│     ") } else { ("└─ ", "      ") };
                writeln!(f, "{branch}{}", leaf.role)?;
                self.describe(f, leaf, indent)?;
            }
        }
        for entry in others {
            writeln!(f, "{} (signed by none of these authorities)", entry.role)?;
            self.describe(f, entry, "   ")?;
        }
        match self.files(Role::ServiceAccount) {
            files if files.is_empty() => Ok(()),
            files => writeln!(f, "{}\n   file     {files}", Role::ServiceAccount),
        }
    }
}

impl Tree<'_> {
    fn describe(&self, f: &mut fmt::Formatter<'_>, entry: &Entry, indent: &str) -> fmt::Result {
        let Entry { role, certificate, .. } = entry;
        writeln!(f, "{indent}subject  {}", certificate.subject())?;
        let is_told = entry.signer.is_some_and(|signer| !role.is_authority() || signer == *role);
        if !is_told {
            writeln!(f, "{indent}issuer   {}", certificate.issuer())?;
        }
        if !certificate.sans().is_empty() {
            writeln!(f, "{indent}SANs     {}", list(certificate.sans()))?;
        }
        match certificate.usages() {
            usages if usages.is_empty() => writeln!(f, "{indent}usages   not limited")?,
            usages => writeln!(f, "{indent}usages   {}", list(usages))?,
        }
        write!(f, "{indent}expires  {}", certificate.not_after())?;
        match self.shortened_from(entry) {
            Some(wanted) => writeln!(f, " (with its authority; asked for was {wanted})")?,
            None => writeln!(f)?,
        }
        match entry.key {
            Key::Other => writeln!(f, "{indent}key      that of another certificate")?,
            Key::None if !role.is_authority() => writeln!(f, "{indent}key      none that can be used")?,
            Key::None | Key::Own => {}
        }
        writeln!(f, "{indent}file     {}", self.files(*role))
    }

    /// Known of what was made here; no file tells it.
    fn shortened_from(&self, entry: &Entry) -> Option<Time> {
        match self.pki.authorities().get(entry.role) {
            Some(authority) => authority.issuer()?.shortened_from(),
            None => self.pki.credential(entry.role)?.shortened_from(),
        }
    }

    /// The files of a role, also those that its kubeconfig names.
    fn files(&self, role: Role) -> String {
        let own = self.pki.files().filter(|file| file.role() == role).map(|file| self.pki.shown(file));
        let is_there = |contents: &Contents| matches!(contents, Contents::File(_));
        let named =
            self.pki.seen().referenced.iter().filter(|it| {
                it.role == role && it.reference != Reference::Authority && is_there(&it.contents)
            });
        let mut files: Vec<PathBuf> = own.chain(named.map(|it| it.path.clone())).collect();
        // One file may hold both certificate and key.
        files.dedup();
        list(files.iter().map(|file| Printable(file.display())))
    }
}

fn list<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
