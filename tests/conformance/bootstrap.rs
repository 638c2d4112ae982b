//! A kubelet's way into the cluster, by the kubelet's own packages (`kubernetes/kubelet-certificates`): from a bootstrap
//! token to its client certificate, and from that to a serving certificate.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kubepki::certificates_api::{CertificateSigningRequest, Context, NodeAddresses, Verdict, review};
use kubepki::token::BootstrapToken;
use kubepki::{AlternativeName, Certificate, Role};
use serde_json::json;

use crate::api::Api;
use crate::control_plane::{ControlPlane, Machine};
use crate::discovery;
use crate::identity::{self, Identity};
use crate::judges::{Anchor, Check, Usage, openssl};
use crate::programs::{Process, eventually, kubectl};
use crate::report::{Report, Result};
use crate::signer::Signer;

/// A node that is not there yet.
const NODE: &str = "w-1";
const ADDRESS: &str = "192.0.2.20";

pub(crate) fn bootstrap(report: &mut Report) -> Result {
    let cluster = ControlPlane::start(|_| Ok(()))?;
    let ControlPlane { machine, api, .. } = &cluster;
    let token = discovery::tokens(report, machine, api)?;
    let bootstrap = discovery::kubeconfig(report, machine, &token)?;

    let kubelet = Kubelet::new(machine)?;
    report.check("a kubelet gets its client certificate", kubelet.bootstrap(&bootstrap));
    let node = Identity::new(&format!("system:node:{NODE}"), &["system:nodes"]);
    report.check("whoami of the kubelet", identity::is(&kubelet.kubeconfig, &node));
    report.check("the kubelet registers its node", kubelet.register());
    report.check("ours: its client certificate is approved", as_kubernetes_approves(api, &token));

    let node = api.ask("GET", &format!("/api/v1/nodes/{NODE}"), None)?;
    let context = Context::default().node(NodeAddresses::from_yaml(node.to_string().as_bytes())?);
    let approver = Signer { api, issuer: machine.issuer(Role::KubernetesCa), context, user: None };
    let (process, asked) = kubelet.ask("own", &[&format!("InternalIP={ADDRESS}")])?;
    let object = open_request(api)?;
    report.check("the kubelet asks for its serving certificate", Ok(names(object.request().sans())));
    let approved = approver.decide(object, Verdict::Approve);
    report.check("ours: its own addresses are approved", approved.map(|it| it.state()));
    report.check("the kubelet gets its serving certificate", kubelet.serving(machine, &asked));
    drop(process);
    let (_process, _) =
        kubelet.ask("foreign", &[&format!("InternalIP={ADDRESS}"), "InternalIP=10.96.0.1"])?;
    let denied = approver.decide(open_request(api)?, Verdict::Deny);
    report.check("ours: an address of others is denied", denied.map(|it| it.state()));
    Ok(())
}

/// The kubelet's files.
#[derive(Debug)]
struct Kubelet {
    directory: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubelet {
    fn new(machine: &Machine) -> Result<Self> {
        let directory = machine.directory.join(NODE);
        fs::create_dir(&directory)?;
        Ok(Self { kubeconfig: directory.join("kubelet.conf"), directory })
    }

    /// Has the kubelet ask for its client certificate and write its kubeconfig, as at its first start.
    fn bootstrap(&self, bootstrap: &Path) -> Result<String> {
        let mut command = Command::new("kubelet-certificates");
        command.args(["client", NODE]).arg(bootstrap).args([&self.kubeconfig, &self.directory]);
        let mut process = Process::start(&command, self.directory.join("client.log"))?;
        process.wait_until(|| Ok(fs::read_to_string(&self.kubeconfig)?))?;
        let pem = fs::read(self.directory.join("kubelet-client-current.pem"))?;
        let chain = Certificate::from_pem(&pem)?;
        Ok(chain.first().ok_or("no certificate")?.subject().to_string())
    }

    /// The node as its kubelet registers it.
    fn register(&self) -> Result<String> {
        let node = json!({
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE},
            "status": {"addresses": [
                {"type": "InternalIP", "address": ADDRESS}, {"type": "Hostname", "address": NODE},
            ]},
        });
        let said = kubectl(&self.kubeconfig, &["create", "--filename=-"], &node.to_string())?;
        Ok(said.trim().to_owned())
    }

    /// Has the kubelet ask for a serving certificate for its name and more addresses.
    fn ask(&self, directory: &str, addresses: &[&str]) -> Result<(Process, PathBuf)> {
        let directory = self.directory.join(directory);
        fs::create_dir(&directory)?;
        let mut command = Command::new("kubelet-certificates");
        command.args(["server", NODE]).args([&self.kubeconfig, &directory]);
        command.arg(format!("Hostname={NODE}")).args(addresses);
        Ok((Process::start(&command, directory.join("server.log"))?, directory))
    }

    /// The names of the serving certificate that the kubelet was waiting for.
    fn serving(&self, machine: &Machine, directory: &Path) -> Result<String> {
        let file = directory.join("kubelet-server-current.pem");
        let pem = eventually(|| Ok(fs::read(&file)?))?;
        let (ca, name) = (machine.ca(), Some(NODE));
        let (anchor, usage) = (Anchor::Root, Usage::Server);
        openssl::verify(&Check { chain: &file, trusted: &ca, anchor, usage, name, at: None })?;
        let chain = Certificate::from_pem(&pem)?;
        Ok(names(chain.first().ok_or("no certificate")?.sans()))
    }
}

fn names(sans: &[AlternativeName]) -> String {
    sans.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// That the approver of kube-controller-manager and ours agree about the kubelet's first request.
fn as_kubernetes_approves(api: &Api, token: &BootstrapToken) -> Result<String> {
    let mut object =
        api.request_that(|it| it["spec"]["username"] == format!("system:bootstrap:{}", token.id()))?;
    let theirs = object["status"].take();
    let theirs = &theirs["conditions"][0];
    let context =
        Context::default().bootstrap_groups(["system:bootstrappers:kubeadm:default-node-token".parse()?]);
    let review = review(&CertificateSigningRequest::from_yaml(object.to_string().as_bytes())?, &context);
    match review.verdict() == Verdict::Approve
        && theirs["type"] == "Approved"
        && theirs["reason"] == review.reason()
    {
        true => Ok(review.to_string()),
        false => Err(format!("expected {theirs}, found {review}").into()),
    }
}

/// The kubelet's request for a serving certificate that nobody has judged yet.
fn open_request(api: &Api) -> Result<CertificateSigningRequest> {
    let object = api.request_that(|it| {
        it["spec"]["username"] == format!("system:node:{NODE}")
            && it["spec"]["signerName"] == "kubernetes.io/kubelet-serving"
            && it["status"]["conditions"].is_null()
    })?;
    Ok(CertificateSigningRequest::from_yaml(object.to_string().as_bytes())?)
}
