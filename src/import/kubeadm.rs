//! kubeadm's configuration files as descriptions of a cluster and a machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::schema::{self, Remark, Version, mismatch};
use crate::cluster::{Cluster, Convention, Etcd, Node};
use crate::disk::read_to_end;
use crate::document::{self, Value};
use crate::error::{Code, Error, Result, quoted};
use crate::layout::Layout;
use crate::names::{Endpoint, KubernetesVersion, NodeName, San, Subnet};
use crate::role::Role;

const INIT: &str = "InitConfiguration";
const CLUSTER: &str = "ClusterConfiguration";
const JOIN: &str = "JoinConfiguration";

/// What kubeadm's configuration says about certificates: the documents `InitConfiguration`,
/// `ClusterConfiguration` and `JoinConfiguration` of `kubeadm.k8s.io/v1beta3` and `v1beta4`.
///
/// What kubeadm finds out on the machine where it runs, the caller gives: the node's name and its advertise
/// address, where the file has none.
///
/// ```
/// use kubepki::import::KubeadmConfiguration;
/// use kubepki::{KeyAlgorithm, Pki, Time};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let file = "
/// apiVersion: kubeadm.k8s.io/v1beta4
/// kind: ClusterConfiguration
/// kubernetesVersion: v1.36.3
/// controlPlaneEndpoint: api.example.com
/// encryptionAlgorithm: ECDSA-P256
/// apiServer:
///   certSANs: [api.internal]
///   certSans: [api.external]
/// ---
/// apiVersion: kubeadm.k8s.io/v1beta4
/// kind: InitConfiguration
/// localAPIEndpoint: {advertiseAddress: 192.0.2.10}
/// ";
/// let configuration = KubeadmConfiguration::from_yaml(file.as_bytes())?.node_name("cp-1".parse()?);
/// let pki = Pki::create(&configuration.cluster()?, &configuration.node()?, Time::now())?;
/// # assert_eq!(pki.files().count(), 27);
/// assert_eq!(
///     configuration.remarks()[0].to_string(),
///     "ClusterConfiguration.apiServer.certSans: unknown to kubeadm's v1beta4, and without effect; \
///      did you mean certSANs?"
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct KubeadmConfiguration {
    /// Complete but for its endpoint.
    cluster: Cluster,
    endpoint: Option<Endpoint>,
    sans: Vec<(Role, San)>,
    certificates_directory: Option<PathBuf>,
    init: Option<Machine>,
    join: Option<Machine>,
    name: Option<NodeName>,
    advertise: Option<IpAddr>,
    remarks: Vec<Remark>,
}

/// The machine that a document describes.
#[derive(Clone, Debug)]
struct Machine {
    document: &'static str,
    name: Option<NodeName>,
    /// `None` for a worker.
    control_plane: Option<LocalEndpoint>,
}

/// Where a control-plane node's API server listens.
#[derive(Clone, Debug)]
struct LocalEndpoint {
    field: String,
    advertise: Option<IpAddr>,
    bind_port: u16,
}

impl KubeadmConfiguration {
    /// Most bytes that a file may have.
    const LONGEST: usize = 1 << 20;

    /// Reads YAML or JSON, in UTF-8, of at most 1 MiB: one document or several, in any order.
    ///
    /// Documents of other groups, such as `KubeletConfiguration`, and fields that kubeadm does not know, are
    /// passed over: see [`remarks`](Self::remarks). Defaults are those of kubeadm.
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] for what is no YAML of Kubernetes (anchors, tags and keys that stand twice are refused as
    /// well), a field of another type, or a file without any of kubeadm's documents; [`Code::Invalid`] for a
    /// version or kind of `kubeadm.k8s.io` that is not supported, for two documents of a kind, and for values
    /// that kubeadm refuses, each with the field. (cmd/kubeadm/app/apis/kubeadm/validation/validation.go)
    pub fn from_yaml(documents: &[u8]) -> Result<Self> {
        Self::read(documents, &mut Vec::new())
    }

    fn read(documents: &[u8], remarks: &mut Vec<Remark>) -> Result<Self> {
        let [init, cluster, join] = &sections(document::read_all(documents, Self::LONGEST)?, remarks)?;

        let init_machine = machine(init, Some("localAPIEndpoint"), remarks)?;
        let is_control_plane = join.get("controlPlane").is_some();
        let local_endpoint = is_control_plane.then_some("controlPlane.localAPIEndpoint");
        let join_machine = machine(join, local_endpoint, remarks)?;
        let bind_port =
            init_machine.control_plane.as_ref().map_or(Endpoint::API_SERVER_PORT, |it| it.bind_port);
        Ok(Self {
            endpoint: cluster.parse("controlPlaneEndpoint", |text| endpoint(text, bind_port))?,
            sans: sans(cluster, remarks)?,
            certificates_directory: cluster.parse("certificatesDir", absolute)?,
            init: (init.is_there || cluster.is_there).then_some(init_machine),
            join: join.is_there.then_some(join_machine),
            cluster: description(cluster, remarks)?,
            name: None,
            advertise: None,
            remarks: remarks.clone(),
        })
    }

    /// Reads a file as [`from_yaml`](Self::from_yaml) does.
    ///
    /// # Errors
    ///
    /// As `from_yaml`, with the file; [`Code::Io`] when it cannot be read, [`Code::Malformed`] when it is no
    /// file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::load_remarking(path, &mut Vec::new())
    }

    /// The same with the [`remarks`](Self::remarks) in `remarks`, where as many of them stand when the file is refused
    /// as had been made by then: a field that nobody knows may be why another one is missing.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn load_remarking(path: impl AsRef<Path>, remarks: &mut Vec<Remark>) -> Result<Self> {
        let path = path.as_ref();
        Self::read(&read_to_end(path)?, remarks).map_err(|error| error.file(path))
    }

    /// The node's name, instead of the file's (`kubeadm --node-name`).
    pub fn node_name(mut self, name: NodeName) -> Self {
        self.name = Some(name);
        self
    }

    /// The address that the node's API server and etcd member are reached at, instead of the file's
    /// (`kubeadm --apiserver-advertise-address`). It means nothing to a worker.
    pub fn advertise_address(mut self, address: IpAddr) -> Self {
        self.advertise = Some(address);
        self
    }

    /// Where clients reach the API servers, instead of what the file says (`kubeadm
    /// --control-plane-endpoint`).
    pub fn endpoint(mut self, endpoint: Endpoint) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// The cluster, with [`Convention::Kubeadm`].
    ///
    /// Without `controlPlaneEndpoint` it is reached where the first node's API server is, as with kubeadm
    /// (util/endpoint.go, `GetControlPlaneEndpoint`).
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] when neither the file nor the caller says where clients reach the API servers. The machine of a
    /// `JoinConfiguration` is not the first node: its address does not tell.
    pub fn cluster(&self) -> Result<Cluster> {
        let first = self.init.as_ref().and_then(|machine| machine.control_plane.as_ref());
        let first = first.and_then(|local| {
            let given = if self.join.is_none() { self.advertise } else { None };
            Some(Endpoint::from_ip(given.or(local.advertise)?, local.bind_port))
        });
        match self.endpoint.clone().or(first) {
            Some(endpoint) => Ok(self.cluster.clone().endpoint(endpoint)),
            None => Err(missing(
                &format!("{CLUSTER}.controlPlaneEndpoint"),
                "where clients reach the API servers",
            )),
        }
    }

    /// The machine that the file describes: that of `JoinConfiguration` where there is one, otherwise the
    /// [first node](Self::first_node).
    ///
    /// # Errors
    ///
    /// [`Code::Invalid`] when neither the file nor the caller gives its name, or a control-plane node's advertise
    /// address.
    pub fn node(&self) -> Result<Node> {
        match &self.join {
            Some(machine) => self.node_of(machine),
            None => self.first_node(),
        }
    }

    /// The machine on which `kubeadm init` would run with this file, whether or not there is a
    /// `JoinConfiguration` too.
    ///
    /// # Errors
    ///
    /// As [`node`](Self::node); [`Code::Invalid`] as well when there is neither an `InitConfiguration` nor a
    /// `ClusterConfiguration`.
    pub fn first_node(&self) -> Result<Node> {
        match &self.init {
            Some(machine) => self.node_of(machine),
            None => Err(missing(INIT, "the first node of a cluster")),
        }
    }

    fn node_of(&self, machine: &Machine) -> Result<Node> {
        let Some(name) = self.name.as_ref().or(machine.name.as_ref()).cloned() else {
            let field = format!("{}.nodeRegistration.name", machine.document);
            return Err(missing(&field, "the node's name"));
        };
        let Some(local) = &machine.control_plane else { return Ok(Node::worker(name)) };
        let Some(advertise) = self.advertise.or(local.advertise) else {
            let field = format!("{}.advertiseAddress", local.field);
            return Err(missing(&field, "the address at which others reach this node"));
        };
        let node = Node::control_plane(name, advertise).bind_port(local.bind_port);
        Ok(self.sans.iter().cloned().fold(node, |node, (role, san)| node.san(role, san)))
    }

    /// The directory of certificates and keys, `certificatesDir`; `None` where that is kubeadm's default,
    /// `/etc/kubernetes/pki`.
    #[must_use]
    pub fn certificates_directory(&self) -> Option<&Path> {
        self.certificates_directory.as_deref()
    }

    /// Where kubeadm has the files of the machine: kubeconfigs in `/etc/kubernetes`, certificates and keys in
    /// [`certificates_directory`](Self::certificates_directory). [`Expected::layout`](crate::Expected::layout) takes it,
    /// so that arguments name those places.
    #[must_use]
    pub fn layout(&self) -> Layout {
        let layout = Layout::default();
        match &self.certificates_directory {
            Some(directory) => layout.certificates(directory),
            None => layout,
        }
    }

    /// What in the file has no effect, or perhaps not the one that was meant.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }
}

/// One of the three documents, with the fields that kubeadm knows; nothing where it is not there.
struct Section {
    kind: &'static str,
    is_there: bool,
    value: Value,
}

impl Section {
    fn field(&self, path: &str) -> String {
        format!("{}.{path}", self.kind)
    }

    /// What stands at `path`, `networking.dnsDomain`. The walk over the schema has made sure that mappings
    /// lead to it.
    fn get(&self, path: &str) -> Option<&Value> {
        path.split('.')
            .try_fold(&self.value, |value, name| value.get(name))
            .filter(|value| **value != Value::Null)
    }

    /// Nothing where the text is empty: to Go that is the same.
    fn text(&self, path: &str) -> Result<Option<&str>> {
        match self.get(path) {
            Some(value) => Ok(Some(text(value, &self.field(path))?).filter(|text| !text.is_empty())),
            None => Ok(None),
        }
    }

    fn parse<T>(&self, path: &str, read: impl FnOnce(&str) -> Result<T>) -> Result<Option<T>> {
        self.text(path)?.map(read).transpose().map_err(|error| error.field(self.field(path)))
    }

    /// Each text of a list, with its place.
    fn texts(&self, path: &str) -> Result<Vec<(String, &str)>> {
        let items = match self.get(path) {
            Some(Value::List(items)) => items.as_slice(),
            Some(other) => return Err(mismatch("a list", other, &self.field(path))),
            None => &[],
        };
        let items = items.iter().enumerate().map(|(position, item)| {
            let field = format!("{}[{position}]", self.field(path));
            text(item, &field).map(|text| (field, text))
        });
        items.collect()
    }
}

fn text<'a>(value: &'a Value, field: &str) -> Result<&'a str> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(mismatch("text (in quotes, where it looks like something else)", other, field)),
    }
}

/// The documents of kubeadm: InitConfiguration, ClusterConfiguration, JoinConfiguration.
fn sections(documents: Vec<Value>, remarks: &mut Vec<Remark>) -> Result<[Section; 3]> {
    let mut sections =
        [INIT, CLUSTER, JOIN].map(|kind| Section { kind, is_there: false, value: Value::Null });
    let mut seen: Vec<String> = Vec::new();
    let mut others = Vec::new();
    for (position, value) in documents.into_iter().enumerate() {
        let place = format!("document {}", position + 1);
        let (api_version, kind) = (header(&value, "apiVersion", &place)?, header(&value, "kind", &place)?);
        if seen.contains(&kind) {
            let error = Error::new(Code::Invalid, "each kind once").found_text(&kind);
            return Err(error.field("kind").field(place));
        }
        let what = format!("{} of {}", quoted(&kind), quoted(&api_version));
        let Some(("kubeadm.k8s.io", version)) = api_version.split_once('/') else {
            remarks.push(Remark::new(place, format!("{what} is passed over: it is not kubeadm's")));
            others.push(what);
            seen.push(kind);
            continue;
        };
        let Some(version) = Version::ALL.into_iter().find(|it| it.id() == version) else {
            let rule = "kubeadm.k8s.io/v1beta4 or kubeadm.k8s.io/v1beta3 (`kubeadm config migrate` turns older ones \
                        into it)";
            return Err(Error::new(Code::Invalid, rule).found(what).field("apiVersion").field(place));
        };
        match sections.iter_mut().find(|section| section.kind == kind) {
            Some(section) => {
                section.is_there = true;
                section.value = schema::known(value, version, section.kind, section.kind, remarks)?;
            }
            None if version.passes_over(&kind) => {
                remarks.push(Remark::new(
                    place,
                    format!("{kind} is passed over: it says nothing about certificates"),
                ));
                others.push(kind.clone());
            }
            None => {
                let error =
                    Error::new(Code::Invalid, format!("{INIT}, {CLUSTER} or {JOIN}")).found_text(&kind);
                return Err(error.field("kind").field(place));
            }
        }
        seen.push(kind);
    }
    if sections.iter().any(|section| section.is_there) {
        return Ok(sections);
    }
    let rule = format!("a document of kubeadm.k8s.io: {INIT}, {CLUSTER} or {JOIN}");
    let others = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
    Err(Error::new(Code::Malformed, rule).found(others))
}

/// A text that every document must have.
fn header(document: &Value, name: &str, place: &str) -> Result<String> {
    if !matches!(document, Value::Map(_)) {
        return Err(mismatch("a mapping", document, place));
    }
    let text = text(document.get(name).unwrap_or(&Value::Null), name)
        .map_err(|error| error.field(place.to_owned()))?;
    Ok(text.to_owned())
}

/// The machine that InitConfiguration or JoinConfiguration describes.
fn machine(section: &Section, local_endpoint: Option<&str>, remarks: &mut Vec<Remark>) -> Result<Machine> {
    // util/node, `GetHostname`
    let name = section.parse("nodeRegistration.name", |name| name.trim().to_lowercase().parse())?;
    let control_plane = match local_endpoint {
        Some(path) => Some(LocalEndpoint {
            field: section.field(path),
            advertise: advertise(section, &format!("{path}.advertiseAddress"), remarks)?,
            bind_port: bind_port(section, &format!("{path}.bindPort"))?,
        }),
        None => None,
    };
    Ok(Machine { document: section.kind, name, control_plane })
}

/// (util/config/initconfiguration.go, `SetAPIEndpointDynamicDefaults`)
fn advertise(section: &Section, path: &str, remarks: &mut Vec<Remark>) -> Result<Option<IpAddr>> {
    let address = section.parse(path, |text| {
        address(text).ok_or_else(|| Error::invalid("address", "an IPv4 or IPv6 address", text))
    })?;
    let Some(address) = address else { return Ok(None) };
    if !address.is_unspecified() && !address.is_loopback() {
        return Ok(Some(address));
    }
    let what =
        format!("{address} is no address of the node: kubeadm puts one there that it finds on the machine");
    remarks.push(Remark::new(section.field(path), what));
    Ok(None)
}

fn bind_port(section: &Section, path: &str) -> Result<u16> {
    match section.get(path) {
        None | Some(Value::Integer(0)) => Ok(Endpoint::API_SERVER_PORT),
        Some(Value::Integer(number)) => u16::try_from(*number).map_err(|_| {
            let error = Error::new(Code::Invalid, "a port from 1 to 65535");
            error.found(number.to_string()).field(section.field(path))
        }),
        Some(other) => Err(mismatch("a number", other, &section.field(path))),
    }
}

/// The cluster but for its endpoint.
fn description(section: &Section, remarks: &mut Vec<Remark>) -> Result<Cluster> {
    let nowhere = Endpoint::from_ip(Ipv4Addr::UNSPECIFIED.into(), Endpoint::API_SERVER_PORT);
    let mut cluster = Cluster::new(nowhere).convention(Convention::Kubeadm).etcd(etcd(section)?);
    if let Some(name) = section.parse("clusterName", FromStr::from_str)? {
        cluster = cluster.name(name);
    }
    if let Some(domain) = section.parse("networking.dnsDomain", FromStr::from_str)? {
        cluster = cluster.dns_domain(domain);
    }
    let subnets = |text: &str| text.split(',').map(subnet).collect::<Result<Vec<_>>>();
    if let Some(subnets) = section.parse("networking.serviceSubnet", subnets)? {
        cluster = cluster.service_subnets(subnets);
    }
    if let Some(algorithm) = section.parse("encryptionAlgorithm", FromStr::from_str)? {
        cluster = cluster.key_algorithm(algorithm);
    }
    if let Some(Some(version)) = section.parse("kubernetesVersion", version)? {
        cluster = cluster.kubernetes_version(version);
    } else if let Some(label) = section.text("kubernetesVersion")? {
        let what = format!("what {label} means, kubeadm looks up where it runs: no version is followed");
        remarks.push(Remark::new(section.field("kubernetesVersion"), what));
    }
    let authority =
        section.parse("caCertificateValidityPeriod", duration)?.unwrap_or(cluster.authority_lifetime);
    let leaf = section.parse("certificateValidityPeriod", duration)?.unwrap_or(cluster.leaf_lifetime);
    let cluster = cluster.authority_lifetime(authority).leaf_lifetime(leaf);
    match cluster.check() {
        Ok(()) => Ok(cluster),
        Err(error) => Err(error.field(section.field("networking"))),
    }
}

/// (validation.go, `ValidateEtcd`)
fn etcd(section: &Section) -> Result<Etcd> {
    if section.get("etcd.external").is_none() {
        return Ok(Etcd::Stacked);
    }
    let refuse = |expected: &str, found: &str, field: &str| {
        Err(Error::new(Code::Invalid, expected).found(found).field(section.field(field)))
    };
    if section.get("etcd.local").is_some() {
        return refuse("either local or external", "both", "etcd");
    }
    let file = |name: &str| section.parse(&format!("etcd.external.{name}"), absolute);
    let (ca, cert, key) = (file("caFile")?, file("certFile")?, file("keyFile")?);
    match (&ca, &cert, &key) {
        (_, Some(_), None) => return refuse("the key of certFile", "nothing", "etcd.external.keyFile"),
        (_, None, Some(_)) => {
            return refuse("the certificate of keyFile", "nothing", "etcd.external.certFile");
        }
        (None, Some(_), _) => return refuse("the CA of etcd", "nothing", "etcd.external.caFile"),
        // Without TLS there are no files; to the API server an empty argument is none.
        _ => {}
    }
    Ok(Etcd::External {
        ca: ca.unwrap_or_default(),
        cert: cert.unwrap_or_default(),
        key: key.unwrap_or_default(),
    })
}

/// The names that certificates are given besides those that kubeadm knows by itself.
fn sans(section: &Section, remarks: &mut Vec<Remark>) -> Result<Vec<(Role, San)>> {
    let mut sans = Vec::new();
    for (role, path) in [
        (Role::ApiServer, "apiServer.certSANs"),
        (Role::EtcdServer, "etcd.local.serverCertSANs"),
        (Role::EtcdPeer, "etcd.local.peerCertSANs"),
    ] {
        for (field, text) in section.texts(path)? {
            // kubeadm does so for the API server alone (util/config/common.go, `LowercaseSANs`).
            let text = if role == Role::ApiServer { text.to_lowercase() } else { text.to_owned() };
            let san = san(&text).map_err(|error| error.field(field.clone()))?;
            // The library's own rule is stricter than kubeadm's, with reason.
            if let Err(error) = text.parse::<San>()
                && !matches!(san, San::Ip(address) if address.to_string() != text)
            {
                let what = format!(
                    "{} goes into the certificate, as with kubeadm, but not every client accepts it: expected {}",
                    quoted(&text),
                    error.expected()
                );
                remarks.push(Remark::new(field, what));
            }
            sans.push((role, san));
        }
    }
    Ok(sans)
}

/// What kubeadm takes for a name: an address, any RFC 1123 subdomain, or one behind `*.`. It refuses anything
/// else (validation.go, `ValidateCertSANs`).
fn san(text: &str) -> Result<San> {
    if let Some(address) = address(text) {
        return Ok(address.into());
    }
    // A node's name has the same rule.
    match text.strip_prefix("*.").unwrap_or(text).parse::<NodeName>() {
        Ok(_) => Ok(San::literal(text)),
        Err(error) => {
            let rule = format!("an IP address, a DNS name or a wildcard, so {}", error.expected());
            Err(Error::invalid("subject alternative name", rule, text))
        }
    }
}

/// An address, also with zeros in front of its numbers (k8s.io/utils/net, `ParseIPSloppy`).
fn address(text: &str) -> Option<IpAddr> {
    let plain = |number: &str| match number.trim_start_matches('0') {
        "" if !number.is_empty() => "0".to_owned(),
        plain => plain.to_owned(),
    };
    let sloppy = || text.split('.').map(plain).collect::<Vec<_>>().join(".").parse::<Ipv4Addr>();
    let address = text.parse().or_else(|_| sloppy().map(IpAddr::from));
    address.ok().map(|address| address.to_canonical())
}

/// Without a port it is that of the first node (util/endpoint.go). An IPv6 address may stand without brackets
/// there.
fn endpoint(text: &str, bind_port: u16) -> Result<Endpoint> {
    if let Some(address) = address(text) {
        return Ok(Endpoint::from_ip(address, bind_port));
    }
    let behind_brackets = text.rsplit(']').next().unwrap_or(text);
    if behind_brackets.contains(':') { text.parse() } else { format!("{text}:{bind_port}").parse() }
}

/// kubeadm takes any address of a subnet for the subnet.
fn subnet(text: &str) -> Result<Subnet> {
    let network = || {
        let (address, length) = text.split_once('/')?;
        let length: u32 = length.parse().ok()?;
        let network = match address.parse().ok()? {
            IpAddr::V4(it) => {
                let mask = u32::MAX.checked_shl(u32::BITS.checked_sub(length)?).unwrap_or(0);
                IpAddr::from(Ipv4Addr::from_bits(it.to_bits() & mask))
            }
            IpAddr::V6(it) => {
                let mask = u128::MAX.checked_shl(u128::BITS.checked_sub(length)?).unwrap_or(0);
                IpAddr::from(Ipv6Addr::from_bits(it.to_bits() & mask))
            }
        };
        Some(format!("{network}/{length}"))
    };
    network().as_deref().unwrap_or(text).parse()
}

fn absolute(text: &str) -> Result<PathBuf> {
    let path = PathBuf::from(text);
    if path.is_absolute() { Ok(path) } else { Err(Error::invalid("path", "an absolute path", text)) }
}

/// The version that kubeadm follows, or `None` for a label that it looks up (util/version.go).
fn version(text: &str) -> Result<Option<KubernetesVersion>> {
    let behind_bucket = text.strip_prefix("ci/").or_else(|| text.strip_prefix("release/")).unwrap_or(text);
    if ["stable", "stable-1", "latest", "latest-1"].contains(&behind_bucket) {
        return Ok(None);
    }
    // stable-1.36 and v1.36.0-rc.1 say which minor version it is.
    let labelled = behind_bucket.strip_prefix("stable-").or_else(|| behind_bucket.strip_prefix("latest-"));
    let number = labelled.unwrap_or(behind_bucket);
    let number = number.split(['-', '+']).next().unwrap_or(number);
    number
        .parse()
        .map(Some)
        .map_err(|_| Error::invalid("Kubernetes version", "v1.MINOR.PATCH or a label", text))
}

/// A duration as Go writes it (time.ParseDuration): `8760h0m0s`, `1.5h`. It is a lifetime, so no less than a
/// second.
fn duration(text: &str) -> Result<Duration> {
    let longest = u128::from(i64::MAX.unsigned_abs());
    nanoseconds(text)
        .filter(|sum| (1_000_000_000..=longest).contains(sum))
        .and_then(|sum| u64::try_from(sum).ok())
        .map(Duration::from_nanos)
        .ok_or_else(|| {
            let rule = "a duration of hours, minutes and seconds (8760h0m0s), from 1s to 2562047h";
            Error::invalid("duration", rule, text)
        })
}

fn nanoseconds(text: &str) -> Option<u128> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut sum = 0_u128;
    let is_of_number = |c: char| c.is_ascii_digit() || c == '.';
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c| !is_of_number(c))?);
        let (unit, tail) = tail.split_at(tail.find(is_of_number).unwrap_or(tail.len()));
        let unit = match unit {
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        // More digits than these are less than a nanosecond.
        let fraction = format!("{:0<18}", fraction.get(..18).unwrap_or(fraction)).parse::<u128>().ok()?;
        let whole = if whole.is_empty() { 0 } else { whole.parse::<u128>().ok()? };
        let part =
            whole.checked_mul(unit)?.checked_add(fraction.checked_mul(unit)? / 1_000_000_000_000_000_000)?;
        sum = sum.checked_add(part)?;
        rest = tail;
    }
    Some(sum)
}

/// What neither the file nor the caller has given.
fn missing(field: &str, what: &str) -> Error {
    let rule = format!("{what}, in the file or from the caller");
    Error::new(Code::Invalid, rule).found("nothing").field(field.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, seconds) in [
            ("8760h0m0s", 31_536_000.0),
            ("1.5h", 5_400.0),
            ("+1h30m", 5_400.0),
            (".5m", 30.0),
            ("2.s", 2.0),
            ("1s500ms", 1.5),
            ("1s1us1\u{b5}s1\u{3bc}s1ns", 1.000_003_001),
            ("1.0000000000000000000000009s", 1.0),
            ("2562047h", 9_223_369_200.0),
        ] {
            assert_eq!(duration(text).unwrap(), Duration::from_secs_f64(seconds), "{text}");
        }
        for text in [
            "",
            "0",
            "0s",
            "1",
            "h",
            ".h",
            "-1h",
            "1h-1m",
            "1d",
            "1 h",
            "1h ",
            "1..5h",
            "1.5.5h",
            "999ms",
            "2562048h",
            "99999999999999999999999999999999999999999h",
            "1.1.",
            "\u{664}h",
        ] {
            assert_eq!(duration(text).unwrap_err().code(), Code::Invalid, "{text}");
        }
    }

    #[test]
    fn versions_are_told_from_labels() {
        for (text, minor) in [
            ("v1.36.3", Some(36)),
            ("1.36.3", Some(36)),
            ("1.36", Some(36)),
            ("v1.36.0-rc.1", Some(36)),
            ("v1.30.2+k3s1", Some(30)),
            ("stable-1.35", Some(35)),
            ("ci/latest-1.35", Some(35)),
            ("ci/v1.37.0-alpha.0.12+abc", Some(37)),
            ("stable-1", None),
            ("latest", None),
            ("release/stable", None),
        ] {
            assert_eq!(version(text).unwrap().map(KubernetesVersion::minor), minor, "{text}");
        }
        for text in ["newest", "v2.0.0", "stable-2", "1.x", "-", "v1.36.3.4"] {
            assert_eq!(version(text).unwrap_err().code(), Code::Invalid, "{text}");
        }
    }

    #[test]
    fn addresses_and_subnets_are_as_sloppy_as_kubeadms() {
        for (text, expected) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("010.000.02.1", Some("10.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("10.0.0.256", None),
            ("10..0.1", None),
            ("10.0.0", None),
            ("fe80::1%eth0", None),
            ("", None),
        ] {
            assert_eq!(address(text).map(|address| address.to_string()).as_deref(), expected, "{text}");
        }
        for (text, expected) in [
            ("10.96.0.1/12", "10.96.0.0/12"),
            ("10.0.0.0/0", "0.0.0.0/0"),
            ("fd00::1:1/112", "fd00::1:0/112"),
        ] {
            assert_eq!(subnet(text).unwrap().to_string(), expected);
        }
        for text in
            ["10.96.0.0/33", "10.96.0.0", "10.96.0.0/31", " 10.96.0.0/12", "fd00::/129", "10.96.0.0/-1"]
        {
            assert!(subnet(text).is_err(), "{text}");
        }
    }
}
