//! What the signers of Kubernetes accept: the table of kube-controller-manager.
//!
//! (kubernetes/kubernetes, pkg/controller/certificates/signer/signer.go and pkg/apis/certificates/helpers.go)

use std::collections::BTreeSet;

use super::CertificateSigningRequest;
use crate::names::SignerName;
use crate::role::{MASTERS, NODE_USER, NODES};
use crate::x509::{AlternativeName, Usage};

pub(super) const KUBE_APISERVER_CLIENT: &str = "kubernetes.io/kube-apiserver-client";
pub(super) const KUBELET_CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
pub(super) const KUBELET_SERVING: &str = "kubernetes.io/kubelet-serving";
const LEGACY_UNKNOWN: &str = "kubernetes.io/legacy-unknown";

/// One thing that a signer asks of a request.
enum Demand {
    /// The organizations are exactly `system:nodes`.
    NodesOrganization,
    /// The common name is a node's.
    NodeCommonName,
    /// There is a name of one of these kinds.
    Some(&'static [Kind]),
    /// There is no name of this kind.
    No(Kind),
    /// The usages are digital signature, this one, and perhaps key encipherment.
    ExactlyFor(Usage),
    /// The usages are this one, and perhaps digital signature and key encipherment.
    AtMostFor(Usage),
}

/// The kinds of subject alternative names, as the messages call them.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Dns,
    Email,
    Ip,
    Uri,
}

use Demand::{AtMostFor, ExactlyFor, No, NodeCommonName, NodesOrganization};

/// Each signer with what it asks for, in the order in which it looks.
const TABLE: [(&str, &[Demand]); 4] = [
    (
        KUBELET_SERVING,
        &[
            NodesOrganization,
            Demand::Some(&[Kind::Dns, Kind::Ip]),
            No(Kind::Email),
            No(Kind::Uri),
            ExactlyFor(Usage::ServerAuth),
            NodeCommonName,
        ],
    ),
    (
        KUBELET_CLIENT,
        &[
            NodesOrganization,
            No(Kind::Dns),
            No(Kind::Email),
            No(Kind::Ip),
            No(Kind::Uri),
            NodeCommonName,
            ExactlyFor(Usage::ClientAuth),
        ],
    ),
    (KUBE_APISERVER_CLIENT, &[AtMostFor(Usage::ClientAuth)]),
    (LEGACY_UNKNOWN, &[]),
];

/// Whether somebody here knows what this signer accepts: Kubernetes' own signers by the table, all others by their
/// policy.
pub(super) fn is_known(signer_name: &SignerName) -> bool {
    !signer_name.is_of_kubernetes() || TABLE.iter().any(|(name, _)| *name == signer_name.as_str())
}

/// What the API server forbids whoever creates such a request, in its words (plugin/pkg/admission/certificates,
/// subjectrestriction/admission.go).
pub(super) fn forbidden(object: &CertificateSigningRequest) -> Option<String> {
    let is_forbidden = object.signer_name().as_str() == KUBE_APISERVER_CLIENT
        && object.request().subject().organizations().any(|group| group == MASTERS);
    is_forbidden.then(|| format!("use of {KUBE_APISERVER_CLIENT} signer with {MASTERS} group is not allowed"))
}

/// What the signer of `object` would refuse it for, in Kubernetes' words.
pub(super) fn refusal(object: &CertificateSigningRequest) -> Option<String> {
    let (_, demands) = TABLE.iter().find(|(name, _)| *name == object.signer_name().as_str())?;
    demands.iter().find_map(|demand| demand.unmet_by(object))
}

impl Demand {
    fn unmet_by(&self, object: &CertificateSigningRequest) -> Option<String> {
        let subject = object.request().subject();
        let has = |kind| object.request().sans().iter().any(|san| Kind::of(san) == Some(kind));
        // Compared as they are spelled: to this rule `signing` is no digital signature.
        let spelled: BTreeSet<&str> = object.spelled_usages().collect();
        match *self {
            NodesOrganization => {
                (!subject.organizations().eq([NODES])).then(|| format!("subject organization is not {NODES}"))
            }
            NodeCommonName => (!subject.common_name().unwrap_or_default().starts_with(NODE_USER))
                .then(|| format!("subject common name does not begin with {NODE_USER}")),
            Self::Some(kinds) => (!kinds.iter().any(|kind| has(*kind))).then(|| {
                let kinds: Vec<_> = kinds.iter().map(|kind| kind.id()).collect();
                format!("{} subjectAltName is required", kinds.join(" or "))
            }),
            No(kind) => has(kind).then(|| format!("{} subjectAltNames are not allowed", kind.id())),
            ExactlyFor(usage) => {
                let mut needed = BTreeSet::from([Usage::DigitalSignature.id(), usage.id()]);
                let is_without = spelled == needed;
                needed.insert(Usage::KeyEncipherment.id());
                let sorted: Vec<_> = needed.iter().copied().collect();
                (!is_without && spelled != needed)
                    .then(|| format!("usages did not match [{}]", sorted.join(" ")))
            }
            AtMostFor(usage) => {
                let allowed = [Usage::DigitalSignature.id(), Usage::KeyEncipherment.id(), usage.id()];
                // In the order of the object.
                match object.spelled_usages().find(|spelled| !allowed.contains(spelled)) {
                    Some(other) => Some(format!("invalid usage for client certificate: {other}")),
                    None => (!spelled.contains(usage.id()))
                        .then(|| format!("missing required usage for client certificate: {usage}")),
                }
            }
        }
    }
}

impl Kind {
    fn of(san: &AlternativeName) -> Option<Self> {
        match san {
            AlternativeName::Dns(_) => Some(Self::Dns),
            AlternativeName::Email(_) => Some(Self::Email),
            AlternativeName::Ip(_) => Some(Self::Ip),
            AlternativeName::Uri(_) => Some(Self::Uri),
            AlternativeName::Other(_) => None,
        }
    }

    fn id(self) -> &'static str {
        match self {
            Self::Dns => "DNS",
            Self::Email => "Email",
            Self::Ip => "IP",
            Self::Uri => "URI",
        }
    }
}
