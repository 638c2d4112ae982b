//! This crate as approver and signer at the API server: of a signer of one's own, and in place of
//! kube-controller-manager.

use std::fs;
use std::process::Command;
use std::time::Duration;

use kubepki::certificates_api::{
    CertificateSigningRequest, Context, NodeAddresses, Outcome, SIGNING_DURATION, SignerPolicy, State,
    Verdict, review, sign,
};
use kubepki::manifest::{self, Subject};
use kubepki::{Credential, Issuer, Node, Profile, Role, Time, Usage, role};

use crate::api::{Api, REQUESTS};
use crate::control_plane::{ControlPlane, Machine};
use crate::http::{Answer, Pair, Request};
use crate::identity::{self, Identity, seen_as};
use crate::judges::{self, Anchor, Check, free_port, openssl};
use crate::programs::{Process, eventually, kubectl};
use crate::report::{Report, Result};
use crate::row::OWN_SIGNER;

const SERVICE: &str = "my-svc.my-namespace.svc.cluster.local";

/// A workload's way to a certificate that its clients verify.
pub(crate) fn own_signer(report: &mut Report, cluster: &ControlPlane) -> Result {
    let ControlPlane { machine, api, .. } = cluster;
    let policy = SignerPolicy::new(OWN_SIGNER.parse()?)?
        .requesters(["jane".parse()?])
        .common_names(["*.my-namespace.svc.cluster.local".parse()?])
        .sans(["DNS:*.my-namespace.svc.cluster.local".parse()?])
        .usages([Usage::DigitalSignature, Usage::ServerAuth]);
    let root = role::RootCa::new(&machine.cluster, "My Example Signer".parse()?).profile();
    let issuer = Issuer::self_signed(&root, Time::now())?;
    let context = Context::default().policy(policy);
    let signer = Signer { api, issuer: &issuer, context, user: Some(bound(machine, api)?) };

    let request = role::Service::new(&machine.cluster, SERVICE.parse()?).profile().request()?;
    let object = CertificateSigningRequest::new("my-svc".parse()?, OWN_SIGNER.parse()?, &request)
        .expires_in(Duration::from_secs(3600))?;
    let admin = machine.almighty();
    let create = ["create", "--as=jane", "--as-group=developers", "--filename=-"];
    let created = kubectl(&admin, &create, &object.to_yaml());
    report.check("ours: its YAML is created", created.map(|said| said.trim().to_owned()));
    let get = |format| kubectl(&admin, &["get", "csr", "my-svc", format], "");
    let object = CertificateSigningRequest::from_yaml(get("--output=yaml")?.as_bytes())?;
    let object = signer.sign(signer.decide(object, Verdict::Approve)?)?;
    report.check("ours: approved and signed", containing(get("--no-headers"), "Approved,Issued"));
    let server = Server::start(machine, &request.accept(object.certificates()?)?)?;
    let (namespace, name) = ("default".parse()?, "serving-ca".parse()?);
    let trusted = manifest::ca_config_map(&namespace, &name, &[issuer.certificate().clone()])?;
    api.apply(&trusted.to_json())?;
    let verified = eventually(|| server.ask(machine, SERVICE));
    report.check("ours: a server is verified by its name", verified);
    let other = server.ask(machine, "other.example.com").err().ok_or("expected curl to refuse it")?;
    let verdict = containing(Ok(other.to_string()), "no alternative certificate subject name matches");
    report.check("ours: it is not verified by another name", verdict);

    let other = role::Service::new(&machine.cluster, "svc.other.svc.cluster.local".parse()?).profile();
    let object = signer.create("other", OWN_SIGNER, &Identity::new("jane", &[]), &other.request()?)?;
    let denied = signer.decide(object, Verdict::Deny).and_then(|object| signer.skips(object));
    report.check("ours: a name of another is denied", denied);
    Ok(())
}

/// What kube-controller-manager approves and signs, while there is none.
pub(crate) fn in_place_of_kubernetes(report: &mut Report, cluster: &ControlPlane) -> Result {
    let ControlPlane { machine, api, .. } = cluster;
    let node = Node::worker("w-2".parse()?).addresses([[192, 0, 2, 22].into()]);
    let clients = "kubernetes.io/kube-apiserver-client";
    let policy = SignerPolicy::new(clients.parse()?)?
        .requesters(["jane".parse()?])
        .common_names(["zoe".parse()?])
        .organizations(["team-a".parse()?])
        .usages([Usage::DigitalSignature, Usage::ClientAuth]);
    let addresses = NodeAddresses::new("w-2".parse()?, ["w-2".parse()?, "192.0.2.22".parse()?]);
    let bootstrappers = ["system:bootstrappers".parse()?];
    let context = Context::default().policy(policy).node(addresses).bootstrap_groups(bootstrappers);
    let signer = Signer { api, issuer: machine.issuer(Role::KubernetesCa), context, user: None };

    let zoe = Identity::new("zoe", &["team-a"]);
    let profile = role::User::new(&machine.cluster, "zoe".parse()?).group("team-a".parse()?).profile();
    let pair = signer.issue(machine, &profile, clients, &Identity::new("jane", &[]))?;
    report.check("ours: a client", seen_as(identity::review(machine, Some(&pair), &[]), &zoe));

    let bootstrap = Identity::new("system:bootstrap:abcdef", &["system:bootstrappers"]);
    let kubelet = Identity::new("system:node:w-2", &["system:nodes"]);
    let profile = role::KubeletClient::new(&machine.cluster, &node).profile();
    let pair = signer.issue(machine, &profile, "kubernetes.io/kube-apiserver-client-kubelet", &bootstrap)?;
    report.check("ours: a kubelet", seen_as(identity::review(machine, Some(&pair), &[]), &kubelet));

    let serving = "kubernetes.io/kubelet-serving";
    let pair = signer.issue(
        machine,
        &role::KubeletServer::new(&machine.cluster, &node).profile(),
        serving,
        &kubelet,
    )?;
    let (anchor, usage, ca) = (Anchor::Root, judges::Usage::Server, machine.ca());
    let name = Some("192.0.2.22");
    let check = Check { chain: &pair.certificate, trusted: &ca, anchor, usage, name, at: None };
    report.check("ours: a kubelet's server", openssl::verify(&check).map(|()| "OK").map_err(Into::into));

    let mut object = signer.create("failing", serving, &kubelet, &profile.request()?)?;
    object.approve("Conformance", "whatever it asks for", Time::now())?;
    let object = signer.update(&object, "approval")?;
    report.check("ours: a failure", signer.fails(object));
    Ok(())
}

/// An approver and signer.
#[derive(Debug)]
pub(crate) struct Signer<'a> {
    pub(crate) api: &'a Api,
    pub(crate) issuer: &'a Issuer,
    pub(crate) context: Context,
    /// Otherwise an administrator.
    pub(crate) user: Option<Identity>,
}

impl Signer<'_> {
    /// From a profile to a certificate in files, through the API server.
    fn issue(&self, machine: &Machine, profile: &Profile, signer: &str, user: &Identity) -> Result<Pair> {
        let request = profile.request()?;
        let object = self.create(profile.role().id(), signer, user, &request)?;
        let object = self.sign(self.decide(object, Verdict::Approve)?)?;
        save(machine, &request.accept(object.certificates()?)?, object.name())
    }

    /// The object of a request as the API server has it.
    fn create(
        &self,
        name: &str,
        signer: &str,
        user: &Identity,
        request: &kubepki::Request,
    ) -> Result<CertificateSigningRequest> {
        let object = CertificateSigningRequest::new(name.parse()?, signer.parse()?, request);
        let answer = self.api.send("POST", REQUESTS, Some(user), Some(&object.to_json()))?;
        read(&answer, 201)
    }

    /// Decides about an object, and sends it to the API server.
    pub(crate) fn decide(
        &self,
        mut object: CertificateSigningRequest,
        expected: Verdict,
    ) -> Result<CertificateSigningRequest> {
        let review = review(&object, &self.context);
        if review.verdict() != expected {
            return Err(format!("expected {expected:?}, found {review}").into());
        }
        review.apply(&mut object, Time::now())?;
        self.update(&object, "approval")
    }

    /// Sends the whole object to a subresource; gives it as the API server then has it.
    fn update(&self, object: &CertificateSigningRequest, part: &str) -> Result<CertificateSigningRequest> {
        let path = format!("{REQUESTS}/{}/{part}", object.name());
        read(&self.api.send("PUT", &path, self.user.as_ref(), Some(&object.to_json()))?, 200)
    }

    fn outcome(&self, object: &mut CertificateSigningRequest) -> Result<Outcome> {
        let signer_name = object.signer_name().clone();
        Ok(sign(object, &signer_name, self.issuer, SIGNING_DURATION, Time::now())?)
    }

    fn sign(&self, mut object: CertificateSigningRequest) -> Result<CertificateSigningRequest> {
        match self.outcome(&mut object)? {
            Outcome::Issued => self.update(&object, "status"),
            outcome => Err(format!("expected a certificate, found {outcome}").into()),
        }
    }

    /// That what is denied stays so.
    fn skips(&self, mut object: CertificateSigningRequest) -> Result<String> {
        match (object.state(), self.outcome(&mut object)?) {
            (State::Denied, Outcome::Skipped(why)) => Ok(why),
            found => Err(format!("expected a denied one to be skipped, found {found:?}").into()),
        }
    }

    /// That the API server takes the condition `Failed`.
    fn fails(&self, mut object: CertificateSigningRequest) -> Result<String> {
        let outcome = self.outcome(&mut object)?;
        match self.update(&object, "status")?.state() {
            State::Failed => Ok(outcome.to_string()),
            state => Err(format!("expected it to have failed, found it {state}, and {outcome}").into()),
        }
    }
}

/// A user who may approve and sign for one signer, and no more.
fn bound(machine: &Machine, api: &Api) -> Result<Identity> {
    let (signer, user) = (OWN_SIGNER.parse()?, "serving-signer");
    let (approver, signs) = ("approver".parse()?, "signer".parse()?);
    let subject = Subject::User(user.parse()?);
    for object in [
        manifest::approver_role(&approver, &signer),
        manifest::signer_role(&signs, &signer),
        manifest::cluster_role_binding(&approver, &approver, &subject),
        manifest::cluster_role_binding(&signs, &signs, &subject),
    ] {
        api.apply(&object.to_yaml())?;
    }
    for part in ["approval", "status"] {
        let (part, user) = (format!("--subresource={part}"), format!("--as={user}"));
        let ask = ["auth", "can-i", "update", "certificatesigningrequests", &part, &user];
        eventually(|| kubectl(&machine.almighty(), &ask, ""))?;
    }
    Ok(Identity::new(user, &[]))
}

fn read(answer: &Answer, status: u16) -> Result<CertificateSigningRequest> {
    match answer.status == status {
        true => Ok(CertificateSigningRequest::from_yaml(answer.body.as_bytes())?),
        false => Err(format!("expected {status}, found {answer:?}").into()),
    }
}

fn containing(text: Result<String>, part: &str) -> Result<String> {
    match text?.trim() {
        text if text.contains(part) => Ok(text.to_owned()),
        text => Err(format!("expected {part:?}, found {text}").into()),
    }
}

fn save(machine: &Machine, credential: &Credential, name: &str) -> Result<Pair> {
    let path = |suffix| machine.directory.join(format!("ours-{name}.{suffix}"));
    let pair = Pair { certificate: path("crt"), key: path("key") };
    fs::write(&pair.certificate, credential.chain_pem())?;
    fs::write(&pair.key, credential.key().to_pem().as_bytes())?;
    Ok(pair)
}

/// A workload: `openssl s_server`.
#[derive(Debug)]
struct Server {
    _process: Process,
    port: u16,
}

impl Server {
    fn start(machine: &Machine, credential: &Credential) -> Result<Self> {
        let (port, pair) = (free_port(), save(machine, credential, "server")?);
        let mut command = Command::new("openssl");
        command.args(["s_server", "-www", "-quiet", "-accept", &format!("127.0.0.1:{port}")]);
        command.arg("-cert").arg(pair.certificate).arg("-key").arg(pair.key);
        Ok(Self { _process: Process::start(&command, machine.directory.join("server.log"))?, port })
    }

    /// What a client says that trusts what the signer publishes.
    fn ask(&self, machine: &Machine, name: &str) -> Result<u16> {
        let path = "--output=jsonpath={.data.ca\\.crt}";
        let get = ["get", "configmap", "serving-ca", "--namespace=default", path];
        let trusted = machine.directory.join("serving-ca.crt");
        fs::write(&trusted, kubectl(&machine.almighty(), &get, "")?)?;
        let (url, at) = (format!("https://{name}/"), format!("127.0.0.1:{}", self.port));
        let request = Request { url: &url, trusted: Some(&trusted), at: Some(&at), ..Request::default() };
        Ok(request.send()?.status)
    }
}
