//! What a cluster does with its certificates: it registers a node, schedules a pod, calls the kubelet, hands out
//! tokens, and signs certificates.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use base64ct::{Base64, Encoding};
use kubepki::{Certificate, KeyAlgorithm, Role};
use serde_json::{Value, json};

use crate::control_plane::{Machine, NODE};
use crate::http::{Pair, Request};
use crate::identity::{self, Identity, review, seen_as, token_is};
use crate::judges::{Anchor, Check, Usage, free_port, openssl};
use crate::programs::{Process, eventually, kubectl, output};
use crate::report::{Report, Result};

/// A stand-in for the kubelet: `openssl s_server`, which asks callers for a certificate of the Kubernetes authority,
/// good for clients, and answers every request with a page about the connection and that certificate.
#[derive(Debug)]
pub(crate) struct Kubelet {
    _process: Process,
    port: u16,
}

impl Kubelet {
    pub(crate) fn start(machine: &Machine) -> Result<Self> {
        let (port, serving) = (free_port(), machine.pair(Role::KubeletServer));
        let mut command = Command::new("openssl");
        command.args(["s_server", "-www", "-quiet", "-accept", &format!("127.0.0.1:{port}")]);
        command.arg("-cert").arg(serving.certificate).arg("-key").arg(serving.key);
        command.args(["-Verify", "3", "-verify_return_error", "-partial_chain", "-CAfile"]).arg(machine.ca());
        let process = Process::start(&command, machine.directory.join("kubelet.log"))?;
        Ok(Self { _process: process, port })
    }

    /// The node as its kubelet registers it.
    fn node(&self) -> String {
        let resources = json!({"cpu": "4", "memory": "4Gi", "pods": "10"});
        json!({
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE},
            "status": {
                "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
                "daemonEndpoints": {"kubeletEndpoint": {"Port": self.port}},
                "capacity": resources, "allocatable": resources,
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        })
        .to_string()
    }
}

/// The kubelet's kubeconfig registers the node; one with another group is not allowed to.
pub(crate) fn kubelet_registers_its_node(machine: &Machine, kubelet: &Kubelet) -> Result<String> {
    let kubeconfig = machine.kubeconfig(Role::KubeletClient);
    kubectl(&kubeconfig, &["create", "--filename=-"], &kubelet.node()).map(|said| said.trim().to_owned())
}

/// A pod that kube-scheduler binds to the node, and whose log the API server fetches from the kubelet.
pub(crate) fn pod(report: &mut Report, machine: &Machine, caller: &str) -> Result {
    let admin = machine.almighty();
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"},
        "spec": {
            "containers": [{"name": "c", "image": "none"}],
            "tolerations": [{"operator": "Exists"}],
        },
    });
    // kube-controller-manager makes the namespace's service account, without which there are no pods.
    eventually(|| kubectl(&admin, &["create", "--filename=-"], &pod.to_string()))?;
    let verdict = eventually(|| {
        let path = "--output=jsonpath={.spec.nodeName}";
        match kubectl(&admin, &["get", "pod", "p", "--namespace=default", path], "")? {
            name if name == NODE => Ok(name),
            name => Err(format!("expected the pod to be bound to {NODE}, found {name:?}").into()),
        }
    });
    report.check("kube-scheduler binds a pod to the node", verdict);
    report.check(
        "the API server calls the kubelet with its client certificate",
        logs_come_from(machine, caller),
    );
    Ok(())
}

/// That the kubelet's stand-in saw the API server as `subject`.
pub(crate) fn logs_come_from(machine: &Machine, subject: &str) -> Result<String> {
    let admin = machine.almighty();
    let logs = ["logs", "p", "--namespace=default"];
    let page = eventually(|| kubectl(&admin, &logs, ""))?;
    let seen = page
        .lines()
        .find_map(|line| line.trim().strip_prefix("Subject: "))
        .ok_or_else(|| format!("expected the client certificate's subject, found {page}"))?
        .replace(" = ", "=");
    if seen == subject { Ok(seen) } else { Err(format!("expected {subject}, found {seen}").into()) }
}

/// A pod that is bound to the node without a scheduler.
pub(crate) fn bound_pod(machine: &Machine) -> Result {
    let admin = machine.almighty();
    let objects = format!(
        "{{apiVersion: v1, kind: ServiceAccount, metadata: {{name: default, namespace: default}}}}\n---\n\
         {{apiVersion: v1, kind: Pod, metadata: {{name: p, namespace: default}}, \
         spec: {{nodeName: {NODE}, containers: [{{name: c, image: none}}]}}}}\n"
    );
    eventually(|| kubectl(&admin, &["apply", "--filename=-"], &objects))?;
    Ok(())
}

/// Tokens signed by the API server and by kube-controller-manager, and the authority that pods are told.
pub(crate) fn service_accounts(report: &mut Report, machine: &Machine) {
    report.check("a token signed with sa.key is accepted", identity::token_is_accepted(machine));
    report.check("a token Secret of kube-controller-manager is accepted", token_secret(machine));
    let admin = machine.almighty();
    let root = eventually(|| {
        let path = "--output=jsonpath={.data.ca\\.crt}";
        kubectl(&admin, &["get", "configmap", "kube-root-ca.crt", "--namespace=default", path], "")
    });
    let verdict = root.and_then(|root| match fs::read_to_string(machine.ca())?.trim() == root.trim() {
        true => Ok("the same bytes"),
        false => Err(format!("expected the bytes of ca.crt, found {root}").into()),
    });
    report.check("pods are given ca.crt", verdict);
}

fn token_secret(machine: &Machine) -> Result<Identity> {
    let admin = machine.almighty();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {
            "name": "old", "namespace": "default",
            "annotations": {"kubernetes.io/service-account.name": "robot"},
        },
    });
    kubectl(&admin, &["create", "--filename=-"], &secret.to_string())?;
    let token = eventually(|| {
        let path = "--output=jsonpath={.data.token}";
        match kubectl(&admin, &["get", "secret", "old", "--namespace=default", path], "")? {
            token if token.is_empty() => Err("expected a token in the Secret, found none".into()),
            token => Ok(token),
        }
    })?;
    let token = Base64::decode_vec(&token).map_err(|error| error.to_string())?;
    token_is(machine, &String::from_utf8(token)?, "robot")
}

/// kube-controller-manager signs a request with our authority.
pub(crate) fn signing(report: &mut Report, machine: &Machine, algorithm: KeyAlgorithm, anchor: Anchor) {
    let signed = sign(machine, algorithm);
    let pair = match signed {
        Ok(pair) => pair,
        Err(error) => {
            return report.check("kube-controller-manager signs a request", Err::<String, _>(error));
        }
    };
    report.check("kube-controller-manager signs a request", Ok("a certificate"));
    let issued = || -> Result<String> {
        let [certificate, ca] = [&pair.certificate, &machine.ca()].map(|file| -> Result<Certificate> {
            let chain = Certificate::from_pem(&fs::read(file)?)?;
            Ok(chain.into_iter().next().ok_or("no certificate")?)
        });
        let certificate = certificate?;
        certificate.check_issued_by(&ca?)?;
        Ok(certificate.subject().to_string())
    };
    report.check("kubepki: the signed certificate is ca.crt's", issued());
    let ca = machine.ca();
    let check =
        Check { chain: &pair.certificate, trusted: &ca, anchor, usage: Usage::Client, name: None, at: None };
    let verified = openssl::verify(&check).map(|()| "OK").map_err(Into::into);
    report.check("openssl: the signed certificate is ca.crt's", verified);
    let zoe = Identity::new("zoe", &["team-a"]);
    report.check("the signed certificate's holder", seen_as(review(machine, Some(&pair), &[]), &zoe));
}

fn sign(machine: &Machine, algorithm: KeyAlgorithm) -> Result<Pair> {
    let admin = machine.almighty();
    let path = |name: &str| -> PathBuf { machine.directory.join(name) };
    let (pair, request) = (Pair { certificate: path("zoe.crt"), key: path("zoe.key") }, path("zoe.csr"));
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-new", "-noenc", "-subj", "/O=team-a/CN=zoe", "-newkey"]);
    match algorithm {
        KeyAlgorithm::EcdsaP256 => openssl.args(["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
        _ => openssl.arg("rsa:2048"),
    };
    output(openssl.arg("-keyout").arg(&pair.key).arg("-out").arg(&request), "")?;
    let object = json!({
        "apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "zoe"},
        "spec": {
            "request": Base64::encode_string(&fs::read(&request)?),
            "signerName": "kubernetes.io/kube-apiserver-client",
            "usages": ["client auth"],
        },
    });
    kubectl(&admin, &["create", "--filename=-"], &object.to_string())?;
    kubectl(&admin, &["certificate", "approve", "zoe"], "")?;
    let certificate = eventually(|| {
        let text = kubectl(&admin, &["get", "csr", "zoe", "--output=json"], "")?;
        let object: Value = serde_json::from_str(&text)?;
        let certificate = object["status"]["certificate"].as_str().map(str::to_owned);
        certificate.ok_or_else(|| format!("expected a certificate, found {}", object["status"]).into())
    })?;
    fs::write(&pair.certificate, Base64::decode_vec(&certificate).map_err(|error| error.to_string())?)?;
    Ok(pair)
}

/// A controller's own server asks the API server who a caller is, and lets only the right one in.
pub(crate) fn delegates(machine: &Machine, url: &str, masters: &Pair) -> Result<String> {
    let url = format!("{url}/metrics");
    let ask = |client| Request { url: &url, client, ..Request::default() }.send();
    let known = eventually(|| match ask(Some(masters))? {
        answer if answer.status == 200 => Ok(answer.status),
        answer => {
            Err(format!("expected 200 for system:masters, found {}: {}", answer.status, answer.body).into())
        }
    })?;
    let etcd = machine.pair(Role::ApiServerEtcdClient);
    let (etcd, nobody) = (ask(Some(&etcd))?.status, ask(None)?.status);
    match (etcd, nobody) {
        (401, 403) => {
            Ok(format!("{known} for system:masters, {etcd} for a client of etcd, {nobody} for nobody"))
        }
        found => {
            Err(format!("expected (401, 403) for a client of etcd and for nobody, found {found:?}").into())
        }
    }
}
