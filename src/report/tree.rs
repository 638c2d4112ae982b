//! [`Tree`]: who signed what.

use std::fmt;

use crate::layout::{Part, relative_path};
use crate::pki::Pki;
use crate::role::Role;
use crate::time::Time;
use crate::x509::Certificate;

/// The trust tree of a machine: each authority, and under it what it signed. Shown by [`Display`](fmt::Display).
#[derive(Clone, Debug)]
#[must_use]
pub struct Tree<'a> {
    pki: &'a Pki,
}

impl Pki {
    /// The trust tree, for people: each authority, under it what it signed, with subject, subject alternative names,
    /// usages, expiry and file.
    pub fn tree(&self) -> Tree<'_> {
        Tree { pki: self }
    }
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (role, authority) in self.pki.authorities().iter() {
            let signed: Vec<_> =
                self.pki.credentials().filter(|(leaf, _)| leaf.authority() == Some(role)).collect();
            if !self.pki.files().any(|file| file.role() == role) {
                continue;
            }
            let has_key = self.pki.files().any(|file| file.role() == role && file.part() == Part::Key);
            let key = if has_key { "" } else { " (its key is elsewhere)" };
            writeln!(f, "{role}{key}")?;
            describe(f, authority.certificate(), None, role, if signed.is_empty() { "   " } else { "│  " })?;
            for (index, (role, credential)) in signed.iter().enumerate() {
                let (branch, indent) =
                    if index + 1 < signed.len() { ("├─ ", "│     ") } else { ("└─ ", "      ") };
                writeln!(f, "{branch}{role}")?;
                describe(f, credential.certificate(), credential.shortened_from(), *role, indent)?;
            }
        }
        if self.pki.files().any(|file| file.role() == Role::ServiceAccount) {
            writeln!(f, "{}\n   file     pki/sa.key, pki/sa.pub", Role::ServiceAccount)?;
        }
        Ok(())
    }
}

fn describe(
    f: &mut fmt::Formatter<'_>,
    certificate: &Certificate,
    shortened_from: Option<Time>,
    role: Role,
    indent: &str,
) -> fmt::Result {
    writeln!(f, "{indent}subject  {}", certificate.subject())?;
    if !certificate.is_self_issued() && role.is_authority() {
        writeln!(f, "{indent}issuer   {}", certificate.issuer())?;
    }
    if !certificate.sans().is_empty() {
        writeln!(f, "{indent}SANs     {}", list(certificate.sans()))?;
    }
    writeln!(f, "{indent}usages   {}", list(certificate.usages()))?;
    write!(f, "{indent}expires  {}", certificate.not_after())?;
    match shortened_from {
        Some(wanted) => writeln!(f, " (with its authority; asked for was {wanted})")?,
        None => writeln!(f)?,
    }
    let parts = [Part::Certificate, Part::Key, Part::Kubeconfig];
    let files: Vec<_> = parts.iter().filter_map(|part| relative_path(role, *part)).collect();
    let files: Vec<_> = files.iter().map(|path| path.display()).collect();
    writeln!(f, "{indent}file     {}", list(&files))
}

fn list<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
