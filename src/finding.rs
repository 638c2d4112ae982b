//! [`Finding`]: one judgement about a file, by a stable id, with what was expected, what was found and how to mend it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::role::Role;
use crate::text::Printable;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_enums, reason = "the design's rule knows these three")]
pub enum Severity {
    /// Only the convention differs, or nothing needs to be done.
    Note,
    /// It will fail soon, or is weak.
    Warning,
    /// A component would refuse the file, or it grants another identity or more power than its role.
    Error,
}

impl Severity {
    /// The stable name: `error`, `warning`, `note`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// One row of the table of findings.
struct Row {
    id: FindingId,
    text: &'static str,
    description: &'static str,
    /// The worst first; which one it is depends on the role and on how far it goes.
    severities: &'static [Severity],
    /// What it brings along by itself.
    brings: &'static [FindingId],
}

macro_rules! findings {
    ($($(#[doc = $doc:literal])* $name:ident $text:literal $($severity:ident)|+ $(brings $($other:ident)+)?;)*) => {
        /// What a finding is about: a row of the table of findings.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FindingId {
            $($(#[doc = $doc])* $name,)*
        }

        /// Every finding, in the order of [`FindingId`].
        const TABLE: &[Row] = &[$(Row {
            id: FindingId::$name,
            text: $text,
            description: concat!($($doc),*),
            severities: &[$(Severity::$severity),+],
            brings: &[$($(FindingId::$other),+)?],
        }),*];
    };
}

findings! {
    /// A file that the machine needs is not there.
    MissingFile "missing-file" Error | Warning;
    /// A file cannot be read: no permission, a directory, a pipe, too large.
    UnreadableFile "unreadable-file" Error;
    /// A file holds no PEM.
    NotPem "not-pem" Error;
    /// A file holds PEM, but nothing of what it is for.
    WrongPemType "wrong-pem-type" Error;
    /// What is in the PEM, or a kubeconfig, cannot be read.
    Malformed "malformed" Error;
    /// An algorithm or extension that components do not know, or that cannot be judged.
    Unsupported "unsupported" Error | Warning;
    /// Something stands behind the last PEM block of a file.
    TrailingData "trailing-data" Warning;
    /// A private key is not that of the certificate beside it.
    KeyMismatch "key-mismatch" Error;
    /// An authority's private key is not that of its certificate.
    CaKeyMismatch "ca-key-mismatch" Error;
    /// sa.pub lacks the public half of sa.key.
    ServiceAccountKeyMismatch "service-account-key-mismatch" Error;
    /// A certificate was issued by another authority than that of its role.
    WrongIssuer "wrong-issuer" Error | Warning brings KubeconfigAuthorityMismatch;
    /// The signature of a certificate does not verify.
    BadSignature "bad-signature" Error;
    /// A certificate has expired.
    Expired "expired" Error | Warning brings OutlivesAuthority;
    /// A certificate expires soon.
    ExpiresSoon "expires-soon" Warning;
    /// A certificate is not valid yet; often a clock is wrong.
    NotYetValid "not-yet-valid" Error;
    /// A certificate ends after the authority that issued it.
    OutlivesAuthority "outlives-authority" Warning;
    /// A certificate that should sign others is no authority's.
    NotAnAuthority "not-an-authority" Error;
    /// An authority may not sign certificates, or not those of a usage that it has to.
    AuthorityUsageMissing "authority-usage-missing" Error;
    /// A certificate lacks a usage of its role.
    UsageMissing "usage-missing" Error | Warning brings UsageUnexpected;
    /// A certificate has a usage beyond its role.
    UsageUnexpected "usage-unexpected" Error | Warning brings UsageMissing;
    /// A serving certificate lacks a name by which clients reach it.
    SanMissing "san-missing" Error | Warning;
    /// A serving certificate has a name beyond those that are known.
    SanUnexpected "san-unexpected" Note;
    /// A client certificate has subject alternative names, which it needs none of.
    ClientCertificateHasSan "client-certificate-has-san" Note;
    /// The common name is not that of the role.
    WrongCommonName "wrong-common-name" Error;
    /// A group of the role is missing.
    GroupMissing "group-missing" Error | Warning brings GroupUnexpected;
    /// A group beyond those of the role.
    GroupUnexpected "group-unexpected" Error | Warning;
    /// A group stands in the organizational unit (OU), which Kubernetes ignores.
    GroupInOrganizationalUnit "group-in-organizational-unit" Error;
    /// A leaf has the very name of its authority: OpenSSL, curl and Python take it for self-signed and refuse it.
    NamedLikeAuthority "named-like-authority" Warning brings DiffersFromConvention;
    /// A kubelet's certificate names another node.
    NodeNameMismatch "node-name-mismatch" Error;
    /// A key is too weak.
    WeakKey "weak-key" Error | Warning;
    /// A signature's algorithm is too weak: components refuse SHA-1 and MD5.
    WeakSignature "weak-signature" Error;
    /// Two certificates of one authority have the same serial number.
    DuplicateSerial "duplicate-serial" Warning;
    /// The front proxy's authority is that of another purpose: its clients could speak for anybody.
    SharedFrontProxyAuthority "shared-front-proxy-authority" Error brings DiffersFromConvention;
    /// The authorities of Kubernetes and of etcd are one: clients of one are let into the other.
    SharedEtcdAuthority "shared-etcd-authority" Error brings DiffersFromConvention;
    /// A trust file holds a certificate that stands above the authority: what sibling authorities signed is believed too.
    SharedTrustAnchor "shared-trust-anchor" Error;
    /// A kubeconfig lacks something that its current context refers to.
    KubeconfigIncomplete "kubeconfig-incomplete" Error;
    /// A kubeconfig trusts another authority than the cluster's.
    KubeconfigAuthorityMismatch "kubeconfig-authority-mismatch" Error | Warning;
    /// A kubeconfig points to another server.
    KubeconfigServerMismatch "kubeconfig-server-mismatch" Error | Warning | Note;
    /// The private key in a kubeconfig is not that of the certificate in it.
    KubeconfigKeyMismatch "kubeconfig-key-mismatch" Error;
    /// A kubeconfig has the server's certificate not verified.
    KubeconfigInsecure "kubeconfig-insecure" Error | Warning;
    /// A kubeconfig's user has no client certificate, but a token or a program.
    KubeconfigOtherCredential "kubeconfig-other-credential" Note;
    /// Others than its owner can read a private key.
    KeyReadableByOthers "key-readable-by-others" Error | Warning;
    /// Others than its owner can write a file.
    WritableByOthers "writable-by-others" Error | Warning;
    /// A key of an authority, sa.key or super-admin.conf lies on a machine that needs none.
    OutOfPlace "out-of-place" Warning;
    /// A file is a symbolic link: what it points to is read, and never replaced.
    SymbolicLink "symbolic-link" Note;
    /// A file that is none of a cluster's: it is left alone.
    UnknownFile "unknown-file" Note;
    /// Only names differ from those of the convention.
    DiffersFromConvention "differs-from-convention" Note;
}

impl FindingId {
    /// Every id, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.id)
    }

    /// The stable text, in kebab-case.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.row().text
    }

    /// What it says, in a sentence.
    #[must_use]
    pub fn description(self) -> &'static str {
        self.row().description.trim()
    }

    /// The severities that it may have, the worst first: which one depends on the role and on how far it goes.
    #[must_use]
    pub fn severities(self) -> &'static [Severity] {
        self.row().severities
    }

    /// What this finding brings along by itself.
    #[must_use]
    pub fn brings(self) -> &'static [Self] {
        self.row().brings
    }

    #[expect(clippy::indexing_slicing, reason = "never used: the table holds every id")]
    fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.id == self).unwrap_or(&TABLE[0])
    }
}

impl std::str::FromStr for FindingId {
    type Err = Error;

    /// Reads [`FindingId::id`].
    fn from_str(text: &str) -> Result<Self> {
        let row = TABLE.iter().find(|row| row.text == text);
        row.map(|row| row.id).ok_or_else(|| Error::invalid("finding", "the id of a finding", text))
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// One judgement about one file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Finding {
    id: FindingId,
    severity: Severity,
    role: Option<Role>,
    file: PathBuf,
    expected: String,
    found: String,
    mend: String,
}

impl Finding {
    /// A finding of its usual, its worst severity.
    pub(crate) fn new(
        id: FindingId,
        file: &Path,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self {
            id,
            severity: id.severities().first().copied().unwrap_or(Severity::Error),
            role: None,
            file: file.to_owned(),
            expected: shown(expected),
            found: shown(found),
            mend: String::new(),
        }
    }

    pub(crate) fn role_is(self, role: Role) -> Self {
        Self { role: Some(role), ..self }
    }

    pub(crate) fn severity_is(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    pub(crate) fn mend_by(self, mend: impl Into<String>) -> Self {
        Self { mend: shown(mend), ..self }
    }

    /// What it is about.
    #[must_use]
    pub fn id(&self) -> FindingId {
        self.id
    }

    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The role of the file, where it has one.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// The file: below the directory of the machine's Kubernetes files where it lies there, otherwise its whole path.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What was expected.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What was found instead.
    #[must_use]
    pub fn found(&self) -> &str {
        &self.found
    }

    /// How to mend it.
    #[must_use]
    pub fn mend(&self) -> &str {
        &self.mend
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, severity, file, expected, found, mend, .. } = self;
        write!(f, "{severity}: {}: {id}: expected {expected}, found {found}", Printable(file.display()))?;
        if mend.is_empty() { Ok(()) } else { write!(f, "\n    mend: {mend}") }
    }
}

/// What an audit found, the worst first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Findings(Vec<Finding>);

impl Findings {
    pub(crate) fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// The worst first, then by file.
    pub(crate) fn sorted(mut self) -> Self {
        let key = |finding: &Finding| (std::cmp::Reverse(finding.severity), finding.file.clone(), finding.id);
        self.0.sort_by_key(key);
        self.0.dedup();
        self
    }

    /// Each finding, the worst first.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.0.iter()
    }

    /// The worst severity; `None` without findings.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.iter().map(Finding::severity).max()
    }

    /// Whether there is nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl<'a> IntoIterator for &'a Findings {
    type Item = &'a Finding;
    type IntoIter = std::slice::Iter<'a, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Extend<Finding> for Findings {
    fn extend<T: IntoIterator<Item = Finding>>(&mut self, findings: T) {
        self.0.extend(findings);
    }
}

impl fmt::Display for Findings {
    /// One finding after the other, each with how to mend it, and a line break at its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|finding| writeln!(f, "{finding}"))
    }
}

/// Certificates may hold anything.
fn shown(text: impl Into<String>) -> String {
    Printable(text.into()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_every_id_once_and_its_severities_from_the_worst() {
        for row in TABLE {
            assert_eq!(row.text.parse::<FindingId>().unwrap(), row.id);
            assert!(row.severities.is_sorted_by(|a, b| a > b), "{}", row.text);
            assert!(row.text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
        }
    }
}
