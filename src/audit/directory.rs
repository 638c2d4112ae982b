//! Which files are there, and who can read and write them.

use std::collections::BTreeMap;
use std::path::Path;

use crate::expected::Expected;
use crate::finding::{Finding, FindingId, Findings, Severity};
use crate::layout::Part;
use crate::pki::{Contents, Held, Pki, Reference};
use crate::role::Role;
use crate::role::table::Files;

pub(super) fn check(pki: &Pki, held: &BTreeMap<Role, Held>, expected: &Expected, findings: &mut Findings) {
    missing(pki, held, expected, findings);
    let seen = pki.seen();
    for (role, path, why) in &seen.unreadable {
        let finding = Finding::new(FindingId::UnreadableFile, path, "a file that can be read", why);
        findings.push(
            finding.role_is(*role).mend_by("look at what stands there, and remove it: nothing of it is used"),
        );
    }
    for (role, path, target) in &seen.links {
        let found = format!("a symbolic link to {}", target.display());
        let finding = Finding::new(FindingId::SymbolicLink, path, "a file", found).role_is(*role);
        findings
            .push(finding.mend_by("it is read, and never replaced: whoever made the link renews the file"));
    }
    for path in &seen.unknown {
        let finding =
            Finding::new(FindingId::UnknownFile, path, "files of a cluster's PKI only", "another file");
        findings.push(finding.mend_by("nothing: it is left alone"));
    }
    for file in pki.files() {
        // A private key may have been put behind a certificate.
        let is_secret = file.part().is_secret() || holds_private_key(file.bytes());
        modes(file.role(), &pki.shown(file), file.mode(), is_secret, findings);
    }
    for referenced in &seen.referenced {
        if let Contents::File(file) = &referenced.contents {
            let is_secret = referenced.reference == Reference::Key;
            modes(referenced.role, &referenced.path, file.mode(), is_secret, findings);
        }
    }
}

/// What must be there and is not.
fn missing(pki: &Pki, held: &BTreeMap<Role, Held>, expected: &Expected, findings: &mut Findings) {
    let is_there = |path: &Path| {
        pki.files().any(|file| pki.shown(file) == path)
            || pki.seen().unreadable.iter().any(|(_, other, _)| other == path)
    };
    let mut need = |role: Role, part: Part, mend: &str| {
        let Some(path) = pki.layout().path(role, part) else { return };
        let path = pki.layout().shown(&path);
        if !is_there(&path) {
            let what = match part {
                Part::Certificate => "the certificate",
                Part::Key => "the private key",
                Part::PublicKey => "the public keys",
                Part::Kubeconfig => "the kubeconfig",
            };
            let finding = Finding::new(FindingId::MissingFile, &path, format!("{what} of {role}"), "none");
            findings.push(finding.role_is(role).mend_by(mend));
        }
    };
    for role in expected.authorities() {
        need(role, Part::Certificate, COPY);
    }
    if expected.is_control_plane() {
        need(Role::ServiceAccount, Part::Key, COPY);
        need(Role::ServiceAccount, Part::PublicKey, ISSUE);
    }
    for profile in expected.profiles() {
        let mend = if expected.knows(profile.role()) { ISSUE } else { DESCRIBE };
        need(profile.role(), Part::Certificate, mend);
        need(profile.role(), Part::Key, mend);
        need(profile.role(), Part::Kubeconfig, mend);
    }
    // What is there on request is there as a whole.
    for (role, held) in held.iter().filter(|(role, _)| expected.profile(**role).is_none()) {
        if matches!(role.row().files, Files::Pair(_)) && !role.is_authority() && held.certificates.is_some() {
            need(*role, Part::Key, ISSUE);
        }
    }
}

const ISSUE: &str = "let a plan issue it again";
const COPY: &str = "copy it from another control-plane node or a backup: a plan never makes one";
const DESCRIBE: &str = "describe the cluster and the node: no other file tells what it must say";

fn holds_private_key(bytes: &[u8]) -> bool {
    bytes.windows(PRIVATE_KEY.len()).any(|window| window == PRIVATE_KEY)
}

const PRIVATE_KEY: &[u8] = b"PRIVATE KEY-----";

fn modes(role: Role, path: &Path, mode: u32, is_secret: bool, findings: &mut Findings) {
    let mut check = |id, group: u32, others: u32, expected: &str| {
        let severity = match mode {
            _ if mode & others != 0 => Severity::Error,
            _ if mode & group != 0 => Severity::Warning,
            _ => return,
        };
        let finding =
            Finding::new(id, path, expected, format!("mode {mode:04o}")).role_is(role).severity_is(severity);
        findings.push(finding.mend_by(format!("chmod {:04o}, as a plan does", mode & !(group | others))));
    };
    if is_secret {
        check(FindingId::KeyReadableByOthers, 0o040, 0o004, "a mode of 0600 or stricter");
    }
    check(FindingId::WritableByOthers, 0o020, 0o002, "a file that only its owner can write");
}
