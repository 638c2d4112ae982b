//! [`review`]: what an approver decides.

use std::fmt;

use super::object::Spec;
use super::sign::VALIDATION_FAILURE;
use super::{CertificateSigningRequest, NodeAddresses, SignerPolicy, State, signers};
use crate::error::{Code, Error, Result};
use crate::names::Group;
use crate::role::{NODE_USER, NODES};
use crate::text::Printable;
use crate::time::Time;

/// What an approver knows of its cluster.
///
/// Kubelets' client certificates need nothing of it; their serving certificates need the nodes with their addresses,
/// other signers a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Context {
    nodes: Vec<NodeAddresses>,
    policies: Vec<SignerPolicy>,
    bootstrap_groups: Vec<Group>,
}

/// What is to be done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verdict {
    /// To be approved: its signer will accept it, and who asks may have it.
    Approve,
    /// To be denied.
    Deny,
    /// To be left as it is, for another approver, for people or for later.
    NotMine,
}

/// A verdict with its reason.
#[derive(Clone)]
#[must_use]
pub struct Review {
    asked: Spec,
    verdict: Verdict,
    reason: &'static str,
    message: String,
}

/// A verdict on whatever it is about, with reason and message.
struct Opinion(Verdict, &'static str, String);

/// Decides about a request as it came from the API server, which vouches for user and groups.
///
/// | signer | approved is |
/// |---|---|
/// | `kubernetes.io/kube-apiserver-client-kubelet` | what a node asks for itself (user and common name are the same), and what a member of a bootstrap group asks for any node; a node that asks for another is denied, any other user is left to people |
/// | `kubernetes.io/kubelet-serving` | what a node asks for itself, for its own addresses; a node that the context does not know is not yet decided about |
/// | `kubernetes.io/kube-apiserver-client` | what the context's policy allows, but never `system:masters` |
/// | your own | what the context's policy allows |
///
/// For all of them: the request's own signature verifies, and its signer accepts it ([`sign`](super::sign)). What is
/// left alone: signers that the context has no policy for, requests about which something was decided, and keys that
/// this library cannot verify.
///
/// kube-controller-manager approves the first row only, after asking the authorizer whether the user may; it never
/// denies. (kubernetes/kubernetes, pkg/controller/certificates/approver/sarapprove.go; for the second row the page "TLS
/// bootstrapping" of Kubernetes' documentation)
pub fn review(object: &CertificateSigningRequest, context: &Context) -> Review {
    let Opinion(verdict, reason, mut message) = opinion(object, context);
    // What it quotes is as long as anybody likes, and a condition is not.
    const LONGEST: usize = 1000;
    if let Some((end, _)) = message.char_indices().nth(LONGEST) {
        message.truncate(end);
        message.push_str("...");
    }
    Review { asked: object.spec().clone(), verdict, reason, message }
}

fn opinion(object: &CertificateSigningRequest, context: &Context) -> Opinion {
    if object.state() != State::Pending {
        return Opinion::not_mine("AlreadyDecided", format!("it {}", object.decision()));
    }
    if let Some(message) = signers::forbidden(object) {
        return Opinion::deny("GroupNotAllowed", message);
    }
    let Some(judge) = context.judge(object) else {
        return Opinion::not_mine(
            "UnknownSigner",
            format!("there is no policy for {}", object.signer_name()),
        );
    };
    let request = object.request();
    match request.check_signature() {
        Ok(()) if request.public_key().is_strong() => {}
        Ok(()) => return Opinion::not_mine("UnsupportedKey", format!("a key of {}", request.public_key())),
        Err(error) if error.code() == Code::Unsupported => {
            return Opinion::not_mine("UnsupportedKey", error.to_string());
        }
        Err(error) => return Opinion::deny("ProofOfPossessionFailed", error.to_string()),
    }
    if let Some(message) = signers::refusal(object) {
        return Opinion::deny(VALIDATION_FAILURE, message);
    }
    match judge {
        Judge::KubeletClient => context.kubelet_client(object),
        Judge::KubeletServing => context.kubelet_serving(object),
        Judge::Policy(policy) => match policy.refusal(object) {
            None => Opinion::approve("the policy of its signer allows it".to_owned()),
            Some((reason, message)) => Opinion::deny(reason, message),
        },
    }
}

/// By what a request is judged.
enum Judge<'a> {
    KubeletClient,
    KubeletServing,
    Policy(&'a SignerPolicy),
}

impl Context {
    /// Adds a node, or takes its new addresses.
    pub fn node(mut self, node: NodeAddresses) -> Self {
        self.nodes.retain(|other| other.name() != node.name());
        self.nodes.push(node);
        self
    }

    /// Adds the policy of a signer, or takes its new one.
    pub fn policy(mut self, policy: SignerPolicy) -> Self {
        self.policies.retain(|other| other.signer_name() != policy.signer_name());
        self.policies.push(policy);
        self
    }

    /// Whose members may ask for the first client certificate of any node, with kubeadm
    /// `system:bootstrappers:kubeadm:default-node-token`. Nobody may until this is said.
    pub fn bootstrap_groups(mut self, groups: impl IntoIterator<Item = Group>) -> Self {
        self.bootstrap_groups = groups.into_iter().collect();
        self
    }

    fn judge(&self, object: &CertificateSigningRequest) -> Option<Judge<'_>> {
        match object.signer_name().as_str() {
            signers::KUBELET_CLIENT => Some(Judge::KubeletClient),
            signers::KUBELET_SERVING => Some(Judge::KubeletServing),
            _ => {
                let mut policies = self.policies.iter();
                policies.find(|policy| policy.signer_name() == object.signer_name()).map(Judge::Policy)
            }
        }
    }

    fn kubelet_client(&self, object: &CertificateSigningRequest) -> Opinion {
        if asks_for_itself(object) {
            return Opinion::approve("the node asks for itself".to_owned());
        }
        if let Some(group) =
            object.groups().find(|group| self.bootstrap_groups.iter().any(|known| known.as_str() == *group))
        {
            return Opinion::approve(format!("a member of {group} asks for a node"));
        }
        match object.groups().any(|group| group == NODES) {
            true => Opinion::deny("RequesterNotAllowed", why_not_itself(object)),
            // The authorizer may know this user: it is asked by kube-controller-manager only.
            false => Opinion::not_mine(
                "UnknownRequester",
                format!("{}, nor in a bootstrap group", why_not_itself(object)),
            ),
        }
    }

    fn kubelet_serving(&self, object: &CertificateSigningRequest) -> Opinion {
        if !asks_for_itself(object) {
            return Opinion::deny("RequesterNotAllowed", why_not_itself(object));
        }
        let name = object.username().strip_prefix(NODE_USER).unwrap_or_default();
        let Some(node) = self.nodes.iter().find(|node| node.name().as_str() == name) else {
            return Opinion::not_mine(
                "UnknownNode",
                format!("the addresses of the node {name:?} are not known"),
            );
        };
        match object.request().sans().iter().find(|san| !node.has(san)) {
            None => Opinion::approve("the node asks for itself, for its own addresses".to_owned()),
            Some(other) => {
                Opinion::deny("NameNotAllowed", format!("{other} is no address of the node {}", node.name()))
            }
        }
    }
}

/// For people: the common name is anybody's text.
fn why_not_itself(object: &CertificateSigningRequest) -> String {
    let wanted = object.request().subject().common_name().unwrap_or_default();
    match wanted == object.username() {
        true => format!("{} is not in the group {NODES}", Printable(wanted)),
        false => format!("{:?} is not {}", object.username(), Printable(wanted)),
    }
}

/// Whether user and groups are those of the node that the certificate is for.
fn asks_for_itself(object: &CertificateSigningRequest) -> bool {
    object.request().subject().common_name() == Some(object.username())
        && object.groups().any(|group| group == NODES)
}

impl Opinion {
    fn approve(message: String) -> Self {
        // As kube-controller-manager calls it.
        Self(Verdict::Approve, "AutoApproved", message)
    }

    fn deny(reason: &'static str, message: String) -> Self {
        Self(Verdict::Deny, reason, message)
    }

    fn not_mine(reason: &'static str, message: String) -> Self {
        Self(Verdict::NotMine, reason, message)
    }
}

impl Review {
    /// What is to be done.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Why, as one word for programs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        self.reason
    }

    /// Why, for people.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Puts the condition into the object that the subresource `approval` takes. With [`Verdict::NotMine`] it stays as
    /// it is.
    ///
    /// # Errors
    ///
    /// [`Code::Changed`] when something was decided about the object meanwhile, or when it asks for something else than
    /// what was reviewed.
    pub fn apply(&self, object: &mut CertificateSigningRequest, now: Time) -> Result<()> {
        if *object.spec() != self.asked {
            return Err(Error::new(Code::Changed, "the request that was reviewed")
                .found("another")
                .field("spec"));
        }
        match self.verdict {
            Verdict::Approve => object.approve(self.reason, &self.message, now),
            Verdict::Deny => object.deny(self.reason, &self.message, now),
            Verdict::NotMine => Ok(()),
        }
    }
}

impl fmt::Debug for Review {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Review({self})")
    }
}

impl fmt::Display for Review {
    /// For people: `deny (NameNotAllowed): DNS:a is no address of the node n1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Approve => "approve",
            Verdict::Deny => "deny",
            Verdict::NotMine => "not mine",
        };
        write!(f, "{verdict} ({}): {}", self.reason, self.message)
    }
}
