//! The same certificate requests, decided about and signed by this crate.

use std::fmt::Debug;
use std::time::Duration;

use kubepki::certificates_api::{
    CertificateSigningRequest, Context, NodeAddresses, Outcome, Review, SignerPolicy, Verdict, review, sign,
};
use kubepki::{Certificate, Issuer, Time, Usage};
use serde_json::{Value, json};

use crate::api;
use crate::pkcs10::parts;
use crate::report::{self, Result};
use crate::requests::Seen;
use crate::row::{self, OWN_SIGNER, Row};
use crate::support::der;

/// A signer like kube-controller-manager, and an approver who allows nearly all that can be allowed.
#[derive(Debug)]
pub(crate) struct Ours<'a> {
    issuer: &'a Issuer,
    duration: Duration,
    context: Context,
}

impl<'a> Ours<'a> {
    pub(crate) fn new(issuer: &'a Issuer, duration: Duration) -> Result<Self> {
        Ok(Self { issuer, duration, context: generous()? })
    }

    /// That what the API server does not take is not approved here, either.
    pub(crate) fn refuses(&self, row: &Row, sent: &Value) -> Result<String> {
        let mut sent = sent.clone();
        let (user, groups) = row.user.name_and_groups();
        sent["spec"]["username"] = json!(user);
        sent["spec"]["groups"] = json!(groups);
        match read(&sent).map(|object| review(&object, &self.context)) {
            Err(error) => Ok(error.to_string()),
            Ok(review) => match row.ours {
                row::Ours::Laxer(why) if approves(&review) => Ok(format!("{review}, since {why}")),
                _ if approves(&review) => Err(unexpected("a refusal", &review)),
                _ => Ok(review.to_string()),
            },
        }
    }

    pub(crate) fn sign(
        &self,
        object: &Value,
        now: Time,
    ) -> kubepki::Result<(CertificateSigningRequest, Outcome)> {
        let mut object = read(object)?;
        let signer_name = object.signer_name().clone();
        let outcome = sign(&mut object, &signer_name, self.issuer, self.duration, now)?;
        Ok((object, outcome))
    }

    /// That this crate signs as the real servers do, but for what the row says, and approves only what is then signed.
    pub(crate) fn agrees(&self, row: &Row, seen: &Seen) -> Result<String> {
        let theirs = api::Outcome::of(&seen.last)?;
        let now = match &theirs {
            api::Outcome::Issued(pem) => moment(pem)?,
            _ => Time::now(),
        };
        let signed = self.sign(&seen.approved, now);
        let review = read(&seen.pending).map(|object| review(&object, &self.context));
        if review.as_ref().is_ok_and(approves) && !matches!(signed, Ok((_, Outcome::Issued))) {
            return Err(unexpected("no approval of what is not signed", &review));
        }
        match (row.ours, signed) {
            (row::Ours::Same, Ok((object, outcome))) => {
                let ours = serde_json::from_str(&object.to_json())?;
                same(&theirs, &outcome, &seen.last, &ours)?;
                Ok(review?.to_string())
            }
            (row::Ours::Stricter(code, why), Err(error)) if error.code() == code => {
                Ok(format!("{error}, since {why}"))
            }
            (_, signed) => Err(unexpected((&row.verdict, row.ours), &signed)),
        }
    }
}

fn read(object: &Value) -> kubepki::Result<CertificateSigningRequest> {
    CertificateSigningRequest::from_yaml(object.to_string().as_bytes())
}

fn approves(review: &Review) -> bool {
    review.verdict() == Verdict::Approve
}

fn unexpected(expected: impl Debug, found: &dyn Debug) -> Box<dyn std::error::Error> {
    format!("expected {expected:?}, found {found:?}").into()
}

/// The moment at which kube-controller-manager signed a certificate: five minutes after its validity begins.
fn moment(pem: &str) -> Result<Time> {
    let chain = Certificate::from_pem(pem.as_bytes())?;
    let begin = chain.first().ok_or("no certificate")?.not_before();
    Ok(begin.checked_add(Duration::from_secs(300)).ok_or("a time")?)
}

/// That both outcomes are the same, and so is what they left in the object.
fn same(theirs: &api::Outcome, ours: &Outcome, their_object: &Value, our_object: &Value) -> Result {
    match (theirs, ours) {
        (api::Outcome::Issued(theirs), Outcome::Issued) => match api::Outcome::of(our_object)? {
            api::Outcome::Issued(ours) => same_certificate(theirs, &ours),
            ours => Err(unexpected(theirs, &ours)),
        },
        (api::Outcome::Failed(..), Outcome::Failed(_)) => {
            let [theirs, ours] = [their_object, our_object].map(failure);
            report::same(&theirs, ours).map(|_| ())
        }
        // Nobody else signs for a signer of one's own.
        (api::Outcome::Open, Outcome::Issued) if our_object["spec"]["signerName"] == OWN_SIGNER => Ok(()),
        (api::Outcome::Open, Outcome::Skipped(_)) => Ok(()),
        _ => Err(unexpected(theirs, ours)),
    }
}

/// The condition `Failed` without its times.
fn failure(object: &Value) -> Value {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let mut failed = conditions.filter(|it| it["type"] == "Failed").cloned().collect::<Value>();
    for condition in failed.as_array_mut().into_iter().flatten() {
        for time in ["lastUpdateTime", "lastTransitionTime"] {
            condition.as_object_mut().and_then(|it| it.remove(time));
        }
    }
    failed
}

/// The fields of a certificate (RFC 5280, section 4.1).
const FIELDS: [&str; 8] = [
    "version",
    "serial number",
    "signature algorithm",
    "issuer",
    "validity",
    "subject",
    "public key",
    "extensions",
];

/// That two certificates signed at the same moment are the same bytes, but for serial number and signature.
fn same_certificate(theirs: &str, ours: &str) -> Result {
    let (theirs, ours) = (der(theirs), der(ours));
    let (theirs, ours) = (parts(parts(&theirs)?[0])?, parts(parts(&ours)?[0])?);
    if [theirs.len(), ours.len()] != [FIELDS.len(); 2] {
        return Err(unexpected(theirs, &ours));
    }
    for (field, (theirs, ours)) in FIELDS.iter().zip(theirs.iter().zip(&ours)) {
        if *field != "serial number" && theirs != ours {
            let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            return Err(format!("{field}: expected {}, found {}", hex(theirs), hex(ours)).into());
        }
    }
    Ok(())
}

fn generous() -> Result<Context> {
    let usages = [Usage::ClientAuth, Usage::ServerAuth, Usage::DigitalSignature, Usage::KeyEncipherment];
    let mut context = Context::default()
        .node(NodeAddresses::new("cp-1".parse()?, ["cp-1".parse()?, "192.0.2.10".parse()?]));
    for signer in ["kubernetes.io/kube-apiserver-client", OWN_SIGNER] {
        context = context.policy(
            SignerPolicy::new(signer.parse()?)?
                .requesters(["jane".parse()?])
                .common_names(["*".parse()?, "system:node:*".parse()?, "*.*.*".parse()?])
                .organizations(["team-a", "o", "a", "aa", "b"].map(|it| it.parse().expect("a group")))
                .sans(["DNS:*.*.*".parse()?, "IP:0.0.0.0/0".parse()?, "email:*@*.*".parse()?])
                .usages(usages),
        );
    }
    Ok(context)
}
