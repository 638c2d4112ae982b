//! [`sign`]: what kube-controller-manager does with an approved request.

use std::fmt;
use std::time::Duration;

use super::object::FAILED;
use super::{CertificateSigningRequest, State, signers};
use crate::error::{Code, Error, Result};
use crate::issuer::{BACKDATE, Issuer};
use crate::key::random;
use crate::names::SignerName;
use crate::role::MASTERS;
use crate::time::Time;
use crate::x509::{Certificate, Template};

/// How long certificates are valid by default: a year (kube-controller-manager, `--cluster-signing-duration`).
pub const SIGNING_DURATION: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Certificates of less are not shortened by the backdating.
const SHORT: Duration = Duration::from_secs(8 * 60 * 60);

/// The reason of the condition of a request that its signer refuses.
pub(super) const VALIDATION_FAILURE: &str = "SignerValidationFailure";

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The object now has its certificate: it goes to the subresource `status`.
    Issued,
    /// The object now has the condition `Failed`, with this message: it goes to the subresource `status`. It will never
    /// be signed.
    Failed(String),
    /// The object is as it was: why it is not, or not yet, to be signed.
    Skipped(String),
}

/// Signs an approved request for one signer, whose authority `issuer` is, exactly as kube-controller-manager would
/// (kubernetes/kubernetes, pkg/controller/certificates: signer/signer.go and authority/policies.go).
///
/// Subject, names and public key are the request's, the usages those of `spec.usages`; whatever else the request asks
/// for is dropped. The certificate is no authority's, and comes without those above it. It begins five minutes before
/// `now` and is valid for the time that was asked for, but at most for `duration`, the cluster's signing duration
/// ([`SIGNING_DURATION`]), and not longer than the authority. From eight hours on, the five minutes are counted in.
///
/// The signers of Kubernetes accept what they accept there; a request that they refuse fails. For a signer of your own
/// the approval is what decides: [`review`](super::review) has its rules.
///
/// As there, the authority's own beginning is not looked at. Stricter than kube-controller-manager: keys of RSA under
/// 2048 bits and of other kinds than RSA, P-256 and P-384 are not certified.
///
/// # Errors
///
/// The object is then as it was. [`Code::BadSignature`] when the request's own signature does not verify,
/// [`Code::Unsupported`] for keys and signatures that cannot be verified or certified here, [`Code::AuthorityExpired`]
/// with the words of kube-controller-manager, [`Code::Invalid`] for a duration under a second and for what the API
/// server forbids (`system:masters` by `kubernetes.io/kube-apiserver-client`), [`Code::Signer`],
/// [`Code::SignerMismatch`] and [`Code::Random`].
pub fn sign(
    object: &mut CertificateSigningRequest,
    signer_name: &SignerName,
    issuer: &Issuer,
    duration: Duration,
    now: Time,
) -> Result<Outcome> {
    if object.signer_name() != signer_name {
        return Ok(Outcome::Skipped(format!("it is for the signer {}", object.signer_name())));
    }
    if object.state() != State::Approved {
        return Ok(Outcome::Skipped(format!("it {}", object.decision())));
    }
    if !signers::is_known(object.signer_name()) {
        return Ok(Outcome::Skipped(format!("nobody signs for {}", object.signer_name())));
    }
    if let Some(words) = signers::forbidden(object) {
        return Err(Error::new(Code::Invalid, format!("a request without the group {MASTERS}"))
            .found(words)
            .field("spec.request"));
    }
    if let Some(message) = signers::refusal(object) {
        object.add_condition(FAILED, VALIDATION_FAILURE, &message, now);
        return Ok(Outcome::Failed(message));
    }
    let certificate = certificate(object, issuer, duration, now)?;
    object.set_certificate(&certificate);
    Ok(Outcome::Issued)
}

fn certificate(
    object: &CertificateSigningRequest,
    issuer: &Issuer,
    duration: Duration,
    now: Time,
) -> Result<Certificate> {
    let request = object.request();
    request.check_signature().map_err(|error| error.field("spec.request"))?;
    let authority = issuer.certificate();
    let lifetime = object.lifetime().map_or(duration, |wanted| wanted.min(duration));
    let (not_before, not_after) = validity(lifetime, authority.not_after(), now)?;
    let subject = request.subject().as_go_writes_it()?;
    // To Go a certificate of the authority's own name is its own issuer's (crypto/x509, `CreateCertificate`).
    let is_own_issuer = subject == *authority.subject();
    let serial_number = random::<16>()?;
    let template = Template {
        serial_number: &serial_number,
        issuer: authority.subject(),
        subject: &subject,
        not_before,
        not_after,
        public_key: request.public_key(),
        usages: &object.usages().iter().copied().collect(),
        authority: None,
        authority_key_identifier: authority.subject_key_identifier().filter(|_| !is_own_issuer),
        sans: request.sans(),
        renews: None,
    };
    issuer.sign_template(&template).map_err(|error| match error.code() {
        Code::Unsupported => error.field("spec.request"),
        _ => error,
    })
}

/// The words are those of kube-controller-manager (authority/policies.go, `PermissiveSigningPolicy`).
fn validity(lifetime: Duration, authority_ends: Time, now: Time) -> Result<(Time, Time)> {
    if lifetime < Duration::from_secs(1) {
        return Err(Error::invalid("duration", "at least a second", &format!("{lifetime:?}")));
    }
    let not_before = now.saturating_sub(BACKDATE);
    let end = now
        .checked_add(lifetime)
        .map(|end| if lifetime < SHORT { end } else { end.saturating_sub(BACKDATE) });
    let expired = |words: &str| {
        Err(Error::new(Code::AuthorityExpired, "a signer that has not expired")
            .found(format!("{words}: NotAfter={authority_ends}")))
    };
    if not_before >= authority_ends {
        return expired("the signer has expired");
    }
    if now >= authority_ends {
        return expired("refusing to sign a certificate that expired in the past");
    }
    Ok((not_before, end.map_or(authority_ends, |end| end.min(authority_ends))))
}

impl fmt::Display for Outcome {
    /// For people: `issued`, `failed: subject organization is not system:nodes`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issued => f.write_str("issued"),
            Self::Failed(message) => write!(f, "failed: {message}"),
            Self::Skipped(why) => write!(f, "not signed: {why}"),
        }
    }
}
