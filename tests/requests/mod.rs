//! Requests for certificates, and the API certificates.k8s.io: what is read, approved and signed, and which certificate
//! comes of it.

mod bad_input;
mod certificate;
pub(crate) mod forge;
mod objects;
mod ours;
mod review;
mod signers;

use std::time::Duration;

use base64ct::{Base64, Encoding};
use kubepki::certificates_api::{self, CertificateSigningRequest, Outcome};
use kubepki::{Issuer, Time};
use serde_json::{Value, json};

use forge::Csr;

const API_CLIENT: &str = "kubernetes.io/kube-apiserver-client";
const KUBELET_CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
const KUBELET_SERVING: &str = "kubernetes.io/kubelet-serving";
const LEGACY_UNKNOWN: &str = "kubernetes.io/legacy-unknown";
/// A signer that Kubernetes knows nothing about.
const OWN: &str = "example.com/serving";

const SIGNATURE: &str = "digital signature";
const ENCIPHERMENT: &str = "key encipherment";
const SERVER: &str = "server auth";
const CLIENT: &str = "client auth";

const NODE: &str = "O=system:nodes/CN=system:node:n1";

/// By the signer that the request is for.
fn sign(
    object: &mut CertificateSigningRequest,
    issuer: &Issuer,
    duration: Duration,
    now: Time,
) -> kubepki::Result<Outcome> {
    let signer_name = object.signer_name().clone();
    certificates_api::sign(object, &signer_name, issuer, duration, now)
}

fn now() -> Time {
    "2026-11-22T09:00:00Z".parse().unwrap()
}

/// The object about a request (PEM), as the API server has it while nothing is decided.
fn object(request: &str, signer_name: &str, usages: &[&str]) -> Value {
    json!({
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": { "name": "csr-1" },
        "spec": {
            "request": Base64::encode_string(request.as_bytes()),
            "signerName": signer_name,
            "usages": usages,
            "username": "jane",
            "groups": ["system:authenticated"],
        },
        "status": {},
    })
}

/// The same for a request of [`Csr`].
pub(crate) fn forged(csr: &Csr, signer_name: &str, usages: &[&str]) -> Value {
    object(&csr.pem(), signer_name, usages)
}

fn read(object: &Value) -> CertificateSigningRequest {
    try_read(object).unwrap()
}

fn try_read(object: &Value) -> kubepki::Result<CertificateSigningRequest> {
    CertificateSigningRequest::from_yaml(object.to_string().as_bytes())
}

/// The object as an approver leaves it.
fn approved(object: &Value) -> CertificateSigningRequest {
    let mut object = read(object);
    object.approve("Test", "", now()).unwrap();
    object
}
