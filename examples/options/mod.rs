//! What the examples share: the options that describe a cluster and a machine, and how a program ends.

#![allow(dead_code, reason = "no example needs all of it")]

use std::ffi::OsString;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use kubepki::import::KubeadmConfiguration;
use kubepki::{
    AlternativeName, Certificate, Cluster, Convention, Endpoint, Expected, Layout, Node, NodeName, Part, Pki,
    Place, Role, San, Subnet,
};
use lexopt::prelude::*;

pub(crate) type Error = Box<dyn std::error::Error>;

const DEFAULT_NAME: &str = "cp-1";
const DEFAULT_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const DEFAULT_ENDPOINT: &str = "127.0.0.1:6443";
const DEFAULT_SUBNET: &str = "10.96.0.0/12";

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

/// What an existing machine is to be.
pub(crate) enum Existing {
    /// What its files tell.
    Files,
    /// The same, but for what options say.
    Changed(Options),
    /// What a configuration says.
    Described(Description),
}

/// Whether names that certificates have, and nothing describes, are expected to stay.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Told,
    Kept,
}

impl Existing {
    pub(crate) fn layout(&self, directory: &Path) -> Layout {
        match self {
            Self::Described(description) => description.layout(directory),
            Self::Files | Self::Changed(_) => Layout::new(directory),
        }
    }

    pub(crate) fn expected(&self, pki: &Pki, layout: &Layout, names: Names) -> Result<Expected, Error> {
        let (cluster, mut node) = match self {
            Self::Files => return Ok(pki.expected().clone()),
            Self::Described(Description { cluster, node, .. }) => {
                return Ok(with_keys_of(pki, Expected::new(cluster, node).layout(layout.clone())));
            }
            Self::Changed(options) => options.changing(pki)?,
        };
        if names == Names::Kept {
            for role in [Role::ApiServer, Role::EtcdServer, Role::EtcdPeer, Role::KubeletServer] {
                let names = certificate(pki, role).map(|it| sans(&it)).unwrap_or_default();
                node = names.into_iter().fold(node, |node, san| node.san(role, san));
            }
        }
        Ok(with_keys_of(pki, Expected::new(&cluster, &node).layout(layout.clone())))
    }
}

/// No option says where the keys of authorities are: those that are elsewhere stay there.
fn with_keys_of(pki: &Pki, expected: Expected) -> Expected {
    let authorities = pki.authorities().iter();
    let external = authorities.filter(|(_, authority)| authority.issuer().is_none());
    external.map(|(role, _)| role).fold(expected, Expected::external)
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
    changes: Vec<Box<dyn Fn(Cluster) -> Cluster>>,
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

    fn change<T: Clone + 'static>(&mut self, value: T, set: fn(Cluster, T) -> Cluster) {
        self.changes.push(Box::new(move |cluster| set(cluster, value.clone())));
    }

    /// The cluster and its first node, with a default for everything but what a configuration should say.
    pub(crate) fn first_node(mut self) -> Result<Description, Error> {
        let kind = self.kind.as_deref().filter(|kind| *kind != "control-plane");
        if let Some(kind) = kind.filter(|_| self.config.is_none()) {
            return Err(format!("--kind {kind:?}: the first node is of the kind control-plane").into());
        }
        self.default_machine()?;
        self.machine(KubeadmConfiguration::first_node)
    }

    /// The cluster and any of its machines, which must be named.
    pub(crate) fn node(self) -> Result<Description, Error> {
        self.machine(KubeadmConfiguration::node)
    }

    /// What describes an existing machine.
    pub(crate) fn existing(self) -> Result<Existing, Error> {
        Ok(match (self.given, &self.config) {
            (false, _) => Existing::Files,
            (true, Some(_)) => Existing::Described(self.node()?),
            (true, None) => {
                self.check_kind()?;
                Existing::Changed(self)
            }
        })
    }

    fn check_kind(&self) -> Result<(), Error> {
        match self.kind.as_deref() {
            None | Some("control-plane" | "etcd-member" | "worker") => Ok(()),
            Some(other) => {
                Err(format!("--kind {other:?}: expected control-plane, worker or etcd-member").into())
            }
        }
    }

    /// The machine as its files tell, but for what the options say; with the defaults of
    /// [`first_node`](Self::first_node) for what neither tells.
    fn changing(&self, pki: &Pki) -> Result<(Cluster, Node), Error> {
        let told = pki.expected();
        let before = match told.cluster() {
            Some(cluster) => cluster.clone(),
            None => Cluster::new(DEFAULT_ENDPOINT.parse()?).convention(convention(pki)),
        };
        let before = before.service_subnets([]);
        let after = self.endpoint.iter().cloned().fold(before.clone(), Cluster::endpoint);
        let node = self.changed_node(pki)?;
        let server = certificate(pki, Role::ApiServer);
        let subnets = match &server {
            _ if !self.subnets.is_empty() => self.subnets.clone(),
            Some(server) => {
                let mut known = self.sans.clone();
                known.extend(server_names(&before, told.node().unwrap_or(&node)));
                known.extend(server_names(&after, &node));
                service_subnets(server, &known)?
            }
            None => vec![DEFAULT_SUBNET.parse()?],
        };
        let algorithm = server.and_then(|server| server.public_key().algorithm());
        let cluster = algorithm.into_iter().fold(after.service_subnets(subnets), Cluster::key_algorithm);
        let cluster = self.changes.iter().fold(cluster, |cluster, change| change(cluster));
        let node = self.sans.iter().cloned().fold(node, |node, san| node.san(Role::ApiServer, san));
        Ok((cluster, node))
    }

    fn changed_node(&self, pki: &Pki) -> Result<Node, Error> {
        let told = pki.expected().node();
        let has = |role| pki.expected().profiles().any(|profile| profile.role() == role);
        let told_kind = match () {
            () if has(Role::ApiServer) => "control-plane",
            () if has(Role::EtcdServer) => "etcd-member",
            // Of nothing at all one cannot tell.
            () if told.is_none() => "control-plane",
            () => "worker",
        };
        let kind = self.kind.as_deref().unwrap_or(told_kind);
        let told_address = told.and_then(Node::advertise_address);
        if let Some(told) = told
            && kind == told_kind
            && self.name.as_ref().is_none_or(|name| name == told.name())
            && self.address.is_none_or(|address| Some(address) == told_address)
            && kind != "worker"
        {
            return Ok(told.clone()); // with the port of its API server
        }
        let told_name = told.map(|told| told.name().clone()).or_else(|| kubelets_name(pki));
        let name = self.name.clone().or(told_name).map_or_else(|| DEFAULT_NAME.parse(), Ok)?;
        let address = self.address.or(told_address);
        Ok(match kind {
            "worker" => {
                let names = certificate(pki, Role::KubeletServer).map(|it| sans(&it)).unwrap_or_default();
                let addresses = names.into_iter().filter_map(|san| match san {
                    San::Ip(address) => Some(address),
                    _ => None,
                });
                Node::worker(name).addresses(self.address.map_or_else(|| addresses.collect(), |it| vec![it]))
            }
            "etcd-member" => Node::etcd_member(name, address.unwrap_or(DEFAULT_ADDRESS)),
            _ => Node::control_plane(name, address.unwrap_or(DEFAULT_ADDRESS)),
        })
    }

    fn default_machine(&mut self) -> Result<(), Error> {
        if self.config.is_none() {
            self.name.get_or_insert(DEFAULT_NAME.parse()?);
            self.address.get_or_insert(DEFAULT_ADDRESS);
        }
        Ok(())
    }

    fn machine(self, pick: fn(&KubeadmConfiguration) -> kubepki::Result<Node>) -> Result<Description, Error> {
        self.check_kind()?;
        let mut certificates = None;
        let (cluster, node) = match self.config {
            Some(file) => {
                let mut remarks = Vec::new();
                let configuration = KubeadmConfiguration::load_remarking(&file, &mut remarks);
                for remark in remarks {
                    eprintln!("note: {}: {remark}", file.display());
                }
                let mut configuration = configuration?;
                if self.kind.is_some() {
                    return Err("--kind: --config says of which kind the machine is".into());
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
                let node = match self.kind.as_deref() {
                    Some("etcd-member") => Node::etcd_member(name, address),
                    Some("worker") => Node::worker(name).addresses([address]),
                    _ => Node::control_plane(name, address),
                };
                (Cluster::new(self.endpoint.map_or_else(|| DEFAULT_ENDPOINT.parse(), Ok)?), node)
            }
        };
        let cluster = self.changes.into_iter().fold(cluster, |cluster, change| change(cluster));
        let node = self.sans.into_iter().fold(node, |node, san| node.san(Role::ApiServer, san));
        let cluster = if self.subnets.is_empty() { cluster } else { cluster.service_subnets(self.subnets) };
        Ok(Description { cluster, node, certificates })
    }
}

/// The certificate of a role with files of its own, if it is one that the cluster's authority has signed: what
/// another one says is not believed.
fn certificate(pki: &Pki, role: Role) -> Option<Certificate> {
    let authority = pki.authorities().get(role.authority()?)?.certificate();
    let file = pki.files().find(|file| (file.role(), file.part()) == (role, Part::Certificate))?;
    let certificate = Certificate::from_pem(file.bytes()).ok()?.into_iter().next()?;
    certificate.check_issued_by(authority).ok().map(|()| certificate)
}

/// The names of a certificate that another one may be given.
fn sans(certificate: &Certificate) -> Vec<San> {
    let sans = certificate.sans().iter().filter_map(|san| match san {
        AlternativeName::Dns(name) => name.to_ascii_lowercase().parse().ok(),
        AlternativeName::Ip(address) => Some(San::from(*address)),
        _ => None,
    });
    sans.collect()
}

/// What the API server's certificate is expected to name, as far as it is known.
fn server_names(cluster: &Cluster, node: &Node) -> Vec<San> {
    let expected = Expected::new(cluster, node);
    let server = expected.profiles().find(|profile| profile.role() == Role::ApiServer);
    server.map(|profile| profile.sans().to_vec()).unwrap_or_default()
}

/// For each IP family a subnet whose first address, that of the service `kubernetes`, stands in the API server's
/// certificate beside the names that are known; the default where there is none. How long the subnet is makes no
/// difference.
fn service_subnets(server: &Certificate, known: &[San]) -> Result<Vec<Subnet>, Error> {
    let default: Subnet = DEFAULT_SUBNET.parse()?;
    let others: Vec<San> = sans(server).into_iter().filter(|san| !known.contains(san)).collect();
    let (mut v4, mut v6) = (None, None);
    for san in &others {
        match san {
            San::Ip(IpAddr::V4(address)) if !address.is_loopback() => {
                let [a, b, c, last] = address.octets();
                v4 = v4.or((last == 1).then_some(format!("{a}.{b}.{c}.0/24")));
            }
            San::Ip(IpAddr::V6(address)) if !address.is_loopback() && address.segments()[7] == 1 => {
                let network = Ipv6Addr::from_bits(address.to_bits() ^ 1);
                v6 = v6.or(Some(format!("{network}/112")));
            }
            _ => {}
        }
    }
    if others.contains(&default.first_address().into()) {
        v4 = Some(DEFAULT_SUBNET.to_owned());
    }
    let subnets = v4.iter().chain(&v6).map(|text| text.parse());
    let subnets = subnets.collect::<Result<Vec<Subnet>, _>>()?;
    Ok(if subnets.is_empty() { vec![default] } else { subnets })
}

/// By the name of the cluster's authority.
fn convention(pki: &Pki) -> Convention {
    let authority = pki.authorities().get(Role::KubernetesCa).map(|it| it.certificate().subject());
    match authority.and_then(|subject| subject.common_name()) {
        Some("kubernetes") => Convention::Kubeadm,
        _ => Convention::Documented,
    }
}

/// The node's name as its kubelet's certificate has it.
fn kubelets_name(pki: &Pki) -> Option<NodeName> {
    let kubelet = pki.credential(Role::KubeletClient)?.certificate();
    kubelet.subject().common_name()?.strip_prefix("system:node:")?.parse().ok()
}

/// The option that gives what a configuration lacks.
fn option_for(error: &kubepki::Error) -> &'static str {
    match error.places() {
        [Place::Field(field)] if field == "InitConfiguration" => "; join_node makes what another node holds",
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

/// A duration of at least a second as Go writes it, in whole hours, minutes and seconds.
#[derive(Clone, Copy)]
pub(crate) struct GoDuration(pub(crate) Duration);

impl FromStr for GoDuration {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let refused = || "expected hours, minutes and seconds, such as 8760h or 1h30m";
        // The only one without a unit.
        let (mut seconds, mut rest) = (0_u64, if text == "0" { "0s" } else { text });
        while !rest.is_empty() {
            let (number, behind) =
                rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(refused)?);
            let mut behind = behind.chars();
            let unit = match behind.next() {
                Some('h') => 3600,
                Some('m') => 60,
                Some('s') => 1,
                _ => return Err(refused().into()),
            };
            let part = number.parse().ok().and_then(|number: u64| number.checked_mul(unit));
            seconds = part.and_then(|part| seconds.checked_add(part)).ok_or_else(refused)?;
            rest = behind.as_str();
        }
        match seconds {
            0 if text.is_empty() => Err(refused().into()),
            0 => Err("too short: expected at least 1s".into()),
            _ => Ok(Self(Duration::from_secs(seconds))),
        }
    }
}

/// Writes files that are not there yet, with their modes, into a directory that may have to be made.
pub(crate) fn write_new(directory: &Path, files: &[(&str, u32, &str)]) -> Result<(), Error> {
    std::fs::create_dir_all(directory).map_err(|error| not_written(directory, &error))?;
    let paths = files.iter().map(|(name, ..)| directory.join(name));
    if let Some(path) = paths.clone().find(|path| path.symlink_metadata().is_ok()) {
        return Err(not_written(&path, &ErrorKind::AlreadyExists.into()));
    }
    paths.zip(files).try_for_each(|(path, (_, mode, text))| write_new_file(&path, *mode, text))
}

/// Writes a file that is not there yet.
pub(crate) fn write_new_file(path: &Path, mode: u32, text: &str) -> Result<(), Error> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|error| not_written(path, &error))?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

fn not_written(path: &Path, error: &std::io::Error) -> Error {
    let path = path.display();
    match error.kind() {
        ErrorKind::AlreadyExists => {
            format!(
                "{path}: is there already, and nothing is ever replaced: name another place, or remove it"
            )
        }
        _ => format!("{path}: {error}"),
    }
    .into()
}

/// The arguments of an example without options.
pub(crate) fn arguments() -> Result<Vec<String>, Error> {
    let text =
        |argument: OsString| argument.into_string().map_err(|other| format!("{other:?} is not UTF-8").into());
    given().map(text).collect()
}

/// The arguments of an example with options.
pub(crate) fn parser() -> lexopt::Parser {
    lexopt::Parser::from_args(given())
}

/// What was given behind the program's name; `cargo run` takes the first `--`, the program itself leaves it out too.
fn given() -> impl Iterator<Item = OsString> {
    let mut arguments = std::env::args_os().skip(1).peekable();
    _ = arguments.next_if(|first| first == "--");
    arguments
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
