//! [`SignerPolicy`]: whose requests a signer of your own is to be asked to sign.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{CertificateSigningRequest, Pattern, SanPattern, signers};
use crate::error::{Error, Result};
use crate::names::{Group, SignerName, UserName};
use crate::x509::Usage;

/// What may be approved for one signer: who may ask, and for what. All that is not allowed is denied, so a new policy
/// denies everything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct SignerPolicy {
    signer_name: SignerName,
    requesters: Vec<Pattern>,
    common_names: Vec<Pattern>,
    organizations: Vec<Group>,
    sans: Vec<SanPattern>,
    usages: BTreeSet<Usage>,
    longest: Option<Duration>,
}

impl SignerPolicy {
    /// A policy for a signer of your own, or for `kubernetes.io/kube-apiserver-client`, that allows nothing yet.
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`](crate::Code::Invalid) for another signer of Kubernetes: those for kubelets have rules of their
    /// own.
    pub fn new(signer_name: SignerName) -> Result<Self> {
        if signer_name.is_of_kubernetes() && signer_name.as_str() != signers::KUBE_APISERVER_CLIENT {
            let rule = format!("a signer of your own or {}", signers::KUBE_APISERVER_CLIENT);
            return Err(Error::invalid("signer name", rule, signer_name.as_str()));
        }
        Ok(Self {
            signer_name,
            requesters: Vec::new(),
            common_names: Vec::new(),
            organizations: Vec::new(),
            sans: Vec::new(),
            usages: BTreeSet::new(),
            longest: None,
        })
    }

    /// The users who may ask, by the names that the API server saw: `system:serviceaccount:my-namespace:*`.
    pub fn requesters(mut self, requesters: impl IntoIterator<Item = Pattern>) -> Self {
        self.requesters = requesters.into_iter().collect();
        self
    }

    /// The common names that may be asked for. A request need not have one. To the API server they are users: by
    /// `kubernetes.io/kube-apiserver-client` the names of components are never allowed (see [`UserName`]).
    pub fn common_names(mut self, common_names: impl IntoIterator<Item = Pattern>) -> Self {
        self.common_names = common_names.into_iter().collect();
        self
    }

    /// The organizations that may be asked for. To the API server they are groups.
    pub fn organizations(mut self, organizations: impl IntoIterator<Item = Group>) -> Self {
        self.organizations = organizations.into_iter().collect();
        self
    }

    /// The subject alternative names that may be asked for.
    pub fn sans(mut self, sans: impl IntoIterator<Item = SanPattern>) -> Self {
        self.sans = sans.into_iter().collect();
        self
    }

    /// The usages that may be asked for.
    pub fn usages(mut self, usages: impl IntoIterator<Item = Usage>) -> Self {
        self.usages = usages.into_iter().collect();
        self
    }

    /// The longest time that may be asked for. A request must then ask for some, since the signer's own may be longer.
    pub fn longest(mut self, longest: Duration) -> Self {
        self.longest = Some(longest);
        self
    }

    pub(super) fn signer_name(&self) -> &SignerName {
        &self.signer_name
    }

    /// Reason and message of what is not allowed.
    pub(super) fn refusal(&self, object: &CertificateSigningRequest) -> Option<(&'static str, String)> {
        let allows = |patterns: &[Pattern], text: &str| patterns.iter().any(|pattern| pattern.matches(text));
        if !allows(&self.requesters, object.username()) {
            return refused("RequesterNotAllowed", format!("{:?} may not ask for this", object.username()));
        }
        let subject = object.request().subject();
        // Also those that a reader would pass over: which of several counts depends on the reader.
        if let Some(other) = subject.common_names().find(|name| !allows(&self.common_names, name)) {
            return refused("SubjectNotAllowed", format!("the common name {other:?} is not allowed"));
        }
        if self.signer_name.as_str() == signers::KUBE_APISERVER_CLIENT
            && let Some(error) = subject.common_names().find_map(|name| name.parse::<UserName>().err())
        {
            return refused("SubjectNotAllowed", error.to_string());
        }
        let is_allowed = |group: &&str| self.organizations.iter().any(|allowed| allowed.as_str() == *group);
        if let Some(other) = subject.organizations().find(|group| !is_allowed(group)) {
            return refused("SubjectNotAllowed", format!("the organization {other:?} is not allowed"));
        }
        if let Some(other) = subject.other_attributes().next() {
            return refused("SubjectNotAllowed", format!("the subject's attribute {other} is not allowed"));
        }
        if subject.is_empty() && object.request().sans().is_empty() {
            return refused("NameNotAllowed", "it names nobody".to_owned());
        }
        let is_allowed = |san| self.sans.iter().any(|pattern| pattern.matches(san));
        if let Some(other) = object.request().sans().iter().find(|san| !is_allowed(san)) {
            return refused("NameNotAllowed", format!("the name {other} is not allowed"));
        }
        if let Some(other) = object.usages().iter().find(|usage| !self.usages.contains(usage)) {
            return refused("UsageNotAllowed", format!("the usage {other} is not allowed"));
        }
        match (self.longest, object.lifetime()) {
            (Some(longest), None) => refused(
                "LifetimeNotAllowed",
                format!("expirationSeconds of at most {} is required", longest.as_secs()),
            ),
            (Some(longest), Some(wanted)) if wanted > longest => refused(
                "LifetimeNotAllowed",
                format!(
                    "{} seconds are more than the {} that are allowed",
                    wanted.as_secs(),
                    longest.as_secs()
                ),
            ),
            _ => None,
        }
    }
}

fn refused(reason: &'static str, message: String) -> Option<(&'static str, String)> {
    Some((reason, message))
}
