//! What the signers of Kubernetes accept, and how they refuse.

use kubepki::certificates_api::{self, CertificateSigningRequest, Outcome, SIGNING_DURATION, State};
use kubepki::{Code, Convention, KeyAlgorithm, role};
use serde_json::{Value, json};

use super::forge::Csr;
use super::{
    API_CLIENT, CLIENT, ENCIPHERMENT, KUBELET_CLIENT, KUBELET_SERVING, LEGACY_UNKNOWN, NODE, OWN, SERVER,
    SIGNATURE, approved, forged, now, object, read, sign,
};
use crate::support::{cluster, control_plane, issuer, openssl, refused, utf8};

const NOT_NODES: &str = "subject organization is not system:nodes";
const NOT_A_NODE: &str = "subject common name does not begin with system:node:";
const NAME_REQUIRED: &str = "DNS or IP subjectAltName is required";
const NO_DNS: &str = "DNS subjectAltNames are not allowed";
const NO_EMAIL: &str = "Email subjectAltNames are not allowed";
const NO_IP: &str = "IP subjectAltNames are not allowed";
const NO_URI: &str = "URI subjectAltNames are not allowed";
const NOT_SERVING: &str = "usages did not match [digital signature key encipherment server auth]";
const NOT_CLIENT: &str = "usages did not match [client auth digital signature key encipherment]";
const NO_CLIENT: &str = "missing required usage for client certificate: client auth";
const ISSUED: &str = "";

/// Subject, alternative names, usages, and the message of the refusal: the words of kube-controller-manager
/// (kubernetes/kubernetes, pkg/apis/certificates/helpers.go and pkg/controller/certificates/signer/signer.go).
type Row = (&'static str, &'static [&'static str], &'static [&'static str], &'static str);

const FOR_SERVERS: &[&str] = &[SIGNATURE, SERVER];
const FOR_CLIENTS: &[&str] = &[SIGNATURE, CLIENT];

#[rustfmt::skip]
const SERVING: &[Row] = &[
    (NODE, &["DNS:n1"], FOR_SERVERS, ISSUED),
    (NODE, &["DNS:n1"], &[SIGNATURE, ENCIPHERMENT, SERVER], ISSUED),
    (NODE, &["DNS:n1"], &[SERVER, ENCIPHERMENT, SIGNATURE], ISSUED),
    (NODE, &["IP:192.0.2.1"], FOR_SERVERS, ISSUED),
    (NODE, &["IP:192.0.2.1", "DNS:anything.example.com", "DNS:*"], FOR_SERVERS, ISSUED),
    (NODE, &["DNS:n1", "RID:1.2.3"], FOR_SERVERS, ISSUED),
    ("CN=system:node:n1/O=system:nodes", &["DNS:n1"], FOR_SERVERS, ISSUED),
    ("OU=a/O=system:nodes/CN=system:node:", &["DNS:n1"], FOR_SERVERS, ISSUED),
    ("O=system:nodes/CN=a/CN=system:node:n1", &["DNS:n1"], FOR_SERVERS, ISSUED),

    ("CN=system:node:n1", &["DNS:n1"], FOR_SERVERS, NOT_NODES),
    ("O=system:node/CN=system:node:n1", &["DNS:n1"], FOR_SERVERS, NOT_NODES),
    ("O=System:nodes/CN=system:node:n1", &["DNS:n1"], FOR_SERVERS, NOT_NODES),
    ("O=system:nodes/O=system:nodes/CN=system:node:n1", &["DNS:n1"], FOR_SERVERS, NOT_NODES),
    ("O=system:nodes+O=system:masters/CN=system:node:n1", &["DNS:n1"], FOR_SERVERS, NOT_NODES),
    ("OU=system:nodes/CN=system:node:n1", &["DNS:n1"], FOR_SERVERS, NOT_NODES),
    (NODE, &[], FOR_SERVERS, NAME_REQUIRED),
    (NODE, &["email:a@b"], FOR_SERVERS, NAME_REQUIRED),
    (NODE, &["URI:a:b"], FOR_SERVERS, NAME_REQUIRED),
    (NODE, &["RID:1.2.3"], FOR_SERVERS, NAME_REQUIRED),
    (NODE, &["DNS:n1", "email:a@b"], FOR_SERVERS, NO_EMAIL),
    (NODE, &["DNS:n1", "URI:a:b"], FOR_SERVERS, NO_URI),
    (NODE, &["DNS:n1"], &[SERVER], NOT_SERVING),
    (NODE, &["DNS:n1"], &[SIGNATURE], NOT_SERVING),
    (NODE, &["DNS:n1"], &[ENCIPHERMENT, SERVER], NOT_SERVING),
    (NODE, &["DNS:n1"], FOR_CLIENTS, NOT_SERVING),
    (NODE, &["DNS:n1"], &[SIGNATURE, SERVER, CLIENT], NOT_SERVING),
    (NODE, &["DNS:n1"], &["signing", SERVER], NOT_SERVING),
    (NODE, &["DNS:n1"], &["signing", SIGNATURE, SERVER], NOT_SERVING),
    ("O=system:nodes/CN=n1", &["DNS:n1"], FOR_SERVERS, NOT_A_NODE),
    ("O=system:nodes", &["DNS:n1"], FOR_SERVERS, NOT_A_NODE),
    ("O=system:nodes/CN=system:node:n1/CN=a", &["DNS:n1"], FOR_SERVERS, NOT_A_NODE),
    ("O=system:nodes/CN=System:node:n1", &["DNS:n1"], FOR_SERVERS, NOT_A_NODE),

    // Wrong in two ways: the first counts.
    ("CN=a", &[], FOR_CLIENTS, NOT_NODES),
    ("O=system:nodes/CN=a", &["email:a@b"], FOR_CLIENTS, NAME_REQUIRED),
    ("O=system:nodes/CN=a", &["DNS:n1", "URI:a:b", "email:a@b"], FOR_CLIENTS, NO_EMAIL),
    ("O=system:nodes/CN=a", &["DNS:n1", "URI:a:b"], FOR_CLIENTS, NO_URI),
    ("O=system:nodes/CN=a", &["DNS:n1"], FOR_CLIENTS, NOT_SERVING),
];

#[rustfmt::skip]
const KUBELET: &[Row] = &[
    (NODE, &[], FOR_CLIENTS, ISSUED),
    (NODE, &[], &[SIGNATURE, ENCIPHERMENT, CLIENT], ISSUED),
    (NODE, &[], &[CLIENT, SIGNATURE], ISSUED),
    (NODE, &["RID:1.2.3", "dirName:CN=a"], FOR_CLIENTS, ISSUED),
    ("CN=system:node:a b/O=system:nodes/L=x", &[], FOR_CLIENTS, ISSUED),

    ("CN=system:node:n1", &[], FOR_CLIENTS, NOT_NODES),
    ("O=system:masters/CN=system:node:n1", &[], FOR_CLIENTS, NOT_NODES),
    ("O=system:nodes/O=system:masters/CN=system:node:n1", &[], FOR_CLIENTS, NOT_NODES),
    (NODE, &["DNS:n1"], FOR_CLIENTS, NO_DNS),
    (NODE, &["DNS:"], FOR_CLIENTS, NO_DNS),
    (NODE, &["email:a@b"], FOR_CLIENTS, NO_EMAIL),
    (NODE, &["IP:192.0.2.1"], FOR_CLIENTS, NO_IP),
    (NODE, &["URI:a:b"], FOR_CLIENTS, NO_URI),
    ("O=system:nodes/CN=n1", &[], FOR_CLIENTS, NOT_A_NODE),
    ("O=system:nodes", &[], FOR_CLIENTS, NOT_A_NODE),
    (NODE, &[], &[CLIENT], NOT_CLIENT),
    (NODE, &[], &[SIGNATURE], NOT_CLIENT),
    (NODE, &[], &[SIGNATURE, ENCIPHERMENT], NOT_CLIENT),
    (NODE, &[], FOR_SERVERS, NOT_CLIENT),
    (NODE, &[], &[SIGNATURE, CLIENT, SERVER], NOT_CLIENT),
    (NODE, &[], &["signing", CLIENT], NOT_CLIENT),

    ("CN=a", &["DNS:n1"], FOR_SERVERS, NOT_NODES),
    ("O=system:nodes/CN=a", &["URI:a:b", "IP:192.0.2.1", "email:a@b", "DNS:n1"], FOR_SERVERS, NO_DNS),
    ("O=system:nodes/CN=a", &["URI:a:b", "IP:192.0.2.1", "email:a@b"], FOR_SERVERS, NO_EMAIL),
    ("O=system:nodes/CN=a", &["URI:a:b", "IP:192.0.2.1"], FOR_SERVERS, NO_IP),
    ("O=system:nodes/CN=a", &["URI:a:b"], FOR_SERVERS, NO_URI),
    ("O=system:nodes/CN=a", &[], FOR_SERVERS, NOT_A_NODE),
];

#[rustfmt::skip]
const CLIENTS: &[Row] = &[
    ("O=app1/O=app2/CN=jbeda", &[], &[CLIENT], ISSUED),
    ("O=app1/CN=jbeda", &[], FOR_CLIENTS, ISSUED),
    ("O=app1/CN=jbeda", &[], &[ENCIPHERMENT, CLIENT], ISSUED),
    ("O=app1/CN=jbeda", &[], &[ENCIPHERMENT, SIGNATURE, CLIENT], ISSUED),
    ("", &["DNS:a", "IP:192.0.2.1", "email:a@b", "URI:a:b"], &[CLIENT], ISSUED),
    (NODE, &[], &[CLIENT], ISSUED),
    ("OU=system:masters/CN=a", &[], &[CLIENT], ISSUED),

    ("CN=jbeda", &[], &[SIGNATURE], NO_CLIENT),
    ("CN=jbeda", &[], &[SIGNATURE, ENCIPHERMENT], NO_CLIENT),
    ("CN=jbeda", &[], &[SERVER], "invalid usage for client certificate: server auth"),
    ("CN=jbeda", &[], &[CLIENT, SERVER], "invalid usage for client certificate: server auth"),
    ("CN=jbeda", &[], &[CLIENT, "signing"], "invalid usage for client certificate: signing"),
    ("CN=jbeda", &[], &[CLIENT, "any"], "invalid usage for client certificate: any"),
    ("CN=jbeda", &[], &["crl sign", "cert sign"], "invalid usage for client certificate: crl sign"),
    ("CN=jbeda", &[], &["cert sign", "crl sign"], "invalid usage for client certificate: cert sign"),
];

#[rustfmt::skip]
const LEGACY: &[Row] = &[
    ("O=system:masters/CN=a", &["DNS:a", "email:a@b", "URI:a:b"], &["any", "cert sign"], ISSUED),
    ("", &[], &[SERVER], ISSUED),
];

const TABLE: [(&str, &[Row]); 4] =
    [(KUBELET_SERVING, SERVING), (KUBELET_CLIENT, KUBELET), (API_CLIENT, CLIENTS), (LEGACY_UNKNOWN, LEGACY)];

#[test]
fn each_signer_signs_and_refuses_in_the_words_of_kube_controller_manager() {
    for (signer, rows) in TABLE {
        for (subject, sans, usages, message) in rows {
            let case = format!("{signer} {subject:?} {sans:?} {usages:?}");
            let mut object = approved(&forged(&Csr::new(subject).sans(sans), signer, usages));
            let before = object.clone();
            let outcome = sign(&mut object, issuer(), SIGNING_DURATION, now_of_issuer()).unwrap();
            if message.is_empty() {
                assert_eq!((outcome, object.state()), (Outcome::Issued, State::Issued), "{case}");
                assert_eq!(conditions(&object), conditions(&before), "{case}");
            } else {
                assert_eq!(outcome, Outcome::Failed((*message).to_owned()), "{case}");
                assert_eq!(object.state(), State::Failed, "{case}");
                assert!(object.certificate_pem().is_none(), "{case}");
                let expected = json!({
                    "type": "Failed",
                    "status": "True",
                    "reason": "SignerValidationFailure",
                    "message": message,
                    "lastUpdateTime": now_of_issuer().to_string(),
                });
                assert_eq!(conditions(&object)[1..], [expected], "{case}");
                assert_eq!(conditions(&object)[0], conditions(&before)[0], "{case}");
                // For good.
                let again = sign(&mut object, issuer(), SIGNING_DURATION, now_of_issuer()).unwrap();
                assert_eq!(again, Outcome::Skipped(format!("it has failed: {message:?}")));
            }
        }
    }
}

/// The authority of these tests begins today.
fn now_of_issuer() -> kubepki::Time {
    issuer().certificate().not_before().checked_add(std::time::Duration::from_secs(300)).unwrap()
}

fn conditions(object: &CertificateSigningRequest) -> Vec<Value> {
    let object: Value = serde_json::from_str(&object.to_json()).unwrap();
    object["status"]["conditions"].as_array().unwrap().clone()
}

#[test]
fn each_signer_takes_requests_by_openssl_and_ours_with_every_key() {
    let keys: [&[&str]; 3] = [
        &["rsa:2048"],
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
        &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    ];
    let by_openssl = |key: &[&str], subject: &str, sans: &[&str]| {
        let arguments = ["req", "-new", "-noenc", "-keyout", "/dev/null", "-subj", subject, "-newkey"];
        utf8(openssl(&[&arguments, key, sans].concat(), &[]).unwrap())
    };
    let kubelet = "/O=system:nodes/CN=system:node:n1";
    let names = ["-addext", "subjectAltName=DNS:n1,IP:192.0.2.1"];
    for key in keys {
        let with = if key == ["rsa:2048"] { vec![SIGNATURE, ENCIPHERMENT] } else { vec![SIGNATURE] };
        let with = |usage| [&*with, &[usage]].concat();
        issued(&by_openssl(key, kubelet, &names), KUBELET_SERVING, &with(SERVER));
        issued(&by_openssl(key, kubelet, &[]), KUBELET_CLIENT, &with(CLIENT));
        issued(&by_openssl(key, "/O=app1/CN=jbeda", &[]), API_CLIENT, &with(CLIENT));
    }
    for algorithm in [KeyAlgorithm::Rsa2048, KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384] {
        for convention in [Convention::Documented, Convention::Kubeadm] {
            let cluster = cluster(algorithm, convention);
            let node = control_plane("n1", "192.0.2.1");
            for (signer, profile) in [
                (KUBELET_CLIENT, role::KubeletClient::new(&cluster, &node).profile()),
                (API_CLIENT, role::User::new(&cluster, "jbeda".parse().unwrap()).profile()),
                (OWN, role::Service::new(&cluster, "a.b.svc".parse().unwrap()).profile()),
            ] {
                let request = profile.request().unwrap();
                let object =
                    CertificateSigningRequest::new("a".parse().unwrap(), signer.parse().unwrap(), &request);
                let mut object = read(&serde_json::from_str(&object.to_json()).unwrap());
                object.approve("Test", "", now()).unwrap();
                let outcome = sign(&mut object, issuer(), SIGNING_DURATION, now_of_issuer()).unwrap();
                assert_eq!(outcome, Outcome::Issued, "{signer} {algorithm} {convention}");
                request.accept(object.certificates().unwrap()).unwrap();
            }
        }
    }
}

#[track_caller]
fn issued(request: &str, signer: &str, usages: &[&str]) {
    let mut object = approved(&object(request, signer, usages));
    let outcome = sign(&mut object, issuer(), SIGNING_DURATION, now_of_issuer()).unwrap();
    assert_eq!(outcome, Outcome::Issued, "{signer} {usages:?}");
}

/// A condition as it is found: its type and status.
type Condition = (&'static str, &'static str);

fn decided(conditions: &[Condition]) -> CertificateSigningRequest {
    let mut object = forged(&Csr::new(NODE), KUBELET_CLIENT, FOR_CLIENTS);
    let condition = |(kind, status): &Condition| json!({ "type": kind, "status": status, "message": "why" });
    object["status"]["conditions"] = conditions.iter().map(condition).collect();
    read(&object)
}

#[test]
fn only_what_is_approved_and_not_denied_failed_or_issued_is_signed() {
    const APPROVED: Condition = ("Approved", "True");
    const DENIED: Condition = ("Denied", "True");
    const FAILED: Condition = ("Failed", "True");
    // For the last ones see kubernetes/kubernetes, pkg/controller/certificates/certificate_controller_utils.go.
    let rows: [(&[Condition], State, Result<(), &str>); 12] = [
        (&[], State::Pending, Err("it is not approved")),
        (&[APPROVED], State::Approved, Ok(())),
        (&[DENIED], State::Denied, Err("it is denied: \"why\"")),
        (&[FAILED], State::Failed, Err("it has failed: \"why\"")),
        (&[APPROVED, DENIED], State::Denied, Err("it is denied: \"why\"")),
        (&[DENIED, APPROVED], State::Denied, Err("it is denied: \"why\"")),
        (&[APPROVED, FAILED], State::Failed, Err("it has failed: \"why\"")),
        (&[("Other", "True")], State::Pending, Err("it is not approved")),
        (&[("approved", "True")], State::Pending, Err("it is not approved")),
        (&[APPROVED, ("Failed", "")], State::Failed, Err("it has failed: \"why\"")),
        (&[APPROVED, ("Failed", "False")], State::Approved, Ok(())),
        // kube-controller-manager would sign this one, which no API server stores.
        (&[("Approved", "False")], State::Pending, Err("it is not approved")),
    ];
    for (conditions, state, expected) in rows {
        let mut object = decided(conditions);
        assert_eq!(object.state(), state, "{conditions:?}");
        let before = object.clone();
        let outcome = sign(&mut object, issuer(), SIGNING_DURATION, now_of_issuer()).unwrap();
        match expected {
            Ok(()) => assert_eq!(outcome, Outcome::Issued, "{conditions:?}"),
            Err(why) => {
                assert_eq!(outcome, Outcome::Skipped(why.to_owned()), "{conditions:?}");
                assert_eq!(object, before);
            }
        }
    }
    let mut object = decided(&[APPROVED]);
    sign(&mut object, issuer(), SIGNING_DURATION, now_of_issuer()).unwrap();
    let before = object.clone();
    let again = sign(&mut object, issuer(), SIGNING_DURATION, now_of_issuer()).unwrap();
    assert_eq!(again, Outcome::Skipped("it has its certificate already".to_owned()));
    assert_eq!(object, before);
}

#[test]
fn nobody_signs_for_an_unknown_signer_of_kubernetes() {
    for signer in
        ["kubernetes.io/kube-apiserver-client-pod", "a.kubernetes.io/b", "kubernetes.io/kubelet-serving.a"]
    {
        let mut object = approved(&forged(&Csr::new("CN=a"), signer, &[CLIENT]));
        let before = object.clone();
        let outcome = sign(&mut object, issuer(), SIGNING_DURATION, now_of_issuer()).unwrap();
        assert_eq!(outcome, Outcome::Skipped(format!("nobody signs for {signer}")));
        assert_eq!(object, before);
    }
    for signer in [OWN, "notkubernetes.io/a", "kubernetes.io.example.com/a"] {
        issued(&Csr::new("O=system:masters/CN=a").pem(), signer, &["cert sign"]);
    }
}

#[test]
fn a_signer_signs_for_its_own_name_only() {
    for (signer, other) in [(OWN, KUBELET_CLIENT), (KUBELET_CLIENT, KUBELET_SERVING), (API_CLIENT, OWN)] {
        let mut object = approved(&forged(&Csr::new(NODE), signer, FOR_CLIENTS));
        let before = object.clone();
        let other = other.parse().unwrap();
        let outcome =
            certificates_api::sign(&mut object, &other, issuer(), SIGNING_DURATION, now_of_issuer()).unwrap();
        assert_eq!(outcome, Outcome::Skipped(format!("it is for the signer {signer}")));
        assert_eq!(object, before);
    }
}

/// What the API server's admission forbids is not signed here either, wherever it came from.
#[test]
fn system_masters_is_never_signed_for_clients_of_the_api_server() {
    let words = "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed";
    for subject in ["O=system:masters", "CN=a/O=b/O=system:masters", "O=system:masters+O=b+CN=a"] {
        // Wrong in two ways: this comes first, as it does in a cluster.
        for usages in [&[CLIENT], &[SERVER]] {
            let mut object = approved(&forged(&Csr::new(subject), API_CLIENT, usages));
            let before = object.clone();
            let found = sign(&mut object, issuer(), SIGNING_DURATION, now_of_issuer());
            refused(found, Code::Invalid, &["spec.request", words]);
            assert_eq!(object, before);
        }
    }
}

#[test]
fn a_request_whose_signature_does_not_verify_is_not_signed() {
    let mut der = Csr::new("CN=a").der();
    *der.last_mut().unwrap() ^= 1;
    let pem = super::forge::pem("CERTIFICATE REQUEST", &der);
    for signer in [OWN, API_CLIENT, LEGACY_UNKNOWN] {
        let mut object = approved(&object(&pem, signer, &[CLIENT]));
        let before = object.clone();
        let found = sign(&mut object, issuer(), SIGNING_DURATION, now_of_issuer());
        refused(found, Code::BadSignature, &["spec.request", "signature by the key that the request is for"]);
        assert_eq!(object, before);
    }
}

#[test]
fn outcomes_are_shown_to_people() {
    assert_eq!(Outcome::Issued.to_string(), "issued");
    assert_eq!(Outcome::Failed(NOT_NODES.to_owned()).to_string(), format!("failed: {NOT_NODES}"));
    assert_eq!(
        Outcome::Skipped("it is not approved".to_owned()).to_string(),
        "not signed: it is not approved"
    );
}
