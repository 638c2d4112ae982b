//! One row of the table of certificate requests, and the good requests from which each row differs in one point.

use base64ct::{Base64, Encoding};
use kubepki::Code;
use serde_json::{Value, json};

use crate::identity::Identity;
use crate::pkcs10::{P256, Pkcs10, Subject};

/// What becomes of a request that is approved.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    /// kube-controller-manager signs it.
    Signed,
    /// kube-controller-manager says in the condition `Failed` why not.
    Failed(&'static str),
    /// The API server does not take it; part of what it says.
    Refused(&'static str),
    /// kube-controller-manager is not the signer.
    NotMine,
}

/// What this crate makes of it, and why.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ours {
    /// The same as the real servers.
    Same,
    /// An error with this code.
    Stricter(Code, &'static str),
    /// It decides about what the API server does not take.
    Laxer(&'static str),
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) verdict: Verdict,
    pub(crate) ours: Ours,
    pub(crate) user: Identity,
    pub(crate) pkcs10: Pkcs10,
    /// What is done to its PEM text.
    pub(crate) text: fn(String) -> String,
    signer: &'static str,
    usages: &'static [&'static str],
    /// What is done to the object.
    change: fn(&mut Value),
}

impl Row {
    /// The object as its user sends it.
    pub(crate) fn object(&self, name: &str, pkcs10: &str) -> Value {
        let mut object = json!({
            "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest",
            "metadata": {"name": name},
            "spec": {
                "request": Base64::encode_string(pkcs10.as_bytes()),
                "signerName": self.signer,
                "usages": self.usages,
            },
        });
        (self.change)(&mut object);
        object
    }

    pub(crate) fn by(mut self, user: &str, groups: &[&str]) -> Self {
        self.user = Identity::new(user, groups);
        self
    }

    pub(crate) fn usages(mut self, usages: &'static [&'static str]) -> Self {
        self.usages = usages;
        self
    }

    pub(crate) fn key(mut self, key: &'static str) -> Self {
        self.pkcs10.key = key;
        self
    }

    pub(crate) fn subject(mut self, subject: &'static str) -> Self {
        self.pkcs10.subject = Subject::Text(subject);
        self
    }

    pub(crate) fn der(mut self, subject: Vec<u8>, attributes: Vec<u8>) -> Self {
        self.pkcs10.subject = Subject::Der { subject, attributes };
        self
    }

    pub(crate) fn extensions(mut self, extensions: &'static [&'static str]) -> Self {
        self.pkcs10.extensions = extensions;
        self
    }

    pub(crate) fn options(mut self, options: &'static [&'static str]) -> Self {
        self.pkcs10.options = options;
        self
    }

    pub(crate) fn text(mut self, text: fn(String) -> String) -> Self {
        self.text = text;
        self
    }

    pub(crate) fn change(mut self, change: fn(&mut Value)) -> Self {
        self.change = change;
        self
    }

    pub(crate) fn is(mut self, what: &'static str, verdict: Verdict) -> Self {
        (self.what, self.verdict) = (what, verdict);
        self
    }

    pub(crate) fn signed(self, what: &'static str) -> Self {
        self.is(what, Verdict::Signed)
    }

    pub(crate) fn failed(self, what: &'static str, message: &'static str) -> Self {
        self.is(what, Verdict::Failed(message))
    }

    pub(crate) fn refused(self, what: &'static str, part: &'static str) -> Self {
        self.is(what, Verdict::Refused(part))
    }

    /// What the real servers sign, and this crate does not.
    pub(crate) fn not_by_ours(mut self, code: Code, why: &'static str) -> Self {
        self.ours = Ours::Stricter(code, why);
        self
    }

    /// What the API server does not take, and this crate does.
    pub(crate) fn taken_by_ours(mut self, why: &'static str) -> Self {
        self.ours = Ours::Laxer(why);
        self
    }
}

/// A good request, to be changed in one point.
pub(crate) fn row(signer: &'static str, usages: &'static [&'static str], subject: &'static str) -> Row {
    Row {
        what: "",
        verdict: Verdict::Signed,
        ours: Ours::Same,
        user: Identity::new("jane", &["developers"]),
        pkcs10: Pkcs10 { key: P256, subject: Subject::Text(subject), extensions: &[], options: &[] },
        text: |text| text,
        signer,
        usages,
        change: |_| (),
    }
}

pub(crate) fn client() -> Row {
    row("kubernetes.io/kube-apiserver-client", &["client auth"], "/O=team-a/CN=zoe")
}

/// A kubelet's client certificate, as a new node asks for it.
pub(crate) fn kubelet_client() -> Row {
    let usages = &["digital signature", "client auth"];
    row("kubernetes.io/kube-apiserver-client-kubelet", usages, "/O=system:nodes/CN=system:node:cp-1")
        .by("system:bootstrap:abcdef", &["system:bootstrappers"])
}

/// A kubelet's serving certificate, as a node asks for it.
pub(crate) fn kubelet_serving() -> Row {
    let usages = &["digital signature", "server auth"];
    row("kubernetes.io/kubelet-serving", usages, "/O=system:nodes/CN=system:node:cp-1")
        .by("system:node:cp-1", &["system:nodes"])
        .extensions(&["subjectAltName=DNS:cp-1,IP:192.0.2.10"])
}

/// A signer that is not Kubernetes' own.
pub(crate) const OWN_SIGNER: &str = "example.com/serving";

/// A workload's serving certificate.
pub(crate) fn service() -> Row {
    row(OWN_SIGNER, &["digital signature", "server auth"], "/CN=my-svc.my-namespace.svc")
        .extensions(&["subjectAltName=DNS:my-svc.my-namespace.svc,IP:192.0.2.24"])
}
