//! Starting a control plane: files of ours, the arguments that we print, and ports on the loopback interface.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kubepki::{
    Authorities, Certificate, Cluster, Component, Endpoint, Expected, Issuer, Layout, Node, Part, Pki,
    Profile, Role, Time,
};
use tempfile::TempDir;

use crate::api::Api;
use crate::http::{Pair, Request};
use crate::judges::{etcd, free_port};
use crate::programs::{PATIENCE, Process, kubectl};
use crate::report::Result;
use crate::support::fast_cluster;

/// The name of the node whose API server runs.
pub(crate) const NODE: &str = "cp-1";

/// A control-plane node with everything that can be asked for.
pub(crate) fn node(name: &str, address: IpAddr) -> Node {
    Node::control_plane(name.parse().unwrap(), address).addresses([[127, 0, 0, 1].into()]).kube_proxy()
}

/// A directory with all files of a cluster's first node, and what they follow from.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) cluster: Cluster,
    pub(crate) authorities: Authorities,
    pub(crate) directory: PathBuf,
    /// Where the API server is reached.
    pub(crate) url: String,
    /// Arguments that its components are given behind ours.
    pub(crate) more: Vec<(Component, String)>,
    expected: Expected,
    address: IpAddr,
    port: u16,
}

impl Machine {
    /// Makes the files of a node whose API server, at a free port of `address`, is the endpoint of the cluster.
    pub(crate) fn new(
        cluster: &Cluster,
        authorities: &Authorities,
        address: IpAddr,
        directory: PathBuf,
    ) -> Result<Self> {
        let port = free_port();
        let endpoint: Endpoint = SocketAddr::new(address, port).to_string().parse()?;
        let (url, cluster) = (endpoint.url(), cluster.clone().endpoint(endpoint));
        let node = node(NODE, address);
        authorities.first(&cluster, &node, Time::now())?.save(&directory)?;
        let (authorities, expected) = (authorities.clone(), Expected::new(&cluster, &node));
        Ok(Self { cluster, authorities, directory, url, more: Vec::new(), expected, address, port })
    }

    /// Takes a directory that exists, of a node whose certificates are good for 127.0.0.1, and points its kubeconfigs to
    /// an API server at a free port there. What its components are told follows from the files.
    pub(crate) fn existing(cluster: &Cluster, directory: PathBuf) -> Result<Self> {
        let port = free_port();
        let endpoint: Endpoint = format!("127.0.0.1:{port}").parse()?;
        let (url, cluster) = (endpoint.url(), cluster.clone().endpoint(endpoint));
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            if path.extension().is_some_and(|it| it == "conf") {
                let text = fs::read_to_string(&path)?;
                let server = text.lines().find(|line| line.trim_start().starts_with("server: "));
                let server = server.ok_or_else(|| format!("{}: no server", path.display()))?;
                fs::write(&path, text.replace(server, &format!("    server: {url}")))?;
            }
        }
        let (authorities, expected) =
            (Authorities::load(&directory)?, Pki::load(&directory)?.expected().clone());
        Ok(Self {
            cluster,
            authorities,
            directory,
            url,
            more: Vec::new(),
            expected,
            address: Ipv4Addr::LOCALHOST.into(),
            port,
        })
    }

    pub(crate) fn path(&self, role: Role, part: Part) -> PathBuf {
        Layout::new(&self.directory).path(role, part).expect("the role has such a file")
    }

    pub(crate) fn kubeconfig(&self, role: Role) -> PathBuf {
        self.path(role, Part::Kubeconfig)
    }

    /// The kubeconfig that may do everything: in directories from before super-admin.conf, admin.conf.
    pub(crate) fn almighty(&self) -> PathBuf {
        let super_admin = self.kubeconfig(Role::SuperAdmin);
        if super_admin.exists() { super_admin } else { self.kubeconfig(Role::Admin) }
    }

    /// The certificate that verifies the API server.
    pub(crate) fn ca(&self) -> PathBuf {
        self.path(Role::KubernetesCa, Part::Certificate)
    }

    pub(crate) fn pair(&self, role: Role) -> Pair {
        Pair { certificate: self.path(role, Part::Certificate), key: self.path(role, Part::Key) }
    }

    /// An authority with its key.
    pub(crate) fn issuer(&self, authority: Role) -> &Issuer {
        self.authorities.get(authority).and_then(|it| it.issuer()).expect("an authority with a key")
    }

    /// A certificate that one of the authorities issues for this test, with everything above it behind it: whoever
    /// presents it leaves nothing out.
    pub(crate) fn issue(&self, authority: Role, profile: &Profile) -> Result<Pair> {
        // Straight from the authority: the whole set would have a certificate signed by its own one only.
        let issuer = self.issuer(authority);
        let credential = issuer.issue(profile, Time::now())?;
        let above: String = issuer.chain().iter().map(Certificate::to_pem).collect();
        let stem =
            format!("{authority}-{}-{}", profile.role(), profile.common_name().replace([':', '/'], "-"));
        let path = |suffix: &str| self.directory.join(format!("{stem}.{suffix}"));
        let pair = Pair { certificate: path("crt"), key: path("key") };
        fs::write(&pair.certificate, credential.certificate().to_pem() + &above)?;
        fs::write(&pair.key, credential.key().to_pem().as_bytes())?;
        Ok(pair)
    }

    /// Starts three etcd members that all use this machine's files.
    pub(crate) fn start_etcd(&self) -> Members {
        let member =
            etcd::Member { arguments: self.arguments(Component::Etcd), directory: self.directory.clone() };
        Members {
            etcd: etcd::Etcd::start(&[member.clone(), member.clone(), member]),
            etcdctl: self.arguments(Component::Etcdctl),
            directory: self.directory.clone(),
        }
    }

    fn arguments(&self, component: Component) -> Vec<String> {
        self.expected.clone().layout(Layout::new(&self.directory)).arguments(component)
    }

    /// A program with exactly the arguments that we print for it, and those that a test adds.
    fn command(&self, component: Component) -> Command {
        let mut command = Command::new(component.id());
        // Some programs write what they are not told to write elsewhere.
        command.current_dir(&self.directory).args(self.arguments(component));
        command.args(self.more.iter().filter(|(of, _)| *of == component).map(|(_, argument)| argument));
        command
    }

    /// Starts kube-apiserver and waits until admin.conf finds it ready. Nobody ever calls the advertise address.
    pub(crate) fn start_api_server(&self, etcd: &etcd::Etcd) -> Result<Process> {
        self.start_api_server_with(etcd, &[])
    }

    /// The same with more arguments.
    pub(crate) fn start_api_server_with(&self, etcd: &etcd::Etcd, more: &[&str]) -> Result<Process> {
        let mut command = self.command(Component::ApiServer);
        command.args([
            format!("--etcd-servers={}", etcd.endpoints()),
            format!("--bind-address={}", self.address),
            format!("--secure-port={}", self.port),
            "--advertise-address=192.0.2.10".to_owned(),
            "--endpoint-reconciler-type=none".to_owned(),
            "--service-cluster-ip-range=10.96.0.0/12,fd00::/108".to_owned(),
        ]);
        command.args(more);
        let mut process = Process::start(&command, self.directory.join("kube-apiserver.log"))?;
        let admin = self.kubeconfig(Role::Admin);
        process.wait_until(|| kubectl(&admin, &["get", "--raw", "/readyz"], ""))?;
        Ok(process)
    }

    /// Starts kube-controller-manager or kube-scheduler and waits until it is healthy; gives its own URL as well.
    pub(crate) fn start_controller(&self, component: Component) -> Result<(Process, String)> {
        let port = free_port();
        let mut command = self.command(component);
        command.args(["--bind-address=127.0.0.1", "--leader-elect=false"]);
        command.arg(format!("--secure-port={port}"));
        let mut process = Process::start(&command, self.directory.join(format!("{}.log", component.id())))?;
        let url = format!("https://127.0.0.1:{port}");
        process.wait_until(|| {
            match (Request { url: &format!("{url}/healthz"), ..Request::default() }).send()? {
                answer if answer.status == 200 => Ok(()),
                answer => Err(answer.body.into()),
            }
        })?;
        Ok((process, url))
    }
}

/// What certificate requests and tokens need: etcd, kube-apiserver and kube-controller-manager of one node.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    pub(crate) machine: Machine,
    pub(crate) api: Api,
    controller_manager: Option<Process>,
    _api_server: Process,
    _etcd: etcd::Etcd,
    _scratch: TempDir,
}

impl ControlPlane {
    /// Starts it on fresh files, to which something may be done before.
    pub(crate) fn start(change: impl FnOnce(&mut Machine) -> Result) -> Result<Self> {
        let scratch = tempfile::tempdir()?;
        let cluster = fast_cluster();
        let authorities = Authorities::create(&cluster, Time::now())?;
        let directory = scratch.path().join(NODE);
        let mut machine = Machine::new(&cluster, &authorities, Ipv4Addr::LOCALHOST.into(), directory)?;
        change(&mut machine)?;
        let etcd = machine.start_etcd().etcd;
        let api_server = machine.start_api_server(&etcd)?;
        let (controller_manager, _) = machine.start_controller(Component::ControllerManager)?;
        Ok(Self {
            api: Api::new(&machine)?,
            machine,
            controller_manager: Some(controller_manager),
            _api_server: api_server,
            _etcd: etcd,
            _scratch: scratch,
        })
    }

    /// Ends kube-controller-manager.
    pub(crate) fn stop_controller_manager(&mut self) {
        self.controller_manager = None;
    }

    /// Ends kube-controller-manager and starts it with more arguments.
    pub(crate) fn restart_controller_manager(&mut self, more: impl IntoIterator<Item = String>) -> Result {
        self.stop_controller_manager();
        self.machine.more.extend(more.into_iter().map(|argument| (Component::ControllerManager, argument)));
        self.controller_manager = Some(self.machine.start_controller(Component::ControllerManager)?.0);
        Ok(())
    }
}

/// Three etcd members of three nodes that joined.
#[derive(Debug)]
pub(crate) struct Members {
    pub(crate) etcd: etcd::Etcd,
    etcdctl: Vec<String>,
    directory: PathBuf,
}

impl Members {
    /// Starts them with files in directories below `directory`; `change` may change the files of each before.
    pub(crate) fn start(
        cluster: &Cluster,
        authorities: &Authorities,
        directory: &Path,
        change: impl Fn(&Path, &Node) -> Result,
    ) -> Result<Self> {
        let mut members = Vec::new();
        let mut etcdctl = Vec::new();
        for name in ["m-1", "m-2", "m-3"] {
            let own = directory.join(name);
            let node = node(name, Ipv4Addr::LOCALHOST.into());
            authorities.join(cluster, &node, Time::now())?.save(&own)?;
            change(&own, &node)?;
            let expected = Expected::new(cluster, &node).layout(Layout::new(&own));
            etcdctl = expected.arguments(Component::Etcdctl);
            members.push(etcd::Member { arguments: expected.arguments(Component::Etcd), directory: own });
        }
        Ok(Self { etcd: etcd::Etcd::start(&members), etcdctl, directory: directory.to_owned() })
    }

    /// That every member is healthy.
    pub(crate) fn healthy(&mut self) -> Result<String> {
        self.healthy_within(PATIENCE)
    }

    /// That every member is healthy before some time has passed.
    pub(crate) fn healthy_within(&mut self, patience: Duration) -> Result<String> {
        self.etcd.healthy_within(patience, &self.directory, &self.etcdctl)?;
        Ok("three members".to_owned())
    }

    /// That no member's log complains of a certificate's usages.
    pub(crate) fn log_is_clean(&self) -> Result<String> {
        match self.etcd.logs().lines().find(|line| line.contains("incompatible key usage")) {
            None => Ok("no incompatible key usage".to_owned()),
            Some(line) => Err(line.into()),
        }
    }
}
