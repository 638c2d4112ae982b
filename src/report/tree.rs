//! [`Tree`]: who signed what.

use std::fmt;

use crate::pki::Pki;
use crate::role::Role;
use crate::time::Time;
use crate::x509::Certificate;

/// The trust tree of a machine: each authority, and under it what it signed. Shown by [`Display`](fmt::Display), over
/// several lines, with a line break at the end.
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
        let mut above: Vec<&Certificate> = Vec::new();
        for (role, authority) in self.pki.authorities().iter() {
            for certificate in
                authority.above().iter().rev().filter(|it| !above.contains(it)).collect::<Vec<_>>()
            {
                let role = if certificate.is_self_signed() { Role::RootCa } else { Role::Intermediate };
                writeln!(f, "{role} (above the authorities, trusted by no component)")?;
                self.describe(f, certificate, None, role, "   ")?;
                above.push(certificate);
            }
            let signed: Vec<_> =
                self.pki.credentials().filter(|(leaf, _)| leaf.authority() == Some(role)).collect();
            writeln!(f, "{role}")?;
            let shortened_from = authority.issuer().and_then(|issuer| issuer.shortened_from());
            let indent = if signed.is_empty() { "   " } else { "│  " };
            self.describe(f, authority.certificate(), shortened_from, role, indent)?;
            for (index, (role, credential)) in signed.iter().enumerate() {
                let (branch, indent) =
                    if index + 1 < signed.len() { ("├─ ", "│     ") } else { ("└─ ", "      ") };
                writeln!(f, "{branch}{role}")?;
                self.describe(f, credential.certificate(), credential.shortened_from(), *role, indent)?;
            }
        }
        if !self.pki.authorities().service_account_keys().is_empty() {
            writeln!(f, "{}", Role::ServiceAccount)?;
            self.files(f, Role::ServiceAccount, "   ")?;
        }
        Ok(())
    }
}

impl Tree<'_> {
    fn describe(
        &self,
        f: &mut fmt::Formatter<'_>,
        certificate: &Certificate,
        shortened_from: Option<Time>,
        role: Role,
        indent: &str,
    ) -> fmt::Result {
        writeln!(f, "{indent}subject  {}", certificate.subject())?;
        if role.is_authority() && !certificate.is_self_signed() {
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
        self.files(f, role, indent)
    }

    fn files(&self, f: &mut fmt::Formatter<'_>, role: Role, indent: &str) -> fmt::Result {
        let files = self.pki.files().filter(|file| file.role() == role);
        writeln!(f, "{indent}file     {}", list(files.map(|file| file.path().display())))
    }
}

fn list<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
