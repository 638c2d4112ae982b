//! The object: read and written as YAML and JSON, with all that this library does not know.

use std::time::Duration;

use kubepki::certificates_api::{
    CertificateSigningRequest, Context, Outcome, SIGNING_DURATION, State, review,
};
use kubepki::{Code, Usage, role};
use serde_json::{Value, json};

use super::forge::Csr;
use super::{CLIENT, KUBELET_CLIENT, NODE, OWN, SIGNATURE, forged, now, read, sign};
use crate::judges::{go_types, kubectl};
use crate::support::{fast_cluster, issuer, refused};

/// An object as `kubectl get csr -o yaml --show-managed-fields` shows it, with what later versions may add.
fn from_a_cluster() -> String {
    let object = forged(&Csr::new(NODE), KUBELET_CLIENT, &[SIGNATURE, CLIENT]);
    let request = object["spec"]["request"].as_str().unwrap().to_owned();
    format!(
        r#"apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata:
  annotations:
    example.com/note: "a: b # c"
    kubectl.kubernetes.io/last-applied-configuration: |
      {{"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest"}}
  creationTimestamp: "2026-11-22T08:59:00Z"
  generateName: csr-
  labels:
    "yes": "true"
    number: "1"
  managedFields:
  - apiVersion: certificates.k8s.io/v1
    fieldsType: FieldsV1
    fieldsV1:
      f:metadata:
        f:generateName: {{}}
      f:status:
        f:conditions:
          .: {{}}
          k:{{"type":"Approved"}}:
            .: {{}}
    manager: kubelet
    operation: Update
    subresource: status
    time: "2026-11-22T08:59:00Z"
  name: csr-8lrv5
  ownerReferences: []
  resourceVersion: "4711"
  uid: 3f0f1a55-6a57-4dcb-a0a1-0ab0c6e9d04f
spec:
  expirationSeconds: 86400
  extra:
    authentication.kubernetes.io/credential-id:
    - X509SHA256=00ff
    example.com/empty: []
  future:
    list: [1, -2.5, true, null, "0755"]
  groups:
  - system:nodes
  - system:authenticated
  request: {request}
  signerName: kubernetes.io/kube-apiserver-client-kubelet
  uid: "1000"
  usages:
  - digital signature
  - client auth
  username: system:node:n1
status:
  future: []
  conditions: []
"#
    )
}

fn value(object: &CertificateSigningRequest) -> Value {
    serde_json::from_str(&object.to_json()).unwrap()
}

#[test]
fn everything_in_an_object_can_be_asked_for() {
    let object = CertificateSigningRequest::from_yaml(from_a_cluster().as_bytes()).unwrap();
    assert_eq!(object.name(), "csr-8lrv5");
    assert_eq!(object.signer_name().as_str(), KUBELET_CLIENT);
    assert_eq!(object.request().der(), Csr::new(NODE).der());
    assert_eq!(object.usages(), [Usage::DigitalSignature, Usage::ClientAuth]);
    assert_eq!(object.lifetime(), Some(Duration::from_secs(86_400)));
    assert_eq!(object.username(), "system:node:n1");
    assert_eq!(object.groups().collect::<Vec<_>>(), ["system:nodes", "system:authenticated"]);
    assert_eq!(object.state(), State::Pending);
    assert_eq!(object.certificate_pem(), None);
    refused(object.certificates(), Code::Malformed, &["status.certificate"]);
    let shown = format!("{object:?}");
    assert_eq!(shown, format!("CertificateSigningRequest(\"csr-8lrv5\", {KUBELET_CLIENT}, pending)"));
}

#[test]
fn unknown_fields_survive_reading_deciding_signing_and_writing() {
    let read = |text: &str| CertificateSigningRequest::from_yaml(text.as_bytes()).unwrap();
    let mut object = read(&from_a_cluster());
    assert_eq!(read(&object.to_yaml()), object);
    assert_eq!(read(&object.to_json()), object);
    let before = value(&object);
    for (place, expected) in [
        ("/metadata/managedFields/0/fieldsV1/f:status/f:conditions/k:{\"type\":\"Approved\"}/.", json!({})),
        ("/metadata/annotations/example.com~1note", json!("a: b # c")),
        ("/metadata/labels/yes", json!("true")),
        ("/metadata/labels/number", json!("1")),
        ("/metadata/resourceVersion", json!("4711")),
        ("/spec/extra/authentication.kubernetes.io~1credential-id/0", json!("X509SHA256=00ff")),
        ("/spec/extra/example.com~1empty", json!([])),
        ("/spec/future/list", json!([1, -2.5, true, null, "0755"])),
        ("/spec/uid", json!("1000")),
        ("/status/future", json!([])),
    ] {
        assert_eq!(before.pointer(place), Some(&expected), "{place}");
    }

    review(&object, &Context::default()).apply(&mut object, now()).unwrap();
    assert_eq!(sign(&mut object, issuer(), SIGNING_DURATION, kubepki::Time::now()).unwrap(), Outcome::Issued);
    let mut after = value(&object);
    let status = after["status"].as_object_mut().unwrap();
    assert_eq!(status.remove("conditions").unwrap().as_array().unwrap().len(), 1);
    assert!(status.remove("certificate").is_some());
    assert_eq!(after, before);
    let again = read(&object.to_yaml());
    assert_eq!(again.certificates().unwrap(), object.certificates().unwrap());
    assert_eq!(read(&again.to_json()), object);
}

#[test]
fn conditions_of_others_stay_as_they_are() {
    let mut object = forged(&Csr::new(NODE), KUBELET_CLIENT, &[SIGNATURE, CLIENT]);
    let condition = json!({
        "type": "Reviewed",
        "status": "Unknown",
        "reason": "ByHand",
        "message": "seen",
        "lastUpdateTime": "2026-11-22T08:59:30Z",
        "lastTransitionTime": "2026-11-22T08:59:30Z",
        "future": { "a": [1] },
    });
    object["status"]["conditions"] = json!([condition]);
    let mut object = read(&object);
    object.approve("Test", "", now()).unwrap();
    let conditions = value(&object)["status"]["conditions"].clone();
    assert_eq!(conditions[0], condition);
    assert_eq!(conditions[1]["type"], "Approved");
}

#[test]
fn a_certificate_with_those_above_it_is_read_leaf_first() {
    let mut object = forged(&Csr::new("CN=a"), OWN, &[CLIENT]);
    let chain = issuer().certificate().to_pem().repeat(2);
    object["status"]["certificate"] = json!(base64(&format!("# a comment\n{chain}")));
    let object = read(&object);
    assert_eq!(object.state(), State::Issued);
    assert_eq!(
        object.certificates().unwrap(),
        [issuer().certificate().clone(), issuer().certificate().clone()]
    );
    assert!(object.certificate_pem().unwrap().starts_with(b"# a comment\n"));
}

fn base64(text: &str) -> String {
    use base64ct::{Base64, Encoding};
    Base64::encode_string(text.as_bytes())
}

#[test]
fn what_is_left_out_or_null_or_empty_is_the_same() {
    let object = forged(&Csr::new(NODE), KUBELET_CLIENT, &[SIGNATURE, CLIENT]);
    for (place, name, values) in [
        ("/metadata", "name", vec![json!(null), json!("")]),
        ("/spec", "expirationSeconds", vec![json!(null)]),
        ("/spec", "username", vec![json!(null), json!("")]),
        ("/spec", "groups", vec![json!(null), json!([])]),
        ("", "status", vec![json!(null), json!({})]),
        ("/status", "conditions", vec![json!(null), json!([])]),
        ("/status", "certificate", vec![json!(null), json!("")]),
    ] {
        let mut without = object.clone();
        without.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(name);
        let without = read(&without);
        for value in values {
            let mut with = object.clone();
            with.pointer_mut(place).unwrap()[name] = value;
            let with = read(&with);
            assert_eq!((with.name(), with.lifetime()), (without.name(), without.lifetime()));
            assert_eq!((with.username(), with.state()), (without.username(), without.state()));
            assert_eq!(with.groups().collect::<Vec<_>>(), without.groups().collect::<Vec<_>>());
            assert_eq!(with.certificate_pem(), None);
        }
    }
}

#[test]
fn a_new_object_says_what_its_request_was_made_for() {
    let profile = role::Service::new(&fast_cluster(), "a.b.svc".parse().unwrap()).profile();
    let request = profile.request().unwrap();
    let object = CertificateSigningRequest::new("a.b".parse().unwrap(), OWN.parse().unwrap(), &request);
    let expected = json!({
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": { "name": "a.b" },
        "spec": {
            "request": base64(&request.csr_pem()),
            "signerName": OWN,
            "usages": ["digital signature", "server auth"],
        },
        "status": {},
    });
    assert_eq!(value(&object), expected);
    let object = object.expires_in(Duration::from_millis(600_999)).unwrap();
    assert_eq!(value(&object)["spec"]["expirationSeconds"], json!(600));
    assert_eq!(object.lifetime(), Some(Duration::from_secs(600)));
    for (seconds, found) in [(599, "599"), (0, "0")] {
        let parts = ["spec.expirationSeconds", "at least 600 seconds (10 minutes)", found];
        refused(object.clone().expires_in(Duration::from_secs(seconds)), Code::Invalid, &parts);
    }
    for seconds in [1 << 31, u64::MAX] {
        let parts = ["spec.expirationSeconds", "at most 2147483647 seconds", &seconds.to_string()];
        refused(object.clone().expires_in(Duration::from_secs(seconds)), Code::Invalid, &parts);
    }
    assert!(object.expires_in(Duration::from_secs((1 << 31) - 1)).is_ok());
}

#[test]
fn kubectl_reads_our_yaml_and_json_as_the_same_object() {
    let mut object = CertificateSigningRequest::from_yaml(from_a_cluster().as_bytes()).unwrap();
    review(&object, &Context::default()).apply(&mut object, now()).unwrap();
    sign(&mut object, issuer(), SIGNING_DURATION, kubepki::Time::now()).unwrap();
    for text in [object.to_yaml(), object.to_json()] {
        let mut found: Value =
            serde_json::from_str(&kubectl::annotated(&text, "judged=yes").unwrap()).unwrap();
        let annotations = found["metadata"]["annotations"].as_object_mut().unwrap();
        assert_eq!(annotations.remove("judged"), Some(json!("yes")));
        assert_eq!(found, value(&object));
    }
    kubectl::annotated(&object.to_yaml().replace("kind: ", "king: "), "judged=yes").unwrap_err();
}

#[test]
fn kubernetes_reads_in_every_object_what_was_written() {
    let request =
        role::Service::new(&fast_cluster(), "a.b.svc".parse().unwrap()).profile().request().unwrap();
    let pending = CertificateSigningRequest::new("a.b".parse().unwrap(), OWN.parse().unwrap(), &request);
    let limited = pending.clone().expires_in(SIGNING_DURATION).unwrap();
    let now = kubepki::Time::now();
    let decided = |decide: fn(&mut CertificateSigningRequest, kubepki::Time)| {
        let mut object = limited.clone();
        decide(&mut object, now);
        object
    };
    let approved = decided(|object, now| object.approve("Reason", "a \"message\"", now).unwrap());
    let denied = decided(|object, now| object.deny("Reason", "a message", now).unwrap());
    let mut issued = approved.clone();
    assert_eq!(sign(&mut issued, issuer(), SIGNING_DURATION, now).unwrap(), Outcome::Issued);
    let mut failed = read(&forged(&Csr::new("O=a"), KUBELET_CLIENT, &[CLIENT]));
    failed.approve("Reason", "a message", now).unwrap();
    assert!(matches!(sign(&mut failed, issuer(), SIGNING_DURATION, now).unwrap(), Outcome::Failed(_)));
    let objects = [pending, limited, approved, denied, issued, failed];
    for write in [CertificateSigningRequest::to_yaml, CertificateSigningRequest::to_json] {
        let documents = objects.each_ref().map(write);
        for (object, found) in objects.iter().zip(go_types::reads(&documents)) {
            // The API server fills in when that was first said.
            let found = found.unwrap().to_string().replace("\"lastTransitionTime\":null,", "");
            let written: Value = serde_json::from_str(&object.to_json()).unwrap();
            assert_eq!(found, written.to_string(), "{object:?}");
        }
    }
}
