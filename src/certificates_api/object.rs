//! [`CertificateSigningRequest`]: the object, read, written and decided about.

use std::fmt;
use std::time::Duration;

use crate::document;
use crate::document::record::{self, record};
use crate::error::{Code, Error, Result};
use crate::names::{ObjectName, SignerName};
use crate::request::Request;
use crate::time::Time;
use crate::x509::{Certificate, CertificationRequest, Usage};

/// A `CertificateSigningRequest` of `certificates.k8s.io/v1`: a request for a certificate, who made it, what it is to be
/// used for, and what was decided about it.
///
/// Fields that this library does not know survive reading and writing.
#[derive(Clone, PartialEq)]
pub struct CertificateSigningRequest {
    fields: Fields,
    signer_name: SignerName,
    request: CertificationRequest,
    usages: Vec<Usage>,
}

/// What was decided about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Nothing yet.
    Pending,
    /// It may be signed.
    Approved,
    /// It must not be signed, also if it was approved as well.
    Denied,
    /// Its signer refused it, for good.
    Failed,
    /// It has its certificate.
    Issued,
}

record! {
    /// The whole object, but for its type.
    Fields {
        /// Its name, and what the API server adds.
        "metadata" metadata: Metadata,
        /// What is asked for.
        "spec" spec: Spec,
        /// What was decided.
        "status" status: Status,
    }
}

record! {
    /// The part of ObjectMeta that is needed here.
    Metadata {
        /// Unique in the cluster.
        "name" name: Option<String>,
    }
}

record! {
    /// CertificateSigningRequestSpec. The API server fills in who made the request, and nothing of it ever changes.
    pub(super) Spec {
        /// PKCS#10 in PEM.
        "request" request: Vec<u8>,
        /// Who is to sign.
        "signerName" signer_name: String,
        /// How long the certificate is to be valid.
        "expirationSeconds" expiration_seconds: Option<i32>,
        /// What the certificate is to be used for.
        "usages" usages: Vec<String>,
        /// The user who made the request.
        "username" username: Option<String>,
        /// That user's groups.
        "groups" groups: Vec<String>,
    }
}

record! {
    /// CertificateSigningRequestStatus.
    Status {
        /// What was decided, in the order of the decisions.
        "conditions" conditions: Vec<Condition>,
        /// The certificate in PEM, and perhaps intermediates.
        "certificate" certificate: Option<Vec<u8>>,
    }
}

record! {
    /// CertificateSigningRequestCondition.
    Condition {
        /// `Approved`, `Denied` or `Failed`.
        "type" kind: String,
        /// Always `True` for those three.
        "status" status: String,
        /// Why, for programs.
        "reason" reason: String,
        /// Why, for people.
        "message" message: String,
        /// When this was last said.
        "lastUpdateTime" last_update_time: Option<String>,
    }
}

// The kind first: of a List it says more than the version does.
const TYPE: [(&str, &str); 2] =
    [("kind", "CertificateSigningRequest"), ("apiVersion", "certificates.k8s.io/v1")];

pub(super) const APPROVED: &str = "Approved";
pub(super) const DENIED: &str = "Denied";
pub(super) const FAILED: &str = "Failed";

/// Least that the API server takes (pkg/apis/certificates/validation/validation.go, `validateCertificateSigningRequest`).
const SHORTEST: i32 = 600;

impl CertificateSigningRequest {
    /// The object for a request, with the usages that it was made with.
    ///
    /// Its certificate is valid for as long as the signer likes: see [`expires_in`](Self::expires_in).
    #[must_use]
    pub fn new(name: ObjectName, signer_name: SignerName, request: &Request) -> Self {
        let usages: Vec<_> = request.usages().iter().copied().collect();
        let fields = Fields {
            metadata: Metadata { name: Some(name.to_string()), ..Metadata::default() },
            spec: Spec {
                request: request.csr_pem().into_bytes(),
                signer_name: signer_name.to_string(),
                usages: usages.iter().map(ToString::to_string).collect(),
                ..Spec::default()
            },
            ..Fields::default()
        };
        Self { fields, signer_name, request: request.csr().clone(), usages }
    }

    /// Asks for a certificate that is valid for so long, in whole seconds (`spec.expirationSeconds`). Signers may make it
    /// valid for less or more.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] for less than ten minutes, which the API server refuses, and for more than 68 years, which the
    /// field does not hold.
    pub fn expires_in(mut self, lifetime: Duration) -> Result<Self> {
        let seconds = i32::try_from(lifetime.as_secs()).map_err(|_| {
            Error::new(Code::Invalid, "at most 2147483647 seconds")
                .found(lifetime.as_secs().to_string())
                .field("spec.expirationSeconds")
        })?;
        check_expiration(seconds)?;
        self.fields.spec.expiration_seconds = Some(seconds);
        Ok(self)
    }

    /// Reads the object: YAML or JSON, in UTF-8, of at most 4 MiB. `kind` and `apiVersion` may be missing, as in the
    /// items of a list.
    ///
    /// What the API server refuses to create is refused, but for the request's own signature, which
    /// [`review`](super::review) and [`sign`](super::sign) check. The signer `kubernetes.io/legacy-unknown` is
    /// accepted: objects from before Kubernetes 1.22 have it.
    ///
    /// # Errors
    ///
    /// [`Code::Unsupported`] for another kind or version. [`Code::Malformed`] when this is no YAML, not the schema, or
    /// when the field `spec.request` is not base64 of PEM of exactly one PKCS#10 request. [`Code::Invalid`] for a name
    /// that is no segment of a path, no signer name or a malformed one, no usage, an unknown one, one that stands
    /// twice, and for an expiration under 600 seconds. The field is the place.
    pub fn from_yaml(document: &[u8]) -> Result<Self> {
        let name = "CertificateSigningRequest";
        let fields: Fields = record::from_document(document, document::LONGEST, name, TYPE)?;
        fields.metadata.name.as_deref().map_or(Ok(()), check_name)?;
        let spec = &fields.spec;
        if spec.request.is_empty() {
            return Err(Error::new(Code::Malformed, "PKCS#10 in PEM, in base64")
                .found("nothing")
                .field("spec.request"));
        }
        let request =
            CertificationRequest::from_pem(&spec.request).map_err(|error| error.field("spec.request"))?;
        let signer_name =
            spec.signer_name.parse::<SignerName>().map_err(|error| error.field("spec.signerName"))?;
        let usages = usages(&spec.usages)?;
        spec.expiration_seconds.map_or(Ok(()), check_expiration)?;
        Ok(Self { fields, signer_name, request, usages })
    }

    /// The object as YAML.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        document::write(&record::with_type(TYPE, &self.fields)).to_string()
    }

    /// The object as JSON, as `kubectl replace --raw` and the API server's subresources take it.
    #[must_use]
    pub fn to_json(&self) -> String {
        document::to_json(&record::with_type(TYPE, &self.fields)).to_string()
    }

    /// The name of the object; empty where the API server is to generate one.
    #[must_use]
    pub fn name(&self) -> &str {
        self.fields.metadata.name.as_deref().unwrap_or_default()
    }

    /// Who is to sign.
    #[must_use]
    pub fn signer_name(&self) -> &SignerName {
        &self.signer_name
    }

    /// The request itself.
    #[must_use]
    pub fn request(&self) -> &CertificationRequest {
        &self.request
    }

    /// What the certificate is to be used for. These count, not those within the request.
    #[must_use]
    pub fn usages(&self) -> &[Usage] {
        &self.usages
    }

    pub(super) fn spec(&self) -> &Spec {
        &self.fields.spec
    }

    /// The usages as they are spelled: Kubernetes' rules compare them so.
    pub(super) fn spelled_usages(&self) -> impl Iterator<Item = &str> {
        self.fields.spec.usages.iter().map(String::as_str)
    }

    /// How long the certificate is to be valid, if the request says so.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        self.fields
            .spec
            .expiration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map(Duration::from_secs)
    }

    /// The user who created the object, as the API server saw it; empty before that.
    #[must_use]
    pub fn username(&self) -> &str {
        self.fields.spec.username.as_deref().unwrap_or_default()
    }

    /// The groups of that user.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.fields.spec.groups.iter().map(String::as_str)
    }

    /// What was decided.
    #[must_use]
    pub fn state(&self) -> State {
        // One that is not true is none, and the API server takes it for no decision; a denial counts all the same
        // (pkg/controller/certificates/certificate_controller_utils.go).
        let is_true = |condition: &Condition| matches!(condition.status.as_str(), "" | "True");
        let conditions = &self.fields.status.conditions;
        let has = |kind| conditions.iter().any(|it| it.kind == kind && is_true(it));
        if self.certificate_pem().is_some() {
            State::Issued
        } else if conditions.iter().any(|it| it.kind == DENIED) {
            State::Denied
        } else if has(FAILED) {
            State::Failed
        } else if has(APPROVED) {
            State::Approved
        } else {
            State::Pending
        }
    }

    /// Why it was decided so, for people: the message of the condition; empty where there is none.
    #[must_use]
    pub fn message(&self) -> &str {
        let kind = match self.state() {
            State::Approved => APPROVED,
            State::Denied => DENIED,
            State::Failed => FAILED,
            State::Pending | State::Issued => return "",
        };
        let condition = self.fields.status.conditions.iter().find(|condition| condition.kind == kind);
        condition.map_or("", |condition| &condition.message)
    }

    /// What was decided, with the message of the condition in quotes: `is denied: "no"`.
    pub(super) fn decision(&self) -> String {
        let what = match self.state() {
            State::Pending => "is not approved",
            State::Issued => "has its certificate already",
            State::Approved => "is approved",
            State::Denied => "is denied",
            State::Failed => "has failed",
        };
        match self.message() {
            "" => what.to_owned(),
            message => format!("{what}: {message:?}"),
        }
    }

    /// The certificate that was issued, the leaf first.
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] when there is none yet, or when it cannot be read.
    pub fn certificates(&self) -> Result<Vec<Certificate>> {
        let pem = self.certificate_pem().unwrap_or_default();
        Certificate::from_pem(pem).map_err(|error| error.field("status.certificate"))
    }

    /// The same in PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> Option<&[u8]> {
        self.fields.status.certificate.as_deref().filter(|pem| !pem.is_empty())
    }

    /// Approves the request: the condition that the subresource `approval` takes.
    ///
    /// # Errors
    ///
    /// [`Code::Changed`] when something was decided already.
    pub fn approve(&mut self, reason: &str, message: &str, now: Time) -> Result<()> {
        self.decide(APPROVED, reason, message, now)
    }

    /// Denies the request, for good: the condition that the subresource `approval` takes.
    ///
    /// # Errors
    ///
    /// As [`approve`](Self::approve).
    pub fn deny(&mut self, reason: &str, message: &str, now: Time) -> Result<()> {
        self.decide(DENIED, reason, message, now)
    }

    fn decide(&mut self, kind: &str, reason: &str, message: &str, now: Time) -> Result<()> {
        if self.state() != State::Pending {
            return Err(Error::new(Code::Changed, "a request about which nothing was decided")
                .found(format!("one that {}", self.decision())));
        }
        self.add_condition(kind, reason, message, now);
        Ok(())
    }

    pub(super) fn add_condition(&mut self, kind: &str, reason: &str, message: &str, now: Time) {
        self.fields.status.conditions.push(Condition {
            kind: kind.to_owned(),
            status: "True".to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            last_update_time: Some(now.to_string()),
            ..Condition::default()
        });
    }

    pub(super) fn set_certificate(&mut self, certificate: &Certificate) {
        self.fields.status.certificate = Some(certificate.to_pem().into_bytes());
    }
}

impl fmt::Debug for CertificateSigningRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateSigningRequest({:?}, {}, {})", self.name(), self.signer_name, self.state())
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Issued => "issued",
        })
    }
}

fn usages(spelled: &[String]) -> Result<Vec<Usage>> {
    if spelled.is_empty() {
        return Err(Error::new(Code::Invalid, "at least one usage").found("none").field("spec.usages"));
    }
    let read = |(position, usage): (usize, &String)| {
        let field = || format!("spec.usages[{position}]");
        if spelled.iter().take(position).any(|other| other == usage) {
            return Err(Error::new(Code::Invalid, "each usage once").found_text(usage).field(field()));
        }
        usage.parse().map_err(|error: Error| error.field(field()))
    };
    spelled.iter().enumerate().map(read).collect()
}

/// (k8s.io/apimachinery, pkg/api/validation/path/name.go, `IsValidPathSegmentName`)
fn check_name(name: &str) -> Result<()> {
    match [".", ".."].contains(&name) || name.contains(['/', '%']) {
        true => Err(Error::new(Code::Invalid, "a name without '/' and '%', neither '.' nor '..'")
            .found_text(name)
            .field("metadata.name")),
        false => Ok(()),
    }
}

fn check_expiration(seconds: i32) -> Result<()> {
    match seconds >= SHORTEST {
        true => Ok(()),
        false => Err(Error::new(Code::Invalid, format!("at least {SHORTEST} seconds (10 minutes)"))
            .found(seconds.to_string())
            .field("spec.expirationSeconds")),
    }
}
