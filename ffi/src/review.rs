//! What an approver of CertificateSigningRequests knows, and what it decides.

use std::ffi::{c_char, c_void};

use ::pki::certificates_api::{
    Context, NodeAddresses, Pattern, Review, SanPattern, SignerPolicy, Verdict, review,
};
use ::pki::{Group, Time, Usage};

use crate::csr::kubepki_csr;
use crate::error::{Fail, kubepki_error};
use crate::guard::{change, free, input, kubepki_text, look, make, out, seconds, some};

/// What may be approved for one signer: who may ask, and for what. All that is not allowed is denied.
pub struct kubepki_signer_policy {
    policy: SignerPolicy,
    allowed: Allowed,
}

/// All that a policy is told.
#[derive(Clone, Default)]
struct Allowed {
    requesters: Vec<Pattern>,
    common_names: Vec<Pattern>,
    organizations: Vec<Group>,
    sans: Vec<SanPattern>,
    usages: Vec<Usage>,
}

/// A policy for a signer of your own, such as `example.com/serving`, or for `kubernetes.io/kube-apiserver-client`, that
/// allows nothing yet.
///
/// Threads: any. Free `*out` by `kubepki_signer_policy_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_signer_policy_new(
    signer_name: *const c_char,
    signer_name_len: usize,
    out: *mut *mut kubepki_signer_policy,
) -> Option<Box<kubepki_error>> {
    let signer_name = input!(signer_name, signer_name_len);
    make(out!(out), || {
        let policy = SignerPolicy::new(signer_name.parse()?)?;
        Ok(kubepki_signer_policy { policy, allowed: Allowed::default() })
    })
}

/// Allows one thing more, of this kind:
///
/// - `requester`: users who may ask, by a pattern of the names that the API server saw;
/// - `common-name`: a pattern of common names. A request need not have one;
/// - `organization`: a group;
/// - `san`: a pattern of subject alternative names, such as `DNS:*.my-namespace.svc`, `IP:10.0.0.0/8`,
///   `URI:spiffe://example.com/ns/*/sa/*` or `email:*@example.com`;
/// - `usage`: such as `server auth` or `digital signature`.
///
/// In a pattern each `*` stands for one or more letters, digits, `-` and `_`.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_signer_policy_allow(
    policy: Option<&mut kubepki_signer_policy>,
    kind: *const c_char,
    kind_len: usize,
    value: *const c_char,
    value_len: usize,
) -> Option<Box<kubepki_error>> {
    let (kind, value) = (input!(kind, kind_len), input!(value, value_len));
    change("policy", policy, |known| {
        let (allowed, policy) = (&mut known.allowed, known.policy.clone());
        known.policy = match kind.text()? {
            "requester" => policy.requesters(more(&mut allowed.requesters, value.parse()?)),
            "common-name" => policy.common_names(more(&mut allowed.common_names, value.parse()?)),
            "organization" => policy.organizations(more(&mut allowed.organizations, value.parse()?)),
            "san" => policy.sans(more(&mut allowed.sans, value.parse()?)),
            "usage" => policy.usages(more(&mut allowed.usages, value.parse()?)),
            other => return Err(unknown_kind(other)),
        };
        Ok(())
    })
}

fn more<T: Clone>(list: &mut Vec<T>, one: T) -> Vec<T> {
    list.push(one);
    list.clone()
}

fn unknown_kind(kind: &str) -> Fail {
    kubepki_error::invalid("kind", "requester, common-name, organization, san or usage", kind)
}

/// The most seconds that may be asked for. A request must then ask for some, since the signer's own time may be longer.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_signer_policy_set_longest(
    policy: Option<&mut kubepki_signer_policy>,
    longest_seconds: u64,
) -> Option<Box<kubepki_error>> {
    change("policy", policy, |known| {
        known.policy = known.policy.clone().longest(seconds(longest_seconds));
        Ok(())
    })
}

/// Frees a policy. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_signer_policy_free(policy: Option<Box<kubepki_signer_policy>>) {
    free(policy);
}

/// What an approver knows of its cluster: nodes, policies of signers, and groups of bootstrap tokens.
#[derive(Default)]
pub struct kubepki_approver {
    context: Context,
    bootstrap_groups: Vec<Group>,
}

/// An approver that knows no node, no policy and no group. It approves what nodes may ask for without that: new client
/// certificates for themselves.
///
/// Threads: any. Free `*out` by `kubepki_approver_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_approver_new(out: *mut *mut kubepki_approver) -> Option<Box<kubepki_error>> {
    make(out!(out), || Ok(kubepki_approver::default()))
}

/// Tells it a node, or the node's new addresses: a Node object (`v1`) in YAML or JSON. Kubelets' serving certificates
/// need that. In an object from the API server the addresses are the kubelet's own word; those of an inventory can be
/// written in the same form.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_approver_set_node(
    approver: Option<&mut kubepki_approver>,
    yaml: *const c_void,
    yaml_len: usize,
) -> Option<Box<kubepki_error>> {
    let yaml = input!(yaml, yaml_len);
    tell(approver, |context| Ok(context.node(NodeAddresses::from_yaml(yaml.bytes()?)?)))
}

/// Tells it the policy of a signer, or the signer's new one, which is copied.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_approver_set_policy(
    approver: Option<&mut kubepki_approver>,
    policy: Option<&kubepki_signer_policy>,
) -> Option<Box<kubepki_error>> {
    tell(approver, |context| Ok(context.policy(some(policy, "policy")?.policy.clone())))
}

/// Adds a group whose members may ask for the first client certificate of any node, with kubeadm
/// `system:bootstrappers:kubeadm:default-node-token`.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_approver_add_bootstrap_group(
    approver: Option<&mut kubepki_approver>,
    group: *const c_char,
    group_len: usize,
) -> Option<Box<kubepki_error>> {
    let group = input!(group, group_len);
    change("approver", approver, |known| {
        let groups = more(&mut known.bootstrap_groups, group.parse()?);
        known.context = known.context.clone().bootstrap_groups(groups);
        Ok(())
    })
}

/// Frees an approver. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_approver_free(approver: Option<Box<kubepki_approver>>) {
    free(approver);
}

fn tell(
    approver: Option<&mut kubepki_approver>,
    what: impl FnOnce(Context) -> Result<Context, Fail>,
) -> Option<Box<kubepki_error>> {
    change("approver", approver, |known| {
        known.context = what(known.context.clone())?;
        Ok(())
    })
}

/// What an approver decides about a request, and why.
pub struct kubepki_review(Review);

/// What is to be done with a request.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum kubepki_verdict {
    /// To be left as it is, for another approver, for people or for later.
    #[default]
    KUBEPKI_VERDICT_NOT_MINE = 0,
    /// To be approved: its signer will accept it, and who asks may have it.
    KUBEPKI_VERDICT_APPROVE = 1,
    /// To be denied.
    KUBEPKI_VERDICT_DENY = 2,
}

/// Decides about a request as it came from the API server, which vouches for user and groups. It never approves what
/// kube-controller-manager would refuse to sign. The object stays as it is.
///
/// Threads: any at once. Free `*out` by `kubepki_review_free`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn kubepki_approver_review(
    approver: Option<&kubepki_approver>,
    csr: Option<&kubepki_csr>,
    out: *mut *mut kubepki_review,
) -> Option<Box<kubepki_error>> {
    make(out!(out), || {
        let (approver, csr) = (some(approver, "approver")?, some(csr, "csr")?);
        Ok(kubepki_review(review(&csr.object, &approver.context)))
    })
}

/// What is to be done.
///
/// Threads: any at once.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_review_verdict(review: Option<&kubepki_review>) -> kubepki_verdict {
    look(review, |review| match review.0.verdict() {
        Verdict::Approve => kubepki_verdict::KUBEPKI_VERDICT_APPROVE,
        Verdict::Deny => kubepki_verdict::KUBEPKI_VERDICT_DENY,
        _ => kubepki_verdict::KUBEPKI_VERDICT_NOT_MINE,
    })
}

/// Why, as one word for programs.
///
/// Threads: any at once. The view lives as long as the review.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_review_reason(review: Option<&kubepki_review>) -> kubepki_text {
    look(review, |review| review.0.reason().into())
}

/// Why, for people.
///
/// Threads: any at once. The view lives as long as the review.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_review_message(review: Option<&kubepki_review>) -> kubepki_text {
    look(review, |review| review.0.message().into())
}

/// Puts the condition into the object, which then goes to the subresource `approval`. What is not this approver's stays
/// as it is. `KUBEPKI_ERROR_CHANGED` when something was decided about the object meanwhile, or when it is not what was
/// reviewed.
///
/// Threads: one at a time.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_review_apply(
    review: Option<&kubepki_review>,
    csr: Option<&mut kubepki_csr>,
    now: i64,
) -> Option<Box<kubepki_error>> {
    change("csr", csr, |csr| {
        let review = &some(review, "review")?.0;
        csr.tell(|object| Ok(review.apply(object, Time::from_unix(now)?)?))
    })
}

/// Frees a review. NULL is allowed.
///
/// Threads: any, the last to use it.
#[unsafe(no_mangle)]
pub extern "C" fn kubepki_review_free(review: Option<Box<kubepki_review>>) {
    free(review);
}
