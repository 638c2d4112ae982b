//! The audit: every file against what it must be, and the files against each other.

mod authority;
mod certificate;
mod chain;
mod directory;
mod key;
mod kubeconfig;
mod subject;
mod validity;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

pub(crate) use directory::narrowed;

use crate::expected::Expected;
use crate::finding::{Finding, FindingId, Findings, Severity};
use crate::key::PublicKey;
use crate::names::San;
use crate::pki::{Held, Pki};
use crate::role::{Profile, Role};
use crate::time::Time;
use crate::x509::{AlternativeName, Certificate};

impl Pki {
    /// Says what is wrong with the machine's files: each against its profile, and what an audit accepts beyond it, and
    /// all against each other.
    ///
    /// `expected` is a description, or what the files themselves tell: [`Expected::inferred`], which a loaded `Pki` has
    /// as its [`expected`](Self::expected). With a description more is known, such as names that are missing
    /// everywhere.
    ///
    /// ```
    /// use kubepki::{Cluster, Expected, KeyAlgorithm, Node, Pki, Time};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cluster = Cluster::new("api.example.com:6443".parse()?).key_algorithm(KeyAlgorithm::EcdsaP256);
    /// let node = Node::control_plane("cp-1".parse()?, "192.0.2.10".parse()?);
    /// let pki = Pki::create(&cluster, &node, Time::now())?;
    /// assert!(pki.audit(pki.expected(), Time::now()).is_empty());
    ///
    /// let moved = Cluster::new("api.example.org:6443".parse()?);
    /// let findings = pki.audit(&Expected::new(&moved, &node), Time::now());
    /// assert!(findings.iter().any(|finding| finding.id().id() == "san-missing"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn audit(&self, expected: &Expected, now: Time) -> Findings {
        let (held, unusable) = Held::all(self);
        let mut audit = Audit::new(self, &held, expected, now);
        audit.unusable(unusable);
        audit.directory();
        audit.authorities();
        audit.service_account();
        for (role, held) in &held {
            audit.kubeconfig(*role, held);
            audit.leaf(*role, held);
        }
        audit.serial_numbers();
        audit.findings.sorted()
    }

    /// What an audit says about the servers of kubeconfigs when the API server's certificate has these names.
    pub(crate) fn audit_servers(
        &self,
        held: &BTreeMap<Role, Held>,
        expected: &Expected,
        now: Time,
        names: &[San],
    ) -> Findings {
        let server_names = Some(names.iter().map(AlternativeName::from).collect());
        let mut audit = Audit { server_names, ..Audit::new(self, held, expected, now) };
        for (role, held) in held {
            audit.server(*role, held);
        }
        audit.findings.sorted()
    }
}

struct Audit<'a> {
    pki: &'a Pki,
    held: &'a BTreeMap<Role, Held>,
    expected: &'a Expected,
    now: Time,
    /// The names of the API server's certificate.
    server_names: Option<Vec<AlternativeName>>,
    findings: Findings,
}

/// A leaf's certificate while it is judged.
struct Leaf<'a> {
    role: Role,
    file: &'a Path,
    certificate: &'a Certificate,
    profile: Profile,
    mend: &'static str,
}

impl Leaf<'_> {
    fn finding(&self, id: FindingId, expected: impl Into<String>, found: impl Into<String>) -> Finding {
        let finding = Finding::new(id, self.file, expected, found).role_is(self.role);
        let mend = if finding.severity() == Severity::Note { NOTHING } else { self.mend };
        finding.mend_by(mend)
    }

    /// A finding whose severity depends on the role; a note needs no mending.
    fn judged(
        &self,
        severity: Severity,
        id: FindingId,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Finding {
        let mend = if severity == Severity::Note { NOTHING } else { self.mend };
        self.finding(id, expected, found).severity_is(severity).mend_by(mend)
    }
}

const NOTHING: &str = "nothing: every component accepts it";
const ISSUE: &str = "let a plan issue it again";
const ISSUE_AFTERWARDS: &str = "mend its authority first, then let a plan issue it again";
const ISSUE_ELSEWHERE: &str = "have it issued where the key of its authority is";
const COPY: &str = "copy it from another control-plane node or a backup: a plan never makes one";
const SIGNER: &str = "put it back, attach a signer, or say that it is external: a plan never makes one";
const DESCRIBE: &str = "describe the cluster and the node: no other file tells what it must say";
const MOVE_AWAY: &str = "move it away, since it may hold users of your own; then a plan makes it anew";
const ISSUE_BY_OWNER: &str = "let the program renew it that wrote this file: a plan never touches it";

impl<'a> Audit<'a> {
    fn new(pki: &'a Pki, held: &'a BTreeMap<Role, Held>, expected: &'a Expected, now: Time) -> Self {
        let server = held.get(&Role::ApiServer).and_then(Held::certificate);
        let server_names = server.map(|certificate| certificate.sans().to_vec());
        Self { pki, held, expected, now, server_names, findings: Findings::default() }
    }

    fn leaf(&mut self, role: Role, held: &'a Held) {
        if role.authority().is_none() {
            return;
        }
        self.pair(role, held);
        let (Some(at), Some(certificate)) = (&held.certificates, held.certificate()) else { return };
        let profile = self.expected.profile(role).cloned();
        let profile = profile.unwrap_or_else(|| self.expected.optional(role, certificate));
        let leaf = Leaf { role, file: &at.file, certificate, profile, mend: self.mend(role, held) };
        self.subject(&leaf);
        self.usages(&leaf);
        self.names(&leaf);
        self.strength(&leaf);
        self.chain(&leaf, &at.is);
    }

    /// What could not be read, with how to mend it.
    fn unusable(&mut self, findings: Findings) {
        for finding in findings {
            let mend = match (finding.role(), finding.id()) {
                (_, FindingId::TrailingData) => "let a plan write the file without it",
                (Some(role @ (Role::Admin | Role::SuperAdmin)), FindingId::Malformed)
                    if self.held.get(&role).is_none_or(|held| held.kubeconfig.is_none()) =>
                {
                    MOVE_AWAY
                }
                (Some(role), _) if !self.expected.knows(role) => DESCRIBE,
                (Some(role), _) if role.authority().is_some() => {
                    let held = self.held.get(&role).cloned().unwrap_or_default();
                    self.mend(role, &held)
                }
                _ => COPY,
            };
            // A key of a kind that is not read here does not belong to one of a kind that is.
            let held = finding.role().and_then(|role| self.held.get(&role));
            let certified = held.and_then(Held::certificate).map(Certificate::public_key);
            let mut stated = certified.into_iter().chain(held.iter().flat_map(|held| held.public_keys()));
            let is_other = finding.id() == FindingId::Unsupported && stated.any(PublicKey::can_verify);
            let severity = if is_other { Severity::Error } else { finding.severity() };
            self.findings.push(finding.severity_is(severity).mend_by(mend));
        }
    }

    /// Who can issue a leaf again.
    fn mend(&self, role: Role, held: &Held) -> &'static str {
        let Some(authority) = role.authority() else { return ISSUE_ELSEWHERE };
        let can_sign = self.pki.authorities().get(authority).is_some_and(|it| it.issuer().is_some());
        let is_elsewhere =
            self.held.get(&authority).is_some_and(|held| held.certificates.is_some() && held.key.is_none());
        match (can_sign, is_elsewhere) {
            _ if held.is_referenced => ISSUE_BY_OWNER,
            (true, _) => ISSUE,
            (false, true) => ISSUE_ELSEWHERE,
            (false, false) => ISSUE_AFTERWARDS,
        }
    }

    /// The certificates that are trusted for a role.
    fn trusted(&self, authority: Role) -> Option<&'a [Certificate]> {
        Some(self.held.get(&authority)?.certificates.as_ref()?.is.as_slice())
    }
}

/// Several values in one line, a bearable number of them.
fn list<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    const MOST: usize = 12;
    let mut items = items.into_iter();
    let shown: Vec<_> = items.by_ref().take(MOST).map(|item| item.to_string()).collect();
    match (shown.is_empty(), items.count()) {
        (true, _) => "none".to_owned(),
        (false, 0) => shown.join(", "),
        (false, more) => format!("{} and {more} more", shown.join(", ")),
    }
}
