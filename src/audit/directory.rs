//! Which files are there, and who can read and write them.

use std::path::Path;

use super::{Audit, COPY, DESCRIBE, ISSUE, SIGNER};
use crate::authority::AUTHORITIES;
use crate::finding::{Finding, FindingId, Severity};
use crate::layout::Part;
use crate::pki::{Contents, Reference};
use crate::role::Role;
use crate::role::table::Files;

const MOVE_ELSEWHERE: &str =
    "move it to where it is needed: no component of this machine reads it, and no plan removes it";

impl Audit<'_> {
    pub(super) fn directory(&mut self) {
        self.missing();
        self.out_of_place();
        let seen = self.pki.seen();
        for (role, path, why) in &seen.unreadable {
            let finding = Finding::new(FindingId::UnreadableFile, path, "a file that can be read", why);
            let mend = match why.contains("ermission") {
                true => "look as a user that may read it, such as root",
                false => "look at what stands there, and move it away: nothing of it can be used",
            };
            self.findings.push(finding.role_is(*role).mend_by(mend));
        }
        for (role, path, target) in &seen.links {
            let found = format!("a symbolic link to {}", target.display());
            let finding = Finding::new(FindingId::SymbolicLink, path, "a file", found).role_is(*role);
            let mend = "whoever made the link renews the file: a plan reads it, and never replaces it";
            self.findings.push(finding.mend_by(mend));
        }
        for path in &seen.unknown {
            let expected = "only files that the cluster's components read";
            let finding = Finding::new(FindingId::UnknownFile, path, expected, "another file");
            self.findings.push(finding.mend_by("nothing: it is left alone"));
        }
        for file in self.pki.files() {
            // A private key may have been put behind a certificate.
            let is_secret = file.part().is_secret() || holds_private_key(file.bytes());
            self.mode(file.role(), &self.pki.shown(file), file.mode(), is_secret, "let a plan make it");
        }
        for referenced in &seen.referenced {
            if let Contents::File(file) = &referenced.contents {
                let is_secret = referenced.reference == Reference::Key;
                let mend = "a plan never touches it: make it";
                self.mode(referenced.role, &referenced.path, file.mode(), is_secret, mend);
            }
        }
    }

    /// What must be there and is not.
    fn missing(&mut self) {
        for role in self.expected.authorities() {
            self.need(role, Part::Certificate, COPY);
            self.need_signing_key(role);
        }
        if self.expected.is_control_plane() {
            self.need(Role::ServiceAccount, Part::Key, COPY);
            let mend = if self.pki.authorities().has_service_account_key() { ISSUE } else { COPY };
            self.need(Role::ServiceAccount, Part::PublicKey, mend);
        }
        for profile in self.expected.profiles() {
            let role = profile.role();
            let held = self.held.get(&role).cloned().unwrap_or_default();
            let mend = if self.expected.knows(role) { self.mend(role, &held) } else { DESCRIBE };
            for part in [Part::Certificate, Part::Key, Part::Kubeconfig] {
                self.need(role, part, mend);
            }
        }
        // What is there on request is there as a whole.
        for (role, held) in self.held {
            let is_pair = matches!(role.row().files, Files::Pair(_)) && !role.is_authority();
            if is_pair && self.expected.profile(*role).is_none() && held.certificates.is_some() {
                self.need(*role, Part::Key, self.mend(*role, held));
            }
        }
    }

    /// The key of an authority, which control-plane nodes have unless it is said to be elsewhere.
    fn need_signing_key(&mut self, authority: Role) {
        let can_sign = self.pki.authorities().get(authority).is_some_and(|it| it.issuer().is_some());
        if can_sign || !self.expected.is_described() || !self.expected.has_signing_key(authority) {
            return;
        }
        let severity = match authority {
            // kube-controller-manager does not start without the file that it is told to sign with.
            Role::KubernetesCa => Severity::Error,
            _ => Severity::Warning,
        };
        let finding = self.absent(authority, Part::Key);
        self.findings.extend(finding.map(|it| it.severity_is(severity).mend_by(SIGNER)));
    }

    /// Keys of the cluster on a machine that needs none: whoever breaks into it has the cluster.
    fn out_of_place(&mut self) {
        for file in self.pki.files().filter(|_| self.expected.is_described()) {
            let role = file.role();
            let (what, is_needed) = match (role, file.part()) {
                (Role::ServiceAccount, Part::Key) => ("the key", self.expected.is_control_plane()),
                (Role::SuperAdmin, _) => ("the kubeconfig", self.expected.is_control_plane()),
                (authority, Part::Key) if AUTHORITIES.contains(&authority) => {
                    ("the key", self.expected.has_signing_key(authority))
                }
                _ => continue,
            };
            if !is_needed {
                let (path, expected) = (self.pki.shown(file), format!("a machine without {what} of {role}"));
                let finding = Finding::new(FindingId::OutOfPlace, &path, expected, what);
                self.findings.push(finding.role_is(role).mend_by(MOVE_ELSEWHERE));
            }
        }
    }

    fn need(&mut self, role: Role, part: Part, mend: &str) {
        let finding = self.absent(role, part);
        self.findings.extend(finding.map(|it| it.mend_by(mend)));
    }

    /// What is to be said when a file is not there.
    fn absent(&self, role: Role, part: Part) -> Option<Finding> {
        let path = self.pki.layout().shown_path(role, part)?;
        let mut unreadable = self.pki.seen().unreadable.iter();
        let is_there = self.pki.files().any(|file| (file.role(), file.part()) == (role, part))
            || unreadable.any(|(_, other, _)| *other == path);
        let what = match part {
            Part::Certificate => "the certificate",
            Part::Key => "the private key",
            Part::PublicKey => "the public keys",
            Part::Kubeconfig => "the kubeconfig",
        };
        let finding = Finding::new(FindingId::MissingFile, &path, format!("{what} of {role}"), "none");
        (!is_there).then(|| finding.role_is(role))
    }

    fn mode(&mut self, role: Role, path: &Path, mode: u32, is_secret: bool, mend: &str) {
        let mend = format!("{mend} {:04o} (chmod)", narrowed(mode, is_secret && mode & 0o044 != 0));
        let mut check = |id, group: u32, others: u32, expected: &str| {
            let severity = match mode {
                _ if mode & others != 0 => Severity::Error,
                _ if mode & group != 0 => Severity::Warning,
                _ => return,
            };
            let finding = Finding::new(id, path, expected, format!("mode {mode:04o}")).role_is(role);
            self.findings.push(finding.severity_is(severity).mend_by(&mend));
        };
        if is_secret {
            check(FindingId::KeyReadableByOthers, 0o040, 0o004, "a mode of 0600 or stricter");
        }
        check(FindingId::WritableByOthers, 0o020, 0o002, "a file that only its owner can write");
    }
}

/// The mode of a file without what others may do with it: write it, and with a key that they can read anything.
pub(crate) fn narrowed(mode: u32, is_readable_key: bool) -> u32 {
    mode & if is_readable_key { !0o077 } else { !0o022 }
}

fn holds_private_key(bytes: &[u8]) -> bool {
    const LABEL_END: &[u8] = b"PRIVATE KEY-----";
    bytes.windows(LABEL_END.len()).any(|window| window == LABEL_END)
}
