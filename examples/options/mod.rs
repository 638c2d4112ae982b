//! What the examples share: the options that describe a cluster and a machine, and how a program ends.

#![allow(dead_code, reason = "no example needs all of it")]

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use kubepki::import::KubeadmConfiguration;
use kubepki::{Cluster, Endpoint, Layout, Node, NodeName, Place, Role, San, Subnet};
use lexopt::prelude::*;

pub(crate) type Error = Box<dyn std::error::Error>;

pub(crate) const USAGE: &str =
    "  [--config FILE]                     kubeadm's configuration, which the other options override
  [--node NAME] [--address IP]        the machine                     (cp-1, 127.0.0.1)
  [--kind KIND]                       control-plane, worker or etcd-member (control-plane)
  [--san NAME|IP]...                  more names of its API server
  [--convention documented|kubeadm]   whose names to use              (documented; with --config kubeadm)
  [--kubernetes-version VERSION]      whose kubeadm, such as 1.36     (what all versions work with)
  [--algorithm ALGORITHM]             rsa-2048, rsa-3072, rsa-4096, ecdsa-p256 or ecdsa-p384 (rsa-2048)
  [--cluster-name NAME]               the cluster's name in kubeconfigs
  [--endpoint HOST:PORT]              where clients reach the API     (127.0.0.1:6443)
  [--service-subnet CIDR]...          one, or one of each IP family   (10.96.0.0/12)
  [--dns-domain DOMAIN]               of the cluster's DNS            (cluster.local)";

/// A cluster and a machine, as the options describe them.
pub(crate) struct Description {
    pub(crate) cluster: Cluster,
    pub(crate) node: Node,
    /// Another directory than `/etc/kubernetes/pki`, from a configuration.
    certificates: Option<PathBuf>,
}

impl Description {
    /// Where the files lie when `directory` stands for `/etc/kubernetes`: certificates are below it as they
    /// would be below that; in `pki` where they would be elsewhere. `/etc/kubernetes` stands for itself.
    pub(crate) fn layout(&self, directory: &Path) -> Layout {
        let real = Layout::default();
        let layout = Layout::new(directory);
        let Some(certificates) = &self.certificates else { return layout };
        match certificates.strip_prefix(real.directory()) {
            _ if directory == real.directory() => layout.certificates(certificates),
            Ok(below) => layout.certificates(directory.join(below)),
            Err(_) => layout,
        }
    }
}

/// The options that describe a cluster and a machine.
#[derive(Default)]
pub(crate) struct Options {
    given: bool,
    config: Option<PathBuf>,
    name: Option<NodeName>,
    address: Option<IpAddr>,
    kind: Option<String>,
    sans: Vec<San>,
    endpoint: Option<Endpoint>,
    subnets: Vec<Subnet>,
    changes: Vec<Box<dyn FnOnce(Cluster) -> Cluster>>,
}

impl Options {
    /// Takes an option and its value; an error when it is not one of these.
    pub(crate) fn take(mut self, option: &str, arguments: &mut lexopt::Parser) -> Result<Self, Error> {
        match option {
            "config" => self.config = Some(arguments.value()?.into()),
            "node" => self.name = Some(value(option, arguments)?),
            "address" => self.address = Some(value(option, arguments)?),
            "kind" => self.kind = Some(value(option, arguments)?),
            "san" => self.sans.push(value(option, arguments)?),
            "convention" => self.change(value(option, arguments)?, Cluster::convention),
            "kubernetes-version" => self.change(value(option, arguments)?, Cluster::kubernetes_version),
            "algorithm" => self.change(value(option, arguments)?, Cluster::key_algorithm),
            "cluster-name" => self.change(value(option, arguments)?, Cluster::name),
            "endpoint" => self.endpoint = Some(value(option, arguments)?),
            "service-subnet" => self.subnets.push(value(option, arguments)?),
            "dns-domain" => self.change(value(option, arguments)?, Cluster::dns_domain),
            _ => return Err(Long(option).unexpected().into()),
        }
        self.given = true;
        Ok(self)
    }

    fn change<T: 'static>(&mut self, value: T, set: fn(Cluster, T) -> Cluster) {
        self.changes.push(Box::new(move |cluster| set(cluster, value)));
    }

    /// The cluster and its first node, with a default for everything but what a configuration should say.
    pub(crate) fn first_node(mut self) -> Result<Description, Error> {
        if let Some(kind) = self.kind.as_deref().filter(|kind| *kind != "control-plane") {
            return Err(format!("--kind {kind:?}: the first node is of the kind control-plane").into());
        }
        self.default_machine()?;
        self.machine(KubeadmConfiguration::first_node)
    }

    /// The cluster and any of its machines, which must be named.
    pub(crate) fn node(self) -> Result<Description, Error> {
        self.machine(KubeadmConfiguration::node)
    }

    /// The cluster and a machine, with the defaults of [`first_node`](Self::first_node); `None` if no option
    /// describes them.
    pub(crate) fn if_given(mut self) -> Result<Option<Description>, Error> {
        if !self.given {
            return Ok(None);
        }
        self.default_machine()?;
        self.node().map(Some)
    }

    fn default_machine(&mut self) -> Result<(), Error> {
        if self.config.is_none() {
            self.name.get_or_insert("cp-1".parse()?);
            self.address.get_or_insert([127, 0, 0, 1].into());
        }
        Ok(())
    }

    fn machine(self, pick: fn(&KubeadmConfiguration) -> kubepki::Result<Node>) -> Result<Description, Error> {
        let mut certificates = None;
        let (cluster, node) = match self.config {
            Some(file) => {
                if self.kind.is_some() {
                    return Err("--kind: --config says of which kind the machine is".into());
                }
                let mut configuration = KubeadmConfiguration::load(&file)?;
                for remark in configuration.remarks() {
                    eprintln!("note: {}: {remark}", file.display());
                }
                if let Some(name) = self.name {
                    configuration = configuration.node_name(name);
                }
                if let Some(address) = self.address {
                    configuration = configuration.advertise_address(address);
                }
                if let Some(endpoint) = self.endpoint {
                    configuration = configuration.endpoint(endpoint);
                }
                let explain = |error| format!("{}: {error}{}", file.display(), option_for(&error));
                certificates = configuration.certificates_directory().map(PathBuf::from);
                // The node first: its address may be the cluster's as well.
                let node = pick(&configuration).map_err(explain)?;
                (configuration.cluster().map_err(explain)?, node)
            }
            None => {
                let (Some(name), Some(address)) = (self.name, self.address) else {
                    return Err(
                        "--node and --address are needed, or --config; --help shows all options".into()
                    );
                };
                let node = match self.kind.as_deref().unwrap_or("control-plane") {
                    "control-plane" => Node::control_plane(name, address),
                    "etcd-member" => Node::etcd_member(name, address),
                    "worker" => Node::worker(name).addresses([address]),
                    other => {
                        let kinds = "expected control-plane, worker or etcd-member";
                        return Err(format!("--kind {other:?}: {kinds}").into());
                    }
                };
                (Cluster::new(self.endpoint.map_or_else(|| "127.0.0.1:6443".parse(), Ok)?), node)
            }
        };
        let cluster = self.changes.into_iter().fold(cluster, |cluster, change| change(cluster));
        let node = self.sans.into_iter().fold(node, |node, san| node.san(Role::ApiServer, san));
        let cluster = if self.subnets.is_empty() { cluster } else { cluster.service_subnets(self.subnets) };
        Ok(Description { cluster, node, certificates })
    }
}

/// The option that gives what a configuration lacks.
fn option_for(error: &kubepki::Error) -> &'static str {
    match error.places() {
        [Place::Field(field)] if field.ends_with(".name") => "; --node NAME gives it",
        [Place::Field(field)] if field.ends_with(".advertiseAddress") => "; --address IP gives it",
        [Place::Field(field)] if field.ends_with(".controlPlaneEndpoint") => {
            "; --endpoint HOST:PORT gives it"
        }
        _ => "",
    }
}

/// The value of an option, which an error names.
pub(crate) fn value<T: FromStr<Err: Display>>(
    option: &str,
    arguments: &mut lexopt::Parser,
) -> Result<T, Error> {
    let text = arguments.value()?.string()?;
    text.parse().map_err(|error| format!("--{option} {text:?}: {error}").into())
}

/// The arguments of an example without options.
pub(crate) fn arguments() -> Result<Vec<String>, Error> {
    let text =
        |argument: OsString| argument.into_string().map_err(|other| format!("{other:?} is not UTF-8").into());
    std::env::args_os().skip(1).map(text).collect()
}

/// Prints to standard output. A reader that has seen enough (`| head`) is no failure.
pub(crate) fn print(text: impl Display) -> Result<(), Error> {
    match write!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Runs an example: its errors are for people.
pub(crate) fn run(example: impl FnOnce() -> Result<(), Error>) -> ExitCode {
    run_or(1, || example().map(|()| ExitCode::SUCCESS))
}

/// The same for an example whose own exit code says something; `failure` says that there was an error.
pub(crate) fn run_or(failure: u8, example: impl FnOnce() -> Result<ExitCode, Error>) -> ExitCode {
    example().unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::from(failure)
    })
}
