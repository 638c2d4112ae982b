//! Why something should be done, and what mends it.

use std::path::{Path, PathBuf};

use super::{Blocked, Reason};
use crate::finding::{Finding, FindingId, Severity};
use crate::role::Role;

/// What mends a finding.
pub(super) enum Mend {
    /// A new certificate, for a leaf with a new key; for an authority where that helps.
    Certificate,
    /// Whether it is renewed follows from the policy's window.
    Window,
    PublicKeys,
    Cutting,
    Mode,
    Trust,
    Server,
    Verifying,
    /// Nothing that a plan does: the finding says what does.
    Hand,
}

/// The one table of what mends what.
pub(super) fn mend(id: FindingId) -> Mend {
    use FindingId as Id;
    match id {
        Id::MissingFile
        | Id::NotPem
        | Id::WrongPemType
        | Id::Malformed
        | Id::Unsupported
        | Id::KeyMismatch
        | Id::KubeconfigKeyMismatch
        | Id::KubeconfigIncomplete
        | Id::WrongIssuer
        | Id::BadSignature
        | Id::Expired
        | Id::NotYetValid
        | Id::OutlivesAuthority
        | Id::NotAnAuthority
        | Id::AuthorityUsageMissing
        | Id::UsageMissing
        | Id::UsageUnexpected
        | Id::SanMissing
        | Id::SanUnexpected
        | Id::ClientCertificateHasSan
        | Id::WrongCommonName
        | Id::GroupMissing
        | Id::GroupUnexpected
        | Id::GroupInOrganizationalUnit
        | Id::NamedLikeAuthority
        | Id::NodeNameMismatch
        | Id::WeakKey
        | Id::WeakSignature
        | Id::DuplicateSerial
        | Id::DiffersFromConvention => Mend::Certificate,
        Id::ExpiresSoon => Mend::Window,
        Id::ServiceAccountKeyMismatch => Mend::PublicKeys,
        Id::TrailingData => Mend::Cutting,
        Id::KeyReadableByOthers | Id::WritableByOthers => Mend::Mode,
        Id::KubeconfigAuthorityMismatch => Mend::Trust,
        Id::KubeconfigServerMismatch => Mend::Server,
        Id::KubeconfigInsecure => Mend::Verifying,
        Id::UnreadableFile
        | Id::CaKeyMismatch
        | Id::SharedFrontProxyAuthority
        | Id::SharedEtcdAuthority
        | Id::SharedTrustAnchor
        | Id::KubeconfigOtherCredential
        | Id::OutOfPlace
        | Id::SymbolicLink
        | Id::UnknownFile => Mend::Hand,
    }
}

/// Why something should be done.
#[derive(Clone)]
pub(super) struct Cause {
    pub(super) reason: Reason,
    pub(super) finding: Option<FindingId>,
    pub(super) severity: Severity,
    pub(super) file: PathBuf,
    pub(super) found: String,
    pub(super) mend: String,
}

impl Cause {
    pub(super) fn from_finding(finding: &Finding) -> Self {
        use FindingId as Id;
        let reason = match finding.id() {
            Id::MissingFile => Reason::Absent,
            Id::SanMissing => Reason::SansChanged,
            Id::WrongCommonName
            | Id::GroupMissing
            | Id::GroupUnexpected
            | Id::GroupInOrganizationalUnit
            | Id::NodeNameMismatch => Reason::SubjectChanged,
            id => Reason::Finding(id),
        };
        Self {
            reason,
            finding: Some(finding.id()),
            severity: finding.severity(),
            file: finding.file().to_owned(),
            found: match reason {
                Reason::Finding(Id::Expired) => finding.found().to_owned(),
                Reason::Finding(_) => format!("expected {}, found {}", finding.expected(), finding.found()),
                _ => String::new(),
            },
            mend: finding.mend().to_owned(),
        }
    }

    /// What no audit says.
    pub(super) fn new(reason: Reason, file: &Path) -> Self {
        let (finding, found, mend) = (None, String::new(), String::new());
        Self { reason, finding, severity: Severity::Warning, file: file.to_owned(), found, mend }
    }

    pub(super) fn text(&self) -> String {
        match self.found.is_empty() {
            true => self.reason.to_string(),
            false => format!("{}: {}", self.reason, self.found),
        }
    }

    pub(super) fn blocked(self, role: Option<Role>, why: impl Into<String>) -> Blocked {
        let what = match self.finding {
            Some(id) => id.to_string(),
            None => self.reason.to_string(),
        };
        Blocked {
            role,
            file: self.file,
            severity: self.severity,
            finding: self.finding,
            what,
            why: why.into(),
        }
    }
}
