//! What an approver decides: what each signer's requests are approved for, denied for, and left alone for.

use std::time::Duration;

use kubepki::certificates_api::{
    CertificateSigningRequest, Context, NodeAddresses, Outcome, SIGNING_DURATION, SignerPolicy, State,
    Verdict, review,
};
use kubepki::{Code, Usage};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::forge::{self, Csr};
use super::{
    API_CLIENT, CLIENT, ENCIPHERMENT, KUBELET_CLIENT, KUBELET_SERVING, LEGACY_UNKNOWN, NODE, OWN, SERVER,
    SIGNATURE, forged, now, object, read, sign,
};
use crate::support::{issuer, openssl, refused, utf8};
use Verdict::{Approve, Deny, NotMine};

/// User, groups, subject, names, usages; verdict, reason and a part of the message.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
    Verdict,
    &'static str,
    &'static str,
);

const N1: &str = "system:node:n1";
const NODES: &[&str] = &["system:nodes", "system:authenticated"];
const BOOTSTRAP: &[&str] = &["system:bootstrappers", "system:bootstrappers:kubeadm:default-node-token"];
const FOR_SERVERS: &[&str] = &[SIGNATURE, SERVER];
const FOR_CLIENTS: &[&str] = &[SIGNATURE, CLIENT];
const FAILURE: &str = "SignerValidationFailure";

#[rustfmt::skip]
const KUBELET: &[Row] = &[
    (N1, NODES, NODE, &[], FOR_CLIENTS, Approve, "AutoApproved", "asks for itself"),
    (N1, NODES, NODE, &[], &[SIGNATURE, ENCIPHERMENT, CLIENT], Approve, "AutoApproved", "asks for itself"),
    ("system:bootstrap:abcdef", BOOTSTRAP, NODE, &[], FOR_CLIENTS, Approve, "AutoApproved", "a member of system:bootstrappers:kubeadm:default-node-token asks"),
    ("system:bootstrap:abcdef", BOOTSTRAP, "O=system:nodes/CN=system:node:other", &[], FOR_CLIENTS, Approve, "AutoApproved", ""),

    ("system:node:n2", NODES, NODE, &[], FOR_CLIENTS, Deny, "RequesterNotAllowed", "\"system:node:n2\" is not system:node:n1"),
    // Whom the authorizer may know.
    ("jane", &["system:authenticated"], NODE, &[], FOR_CLIENTS, NotMine, "UnknownRequester", "\"jane\" is not system:node:n1, nor in a bootstrap group"),
    ("", &[], NODE, &[], FOR_CLIENTS, NotMine, "UnknownRequester", "\"\""),
    // A user who calls himself so, and is no node.
    (N1, &["system:authenticated"], NODE, &[], FOR_CLIENTS, NotMine, "UnknownRequester", ""),
    ("jane", &["system:masters"], NODE, &[], FOR_CLIENTS, NotMine, "UnknownRequester", ""),
    ("jane", &["system:bootstrappers:other"], NODE, &[], FOR_CLIENTS, NotMine, "UnknownRequester", ""),
    (N1, NODES, NODE, &["DNS:n1"], FOR_CLIENTS, Deny, FAILURE, "DNS subjectAltNames are not allowed"),
    (N1, NODES, NODE, &[], FOR_SERVERS, Deny, FAILURE, "usages did not match"),
    (N1, NODES, "O=system:masters/CN=system:node:n1", &[], FOR_CLIENTS, Deny, FAILURE, "subject organization is not"),
    // What the signer looks at is the last common name, and so is what is compared with the user.
    (N1, NODES, "O=system:nodes/CN=system:node:n1/CN=system:node:n2", &[], FOR_CLIENTS, Deny, "RequesterNotAllowed", ""),
];

#[rustfmt::skip]
const SERVING: &[Row] = &[
    (N1, NODES, NODE, &["DNS:n1"], FOR_SERVERS, Approve, "AutoApproved", "its own addresses"),
    (N1, NODES, NODE, &["DNS:N1.Example.COM", "IP:192.0.2.1", "IP:2001:db8::1"], &[SIGNATURE, ENCIPHERMENT, SERVER], Approve, "AutoApproved", ""),
    (N1, NODES, NODE, &["IP:192.0.2.1"], FOR_SERVERS, Approve, "AutoApproved", ""),

    (N1, NODES, NODE, &["DNS:n1", "DNS:n2"], FOR_SERVERS, Deny, "NameNotAllowed", "DNS:n2 is no address of the node n1"),
    (N1, NODES, NODE, &["DNS:n1", "DNS:kubernetes"], FOR_SERVERS, Deny, "NameNotAllowed", "DNS:kubernetes"),
    (N1, NODES, NODE, &["DNS:*"], FOR_SERVERS, Deny, "NameNotAllowed", "DNS:*"),
    (N1, NODES, NODE, &["DNS:n1."], FOR_SERVERS, Deny, "NameNotAllowed", "DNS:n1."),
    (N1, NODES, NODE, &["DNS:192.0.2.1"], FOR_SERVERS, Deny, "NameNotAllowed", "DNS:192.0.2.1"),
    (N1, NODES, NODE, &["IP:192.0.2.2"], FOR_SERVERS, Deny, "NameNotAllowed", "IP:192.0.2.2"),
    (N1, NODES, NODE, &["IP:192.0.2.1", "IP:10.96.0.1"], FOR_SERVERS, Deny, "NameNotAllowed", "IP:10.96.0.1"),
    (N1, NODES, NODE, &["DNS:n1", "email:a@b"], FOR_SERVERS, Deny, FAILURE, "Email subjectAltNames are not allowed"),
    (N1, NODES, NODE, &[], FOR_SERVERS, Deny, FAILURE, "DNS or IP subjectAltName is required"),
    (N1, NODES, NODE, &["DNS:n1"], FOR_CLIENTS, Deny, FAILURE, "usages did not match"),
    ("system:node:n2", NODES, NODE, &["DNS:n1"], FOR_SERVERS, Deny, "RequesterNotAllowed", "\"system:node:n2\" is not system:node:n1"),
    (N1, &["system:authenticated"], NODE, &["DNS:n1"], FOR_SERVERS, Deny, "RequesterNotAllowed", "in the group system:nodes"),
    ("system:bootstrap:abcdef", BOOTSTRAP, NODE, &["DNS:n1"], FOR_SERVERS, Deny, "RequesterNotAllowed", ""),

    ("system:node:n9", NODES, "O=system:nodes/CN=system:node:n9", &["DNS:n9"], FOR_SERVERS, NotMine, "UnknownNode", "\"n9\""),
    ("system:node:", NODES, "O=system:nodes/CN=system:node:", &["DNS:n1"], FOR_SERVERS, NotMine, "UnknownNode", "\"\""),
];

const SERVICE: &str = "system:serviceaccount:my-namespace:default";
const WEB: &str = "CN=web.my-namespace.svc";

#[rustfmt::skip]
const SERVICES: &[Row] = &[
    (SERVICE, &[], WEB, &["DNS:web.my-namespace.svc", "IP:10.1.2.3", "URI:spiffe://a/ns/my-namespace", "email:a@example.com"], FOR_SERVERS, Approve, "AutoApproved", "policy"),
    (SERVICE, &[], "O=team-a/CN=web.my-namespace.svc", &[], &[SERVER], Approve, "AutoApproved", ""),
    (SERVICE, &[], "", &["DNS:web.my-namespace.svc"], &[SERVER], Approve, "AutoApproved", ""),
    (SERVICE, &[], WEB, &[], &["signing"], Approve, "AutoApproved", ""),

    ("jane", &[], WEB, &[], FOR_SERVERS, Deny, "RequesterNotAllowed", "\"jane\""),
    ("", &[], WEB, &[], FOR_SERVERS, Deny, "RequesterNotAllowed", "\"\""),
    ("system:serviceaccount:other:default", &[], WEB, &[], FOR_SERVERS, Deny, "RequesterNotAllowed", ""),
    (SERVICE, &[], "CN=web.other.svc", &[], FOR_SERVERS, Deny, "SubjectNotAllowed", "\"web.other.svc\""),
    (SERVICE, &[], "CN=a.b.my-namespace.svc", &[], FOR_SERVERS, Deny, "SubjectNotAllowed", ""),
    (SERVICE, &[], "CN=admin/CN=web.my-namespace.svc", &[], FOR_SERVERS, Deny, "SubjectNotAllowed", "\"admin\""),
    (SERVICE, &[], "CN=web.my-namespace.svc/CN=admin", &[], FOR_SERVERS, Deny, "SubjectNotAllowed", "\"admin\""),
    (SERVICE, &[], "CN=", &[], FOR_SERVERS, Deny, "SubjectNotAllowed", "\"\""),
    (SERVICE, &[], "O=team-b/CN=web.my-namespace.svc", &[], FOR_SERVERS, Deny, "SubjectNotAllowed", "\"team-b\""),
    (SERVICE, &[], "O=team-a/O=system:masters", &[], FOR_SERVERS, Deny, "SubjectNotAllowed", "\"system:masters\""),
    (SERVICE, &[], "OU=team-a/CN=web.my-namespace.svc", &[], FOR_SERVERS, Deny, "SubjectNotAllowed", "attribute OU"),
    (SERVICE, &[], "emailAddress=a@b", &[], FOR_SERVERS, Deny, "SubjectNotAllowed", "attribute 1.2.840.113549.1.9.1"),
    (SERVICE, &[], WEB, &["DNS:web.my-namespace.svc", "DNS:web.other.svc"], FOR_SERVERS, Deny, "NameNotAllowed", "DNS:web.other.svc"),
    (SERVICE, &[], WEB, &["DNS:*.my-namespace.svc"], FOR_SERVERS, Deny, "NameNotAllowed", "DNS:*.my-namespace.svc"),
    (SERVICE, &[], WEB, &["IP:11.0.0.1"], FOR_SERVERS, Deny, "NameNotAllowed", "IP:11.0.0.1"),
    (SERVICE, &[], WEB, &["URI:spiffe://a/ns/other"], FOR_SERVERS, Deny, "NameNotAllowed", "URI:spiffe://a/ns/other"),
    (SERVICE, &[], WEB, &["email:a@example.org"], FOR_SERVERS, Deny, "NameNotAllowed", "email:a@example.org"),
    (SERVICE, &[], WEB, &["RID:1.2.3"], FOR_SERVERS, Deny, "NameNotAllowed", "RID:1.2.3"),
    (SERVICE, &[], WEB, &[], &[SIGNATURE, CLIENT], Deny, "UsageNotAllowed", "client auth"),
    (SERVICE, &[], WEB, &[], &["cert sign"], Deny, "UsageNotAllowed", "cert sign"),
    (SERVICE, &[], WEB, &[], &["any"], Deny, "UsageNotAllowed", "any"),
];

#[rustfmt::skip]
const CLIENTS: &[Row] = &[
    ("jane", &[], "O=team-a/CN=jbeda", &[], FOR_CLIENTS, Approve, "AutoApproved", "policy"),
    ("jane", &[], "O=system:masters/CN=jbeda", &[], FOR_CLIENTS, Deny, "GroupNotAllowed", "system:masters group is not allowed"),
    ("jane", &[], "O=team-a/CN=jbeda", &[], &[SIGNATURE, SERVER], Deny, FAILURE, "invalid usage for client certificate: server auth"),
    ("jane", &[], "O=team-a/CN=jbeda", &[], &[SIGNATURE], Deny, FAILURE, "missing required usage"),
];

#[rustfmt::skip]
const NOBODYS: &[Row] = &[
    (N1, NODES, NODE, &[], FOR_CLIENTS, NotMine, "UnknownSigner", "there is no policy for"),
    ("jane", &["system:masters"], "CN=a", &["DNS:a"], FOR_SERVERS, NotMine, "UnknownSigner", ""),
];

fn context() -> Context {
    let n1 = ["n1", "n1.example.com", "192.0.2.1", "2001:db8::1"].map(|address| address.parse().unwrap());
    let usages = [Usage::DigitalSignature, Usage::ServerAuth];
    let names =
        ["DNS:*.my-namespace.svc", "IP:10.0.0.0/8", "URI:spiffe://a/ns/my-namespace", "email:*@example.com"];
    let services = SignerPolicy::new(OWN.parse().unwrap())
        .unwrap()
        .requesters(["system:serviceaccount:my-namespace:*".parse().unwrap()])
        .common_names(["*.my-namespace.svc".parse().unwrap()])
        .organizations(["team-a".parse().unwrap()])
        .sans(names.map(|name| name.parse().unwrap()))
        .usages(usages);
    let clients = SignerPolicy::new(API_CLIENT.parse().unwrap())
        .unwrap()
        .requesters(["jane".parse().unwrap()])
        .common_names(["jbeda".parse().unwrap()])
        .organizations(["team-a".parse().unwrap()])
        .usages([Usage::DigitalSignature, Usage::KeyEncipherment, Usage::ClientAuth, Usage::ServerAuth]);
    Context::default()
        .bootstrap_groups(["system:bootstrappers:kubeadm:default-node-token".parse().unwrap()])
        .node(NodeAddresses::new("n1".parse().unwrap(), n1))
        .policy(services)
        .policy(clients)
}

fn asked(mut object: Value, user: &str, groups: &[&str]) -> CertificateSigningRequest {
    object["spec"]["username"] = json!(user);
    object["spec"]["groups"] = json!(groups);
    read(&object)
}

#[test]
fn each_signers_requests_are_approved_denied_or_left_alone() {
    let context = context();
    let table = [
        (KUBELET_CLIENT, KUBELET),
        (KUBELET_SERVING, SERVING),
        (OWN, SERVICES),
        (API_CLIENT, CLIENTS),
        (LEGACY_UNKNOWN, NOBODYS),
        ("kubernetes.io/other", NOBODYS),
        ("example.com/other", NOBODYS),
    ];
    for (signer, rows) in table {
        for (user, groups, subject, sans, usages, verdict, reason, message) in rows {
            let case = format!("{signer} {user:?} {groups:?} {subject:?} {sans:?} {usages:?}");
            let mut object = asked(forged(&Csr::new(subject).sans(sans), signer, usages), user, groups);
            let found = review(&object, &context);
            assert_eq!((found.verdict(), found.reason()), (*verdict, *reason), "{case}: {found}");
            assert!(found.message().contains(message), "{case}: {found}");
            found.apply(&mut object, now()).unwrap();
            let (state, condition) = match verdict {
                Approve => (State::Approved, Some("Approved")),
                Deny => (State::Denied, Some("Denied")),
                _ => (State::Pending, None),
            };
            assert_eq!(object.state(), state, "{case}");
            let written: Value = serde_json::from_str(&object.to_json()).unwrap();
            let expected = condition.map(|kind| {
                json!([{
                    "type": kind,
                    "status": "True",
                    "reason": reason,
                    "message": found.message(),
                    "lastUpdateTime": "2026-11-22T09:00:00Z",
                }])
            });
            assert_eq!(written["status"].get("conditions"), expected.as_ref(), "{case}");
        }
    }
}

#[test]
fn without_a_word_of_the_cluster_only_kubelets_clients_are_decided_about() {
    let context = Context::default();
    for (signer, user, sans, usages, expected) in [
        (KUBELET_CLIENT, N1, &[][..], FOR_CLIENTS, Approve),
        (KUBELET_SERVING, N1, &["DNS:n1"], FOR_SERVERS, NotMine),
        (API_CLIENT, "jane", &[], FOR_CLIENTS, NotMine),
        (OWN, "jane", &[], FOR_SERVERS, NotMine),
        (LEGACY_UNKNOWN, N1, &[], FOR_CLIENTS, NotMine),
    ] {
        let object = asked(forged(&Csr::new(NODE).sans(sans), signer, usages), user, NODES);
        assert_eq!(review(&object, &context).verdict(), expected, "{signer}");
    }
    // Not even without a policy: the API server would not have let it in.
    let object = asked(forged(&Csr::new("O=system:masters"), API_CLIENT, FOR_CLIENTS), "jane", NODES);
    assert_eq!(review(&object, &context).verdict(), Deny);
}

#[test]
fn the_bootstrap_groups_are_those_of_the_context() {
    let kubeadm = "system:bootstrappers:kubeadm:default-node-token";
    let context = Context::default().bootstrap_groups([kubeadm.parse().unwrap()]);
    let default = Context::default();
    for (context, group, expected) in [
        (&default, "system:bootstrappers", NotMine),
        (&default, kubeadm, NotMine),
        (&context, kubeadm, Approve),
        (&context, "system:bootstrappers", NotMine),
        (&context, "", NotMine),
    ] {
        let object = forged(&Csr::new(NODE), KUBELET_CLIENT, FOR_CLIENTS);
        let object = asked(object, "system:bootstrap:abcdef", &["system:authenticated", group]);
        assert_eq!(review(&object, context).verdict(), expected, "{group:?}");
    }
}

#[test]
fn a_verdict_holds_for_what_was_reviewed() {
    let mine = asked(forged(&Csr::new(NODE), KUBELET_CLIENT, FOR_CLIENTS), N1, NODES);
    let review = review(&mine, &context());
    assert_eq!(review.verdict(), Approve);
    let others = [
        asked(forged(&Csr::new("O=system:nodes/CN=system:node:n2"), KUBELET_CLIENT, FOR_CLIENTS), N1, NODES),
        asked(forged(&Csr::new(NODE), KUBELET_CLIENT, &[SIGNATURE, ENCIPHERMENT, CLIENT]), N1, NODES),
        asked(forged(&Csr::new(NODE), OWN, FOR_CLIENTS), N1, NODES),
        asked(forged(&Csr::new(NODE), KUBELET_CLIENT, FOR_CLIENTS), "jane", NODES),
    ];
    for mut other in others {
        refused(review.apply(&mut other, now()), Code::Changed, &["spec", "the request that was reviewed"]);
        assert_eq!(other.state(), State::Pending);
    }
    review.apply(&mut mine.clone(), now()).unwrap();
}

#[test]
fn the_longest_lifetime_of_a_policy_must_be_asked_for() {
    let policy = SignerPolicy::new(OWN.parse().unwrap())
        .unwrap()
        .requesters(["*".parse().unwrap()])
        .common_names(["jbeda".parse().unwrap()])
        .usages([Usage::ClientAuth])
        .longest(Duration::from_secs(3600));
    let context = Context::default().policy(policy);
    for (wanted, expected) in [
        (json!(600), Ok(())),
        (json!(3600), Ok(())),
        (json!(3601), Err("3601 seconds are more than the 3600 that are allowed")),
        (json!(null), Err("expirationSeconds of at most 3600 is required")),
    ] {
        let mut object = forged(&Csr::new("CN=jbeda"), OWN, &[CLIENT]);
        object["spec"]["expirationSeconds"] = wanted;
        let found = review(&asked(object, "jane", &[]), &context);
        let verdict = if expected.is_ok() { Approve } else { Deny };
        assert_eq!(found.verdict(), verdict, "{found}");
        assert!(expected.is_ok() || found.reason() == "LifetimeNotAllowed", "{found}");
        assert!(found.message().contains(expected.err().unwrap_or_default()), "{found}");
    }
}

#[test]
fn a_new_policy_allows_nothing_and_a_later_one_counts() {
    let policy = || SignerPolicy::new(OWN.parse().unwrap()).unwrap();
    let object = asked(forged(&Csr::new("CN=jbeda"), OWN, &[CLIENT]), "jane", &[]);
    assert_eq!(review(&object, &Context::default().policy(policy())).reason(), "RequesterNotAllowed");
    let open = policy()
        .requesters(["*".parse().unwrap()])
        .common_names(["*".parse().unwrap()])
        .usages([Usage::ClientAuth]);
    let context = Context::default().policy(policy()).policy(open.clone());
    assert_eq!(review(&object, &context).verdict(), Approve);
    let nobody = asked(forged(&Csr::new(""), OWN, &[CLIENT]), "jane", &[]);
    assert_eq!(review(&nobody, &context).message(), "it names nobody");
    assert_eq!(review(&object, &context.policy(policy())).verdict(), Deny);
    // A name that looks like the signer's is another's.
    let other = asked(forged(&Csr::new("CN=jbeda"), "example.com/serving.a", &[CLIENT]), "jane", &[]);
    assert_eq!(review(&other, &Context::default().policy(open)).verdict(), NotMine);
}

#[test]
fn the_signers_of_kubelets_take_no_policy() {
    for signer in
        [KUBELET_CLIENT, KUBELET_SERVING, LEGACY_UNKNOWN, "kubernetes.io/other", "a.kubernetes.io/b"]
    {
        let parts = ["signer name", "a signer of your own or kubernetes.io/kube-apiserver-client", signer];
        refused(SignerPolicy::new(signer.parse().unwrap()), Code::Invalid, &parts);
    }
}

/// As `kubectl get node n1 -o yaml` shows it.
const NODE_OBJECT: &str = "\
apiVersion: v1
kind: Node
metadata:
  annotations:
    node.alpha.kubernetes.io/ttl: \"0\"
  creationTimestamp: \"2026-11-22T08:00:00Z\"
  labels:
    kubernetes.io/hostname: n1
  name: n1
  resourceVersion: \"451\"
  uid: 6c1e9a05-5b3e-4a5c-9b0c-0f8f4a3f3a55
spec:
  podCIDR: 10.244.0.0/24
status:
  addresses:
  - address: 192.0.2.1
    type: InternalIP
  - address: 2001:db8::1
    type: InternalIP
  - address: N1.Example.com
    type: Hostname
  - address: 203.0.113.7
    type: ExternalIP
  capacity:
    cpu: \"2\"
  conditions:
  - status: \"True\"
    type: Ready
  nodeInfo:
    kubeletVersion: v1.36.3
";

#[test]
fn the_addresses_of_a_node_are_read_from_its_object() {
    let context = Context::default().node(NodeAddresses::from_yaml(NODE_OBJECT.as_bytes()).unwrap());
    let with = |sans: &[&str], context: &Context| {
        let object = forged(&Csr::new(NODE).sans(sans), KUBELET_SERVING, FOR_SERVERS);
        review(&asked(object, N1, NODES), context).verdict()
    };
    let all = ["IP:192.0.2.1", "IP:2001:db8::1", "DNS:n1.example.com", "IP:203.0.113.7"];
    assert_eq!(with(&all, &context), Approve);
    // The name is no address.
    assert_eq!(with(&["DNS:n1"], &context), Deny);
    assert_eq!(with(&["IP:192.0.2.2"], &context), Deny);
    // A node that moved has its new addresses only.
    let moved = NODE_OBJECT.replace("192.0.2.1", "192.0.2.2");
    let context = context.node(NodeAddresses::from_yaml(moved.as_bytes()).unwrap());
    assert_eq!(with(&["IP:192.0.2.1"], &context), Deny);
    assert_eq!(with(&["IP:192.0.2.2"], &context), Approve);
}

#[test]
fn what_is_no_node_is_refused() {
    for (document, code, parts) in [
        (NODE_OBJECT.replace("kind: Node", "kind: Pod"), Code::Unsupported, ["kind", "Node", "\"Pod\""]),
        (
            NODE_OBJECT.replace("apiVersion: v1", "apiVersion: v2"),
            Code::Unsupported,
            ["apiVersion", "v1", "\"v2\""],
        ),
        (
            NODE_OBJECT.replace("name: n1", "name: N_1"),
            Code::Invalid,
            ["metadata.name", "RFC 1123", "\"N_1\""],
        ),
        (NODE_OBJECT.replace("  name: n1\n", ""), Code::Invalid, ["metadata.name", "node name", ""]),
        (
            NODE_OBJECT.replace("address: 192.0.2.1", "address: [192.0.2.1]"),
            Code::Malformed,
            ["status.addresses[0].address", "text", "a list"],
        ),
        ("[".repeat(1000), Code::Malformed, ["", "", ""]),
        (String::new(), Code::Malformed, ["Node", "a mapping", ""]),
    ] {
        refused(NodeAddresses::from_yaml(document.as_bytes()), code, &parts);
    }
}

#[test]
fn what_was_decided_is_left_alone() {
    for (conditions, certificate, message) in [
        (
            json!([{ "type": "Approved", "status": "True", "message": "by hand" }]),
            None,
            "it is approved: \"by hand\"",
        ),
        (json!([{ "type": "Denied", "status": "True" }]), None, "it is denied"),
        (json!([{ "type": "Failed", "status": "True", "message": "" }]), None, "it has failed"),
        (json!([]), Some("aGVsbG8="), "it has its certificate already"),
    ] {
        // Also where it would be denied.
        for user in [N1, "jane"] {
            let mut object = forged(&Csr::new(NODE), KUBELET_CLIENT, FOR_CLIENTS);
            object["status"] = json!({ "conditions": conditions });
            if let Some(certificate) = certificate {
                object["status"]["certificate"] = json!(certificate);
            }
            let mut object = asked(object, user, NODES);
            let found = review(&object, &context());
            assert_eq!((found.verdict(), found.reason()), (NotMine, "AlreadyDecided"));
            assert_eq!(found.message(), message);
            let before = object.clone();
            found.apply(&mut object, now()).unwrap();
            assert_eq!(object, before);
        }
    }
}

#[test]
fn a_verdict_is_applied_once_and_to_what_is_not_decided() {
    for user in [N1, "system:node:n2"] {
        let mut object = asked(forged(&Csr::new(NODE), KUBELET_CLIENT, FOR_CLIENTS), user, NODES);
        let mut other = object.clone();
        let found = review(&object, &context());
        found.apply(&mut object, now()).unwrap();
        let before = object.clone();
        let decided = object.state().to_string();
        refused(found.apply(&mut object, now()), Code::Changed, &["nothing was decided", &decided]);
        assert_eq!(object, before);
        // Somebody was faster.
        other.deny("Mine", "no", now()).unwrap();
        refused(found.apply(&mut other, now()), Code::Changed, &["one that is denied: \"no\""]);
        refused(other.approve("Mine", "yes", now()), Code::Changed, &["one that is denied: \"no\""]);
    }
}

#[test]
fn a_request_without_proof_of_possession_is_denied() {
    let mut der = Csr::new(NODE).der();
    *der.last_mut().unwrap() ^= 1;
    // Somebody else's request with another name in it.
    let renamed = String::from_utf8_lossy(&Csr::new(NODE).der()).contains("n1").then(|| {
        let mut der = Csr::new(NODE).der();
        let place = der.windows(2).position(|window| window == b"n1").unwrap();
        der[place + 1] = b'2';
        der
    });
    for (der, user) in [(der, N1), (renamed.unwrap(), "system:node:n2")] {
        let pem = forge::pem("CERTIFICATE REQUEST", &der);
        let found = review(&asked(object(&pem, KUBELET_CLIENT, FOR_CLIENTS), user, NODES), &context());
        assert_eq!((found.verdict(), found.reason()), (Deny, "ProofOfPossessionFailed"));
        assert!(found.message().contains("a signature by the key that the request is for"), "{found}");
    }
}

#[test]
fn keys_that_are_not_certified_here_are_left_to_others() {
    let keys: [&[&str]; 6] = [
        &["rsa:1024"],
        &["rsa:2048", "-sha1"],
        &["rsa:2048", "-pkeyopt", "rsa_keygen_pubexp:3"],
        &["ed25519"],
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-521"],
        &["ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"],
    ];
    for key in keys {
        let arguments = ["req", "-new", "-noenc", "-keyout", "/dev/null", "-newkey"];
        let subject = ["-subj", "/O=system:nodes/CN=system:node:n1"];
        let pem = utf8(openssl(&[&arguments, key, &subject].concat(), &[]).unwrap());
        let mut object = asked(object(&pem, KUBELET_CLIENT, FOR_CLIENTS), N1, NODES);
        let found = review(&object, &context());
        assert_eq!((found.verdict(), found.reason()), (NotMine, "UnsupportedKey"), "{key:?}: {found}");
        // Nor are they signed, if somebody else approves.
        object.approve("Test", "", now()).unwrap();
        let before = object.clone();
        refused(sign(&mut object, issuer(), SIGNING_DURATION, kubepki::Time::now()), Code::Unsupported, &[]);
        assert_eq!(object, before, "{key:?}");
    }
}

#[test]
fn a_review_is_shown_to_people() {
    let object = asked(forged(&Csr::new(NODE).sans(&["DNS:a"]), KUBELET_SERVING, FOR_SERVERS), N1, NODES);
    let found = review(&object, &context());
    assert_eq!(found.to_string(), "deny (NameNotAllowed): DNS:a is no address of the node n1");
    // It is as long as a person reads, and nothing in it moves a terminal's cursor.
    let long = format!("DNS:{}", "\u{7f}".repeat(100_000));
    let object = asked(forged(&Csr::new(NODE).sans(&[&long]), KUBELET_SERVING, FOR_SERVERS), N1, NODES);
    assert_eq!(review(&object, &context()).message().len(), 1003);
    for (user, subject, san) in [
        ("\u{1b}[2J", NODE, "DNS:n1"),
        (N1, NODE, "DNS:\u{1b}[2J\n"),
        (N1, "O=system:nodes/CN=system:node:\u{9b}a", "DNS:n1"),
    ] {
        let object =
            asked(forged(&Csr::new(subject).sans(&[san]), KUBELET_SERVING, FOR_SERVERS), user, NODES);
        let shown = review(&object, &context()).to_string();
        assert!(!shown.contains(char::is_control), "{shown:?}");
    }
}

/// A piece of a request that is often right.
fn often<T: Clone + std::fmt::Debug + 'static>(right: Vec<T>, wrong: Vec<T>) -> impl Strategy<Value = T> {
    prop_oneof![9 => select(right), 1 => select(wrong)]
}

fn request() -> impl Strategy<Value = (Value, &'static str, Vec<&'static str>)> {
    let subject = often(
        vec![NODE, "CN=jbeda", "O=team-a/CN=jbeda", WEB, "", "O=team-a"],
        vec!["O=system:masters", "OU=a/CN=a", "CN=\u{e9}", "emailAddress=a@b"],
    );
    let san = often(
        vec![
            "DNS:n1",
            "IP:192.0.2.1",
            "DNS:web.my-namespace.svc",
            "IP:10.1.2.3",
            "URI:spiffe://a/ns/my-namespace",
        ],
        vec![
            "email:a@example.com",
            "email: @example.com",
            "RID:1.2.3",
            "DNS:*",
            "IP:::ffff:10.0.0.1",
            "DNS:N1",
        ],
    );
    let signer = select(vec![KUBELET_CLIENT, KUBELET_SERVING, API_CLIENT, OWN]);
    let usages = select(vec![
        vec![SIGNATURE, CLIENT],
        vec![SIGNATURE, SERVER],
        vec![SIGNATURE, ENCIPHERMENT, SERVER],
        vec![SERVER],
        vec!["signing", CLIENT],
        vec!["signing"],
    ]);
    let user = often(vec![N1, SERVICE, "jane"], vec!["system:bootstrap:a"]);
    let groups = select(vec![vec!["system:nodes"], vec!["system:bootstrappers"], vec![]]);
    (subject, vec(san, 0..3), signer, usages, user, groups).prop_map(
        |(subject, sans, signer, usages, user, groups)| {
            (forged(&Csr::new(subject).sans(&sans), signer, &usages), user, groups)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_is_approved_is_issued((object, user, groups) in request(), seconds in proptest::option::of(600..i32::MAX)) {
        let mut object = object;
        object["spec"]["expirationSeconds"] = json!(seconds);
        let mut object = asked(object, user, &groups);
        let found = review(&object, &context());
        found.apply(&mut object, now()).unwrap();
        let outcome = sign(&mut object, issuer(), SIGNING_DURATION, kubepki::Time::now());
        if found.verdict() == Approve {
            prop_assert_eq!(outcome.unwrap(), Outcome::Issued);
            let certificate = object.certificates().unwrap().remove(0);
            let usages: Vec<_> = certificate.usages().iter().collect();
            prop_assert_eq!(usages.len(), object.usages().len());
            // Nobody becomes an administrator by this.
            let groups = certificate.identity().groups().map(str::to_owned).collect::<Vec<_>>();
            prop_assert!(!groups.contains(&"system:masters".to_owned()));
        } else {
            prop_assert!(matches!(outcome, Ok(Outcome::Skipped(_))));
        }
    }
}
