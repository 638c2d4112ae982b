//! Names and addresses, parsed once: a value that exists is valid, so what takes one cannot fail because of it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::error::{Code, Error, Result};
use crate::role::Role;

/// Most bytes of a DNS name (RFC 1123), and so of a node name; taken as the bound of every other name as well.
const LONGEST_NAME: usize = 253;

/// A name that nobody has (RFC 6761, section 6.4), for what is not known.
const UNKNOWN: &str = "unknown.invalid";

macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $field:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text, exactly as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                let check: fn(&str) -> Result<(), String> = $check;
                match check(text) {
                    Ok(()) => Ok(Self(text.to_owned())),
                    Err(rule) => Err(Error::invalid($field, rule, text)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

pub(crate) use text_type;

text_type! {
    /// The name of a cluster, as it stands in kubeconfigs: 1 to 253 bytes of text, without control characters and
    /// without white space at either end.
    ClusterName, "cluster name", printable
}

text_type! {
    /// The common name of a root or an intermediate: 1 to 253 bytes of text, without control characters and without
    /// white space at either end.
    AuthorityName, "authority name", authority_name
}

text_type! {
    /// The name under which a kubelet registers its node: an RFC 1123 subdomain, as the API server demands of a Node
    /// object. Kubelet certificates carry it exactly so.
    NodeName, "node name", subdomain
}

text_type! {
    /// A DNS name: an RFC 1123 subdomain in lower case, without a wildcard and without a trailing dot.
    ///
    /// A name that ends in a number (`10.0.0.256`) is refused: it is a mistyped address, and no client would ever
    /// match it. Internationalised names are given as A-labels (`xn--...`, RFC 5890).
    DnsName, "DNS name", dns_name
}

text_type! {
    /// The name of a Kubernetes object, as most kinds have it: an RFC 1123 subdomain.
    ObjectName, "object name", subdomain
}

text_type! {
    /// The name of a namespace: an RFC 1123 label, so without a dot and of at most 63 characters.
    Namespace, "namespace", label
}

text_type! {
    /// The name of a signer in `certificates.k8s.io`: a domain of at least two labels, `/` and a path, such as
    /// `example.com/serving`. Those below `kubernetes.io` belong to Kubernetes itself.
    SignerName, "signer name", signer_name
}

text_type! {
    /// The name of a user, which becomes the common name of a client certificate.
    ///
    /// 1 to 253 bytes of text, without control characters and without white space at either end. The names
    /// of components, which have roles of their own in [`role`](crate::role), are refused: those that begin with
    /// `system:`, and those of the role table, such as `front-proxy-client`.
    UserName, "user name", user_name
}

text_type! {
    /// A group, which becomes an organization (O) of a client certificate.
    ///
    /// 1 to 253 bytes of text, without control characters and without white space at either end. Of the groups
    /// that begin with `system:` only those are taken that an installer may hand out, `system:monitoring` and
    /// `system:bootstrappers`. The others come with a role (`system:masters` with
    /// [`role::SuperAdmin`](crate::role::SuperAdmin), `system:nodes` with
    /// [`role::KubeletClient`](crate::role::KubeletClient)) or from the API server itself.
    Group, "group", group
}

/// Groups of Kubernetes itself that a certificate may get from an installer, also with `:` and more behind them.
/// (kubernetes/kubernetes, staging/src/k8s.io/apiserver/pkg/authentication/user/user.go)
const SYSTEM_GROUPS: [&str; 2] = ["system:monitoring", "system:bootstrappers"];

pub(crate) fn printable(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("at least one character".to_owned());
    }
    if text.len() > LONGEST_NAME {
        return Err(format!("at most {LONGEST_NAME} bytes"));
    }
    if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')) {
        return Err("no control characters and no line breaks".to_owned());
    }
    if text.trim() != text {
        return Err("no white space at either end".to_owned());
    }
    Ok(())
}

/// RFC 1123 subdomain, as Kubernetes checks it (apimachinery, util/validation, `IsDNS1123Subdomain`).
fn subdomain(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("at least one character (RFC 1123)".to_owned());
    }
    if !text.is_ascii() {
        return Err("ASCII only: give an internationalised name as A-label, xn--... (RFC 5890)".to_owned());
    }
    if text.ends_with('.') {
        return Err(
            "no trailing dot: certificates name hosts without it (RFC 5280, section 4.2.1.6)".to_owned()
        );
    }
    if text.len() > LONGEST_NAME {
        return Err(format!("at most {LONGEST_NAME} characters (RFC 1123)"));
    }
    if !text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.')) {
        return Err("lower-case letters, digits, '-' and '.' only (RFC 1123)".to_owned());
    }
    for label in text.split('.') {
        if label.is_empty() || label.len() > 63 {
            return Err("labels of 1 to 63 characters between the dots (RFC 1123)".to_owned());
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err("labels that neither begin nor end with '-' (RFC 1123)".to_owned());
        }
    }
    Ok(())
}

fn label(text: &str) -> Result<(), String> {
    subdomain(text)?;
    match text.contains('.') || text.len() > 63 {
        true => Err("one label of at most 63 characters (RFC 1123)".to_owned()),
        false => Ok(()),
    }
}

/// As the API server checks it (kubernetes/kubernetes, pkg/apis/core/validation/names.go, `ValidateSignerName`).
fn signer_name(text: &str) -> Result<(), String> {
    let shape = "a fully qualified domain and path of the form 'example.com/signer-name'";
    let (domain, path) = text.split_once('/').ok_or(shape)?;
    if path.contains('/') || !domain.contains('.') {
        return Err(shape.to_owned());
    }
    subdomain(domain).map_err(|rule| format!("{shape}, with {rule} in the domain"))?;
    let of_path = |part: &str| {
        let is_known = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let has_ends = !part.is_empty() && !part.starts_with('-') && !part.ends_with('-');
        has_ends && part.len() <= LONGEST_NAME && part.bytes().all(is_known)
    };
    // A label, a dot and an object's name fit.
    match path.split('.').all(of_path) && path.len() <= 63 + 1 + LONGEST_NAME {
        true => Ok(()),
        false => Err(format!("{shape}, with lower-case letters, digits, '-' and '.' in the path")),
    }
}

fn dns_name(text: &str) -> Result<(), String> {
    subdomain(text)?;
    let last = text.rsplit('.').next().unwrap_or(text);
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Err("a DNS name or an IP address: what ends in a number is no DNS name".to_owned());
    }
    Ok(())
}

fn user_name(text: &str) -> Result<(), String> {
    printable(text)?;
    if text.starts_with("system:") {
        return Err(
            "a user's name: those that begin with system: belong to components, which have roles".to_owned()
        );
    }
    match Role::all().find(|role| !role.is_authority() && role.has_common_name(text)) {
        Some(role) => Err(format!("a user's name: this one belongs to the role {role}")),
        None => Ok(()),
    }
}

fn authority_name(text: &str) -> Result<(), String> {
    printable(text)?;
    match text.starts_with("system:") {
        true => Err("an authority's name: those that begin with system: belong to components".to_owned()),
        false => Ok(()),
    }
}

fn group(text: &str) -> Result<(), String> {
    printable(text)?;
    let of_installers = SYSTEM_GROUPS
        .iter()
        .any(|group| text.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')));
    match text.starts_with("system:") && !of_installers {
        true => Err("another group: this one comes with a role or from the API server".to_owned()),
        false => Ok(()),
    }
}

/// Whether an address can be that of one machine.
pub(crate) fn is_one_machine(address: IpAddr) -> bool {
    let address = address.to_canonical();
    !address.is_unspecified() && !address.is_multicast()
}

impl SignerName {
    /// Whether it belongs to Kubernetes itself (pkg/apis/core/validation/names.go, `IsKubernetesSignerName`).
    pub(crate) fn is_of_kubernetes(&self) -> bool {
        let domain = self.0.split('/').next().unwrap_or_default();
        domain == "kubernetes.io" || domain.ends_with(".kubernetes.io")
    }
}

impl NodeName {
    /// Stands where none is known, and is never written: see [`UNKNOWN`].
    pub(crate) fn unknown() -> Self {
        Self(UNKNOWN.to_owned())
    }
}

/// Where clients reach the API servers of a cluster: a host, which is a DNS name or an IP address, and a port.
///
/// Written as `HOST:PORT`, an IPv6 address in brackets; without a port it is 6443.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Host {
    Dns(DnsName),
    Ip(IpAddr),
}

impl Endpoint {
    /// Stands where none is known, and is never written: see [`UNKNOWN`].
    pub(crate) fn unknown() -> Self {
        Self { host: Host::Dns(DnsName(UNKNOWN.to_owned())), port: Self::API_SERVER_PORT }
    }

    /// Reads the URL of a server, whose port is 443 unless it says another; `None` if it is none of https.
    pub(crate) fn from_url(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("https://")?;
        let authority = rest.split('/').next()?;
        let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
        let port = if has_port { "" } else { ":443" };
        let text = format!("{authority}{port}").to_ascii_lowercase();
        // A name may end in a dot.
        let (host, port) = text.rsplit_once(':')?;
        format!("{}:{port}", host.strip_suffix('.').unwrap_or(host)).parse().ok()
    }

    /// The port of kube-apiserver.
    pub(crate) const API_SERVER_PORT: u16 = 6443;

    pub(crate) fn from_ip(address: IpAddr, port: u16) -> Self {
        Self { host: Host::Ip(address.to_canonical()), port }
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host as the name that a certificate must carry for it.
    #[must_use]
    pub fn san(&self) -> San {
        match &self.host {
            Host::Dns(name) => name.clone().into(),
            Host::Ip(address) => San::Ip(*address),
        }
    }

    /// The URL of this endpoint: `https://HOST:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://{self}")
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |rule: &str| Error::invalid("endpoint", rule, text);
        if text.contains("://") {
            return Err(refuse("HOST:PORT without a scheme (it is always https)"));
        }
        if text.parse::<Ipv6Addr>().is_ok() {
            return Err(refuse("an IPv6 address in brackets: [ADDRESS]:PORT"));
        }
        // A colon within brackets is not the port's.
        let behind_brackets = text.rfind(']').map_or(0, |bracket| bracket + 1);
        let (host, port) = match text.get(behind_brackets..).and_then(|rest| rest.rfind(':')) {
            Some(colon) => text.split_at(behind_brackets + colon),
            None => (text, ""),
        };
        let port = match port.strip_prefix(':') {
            None => Self::API_SERVER_PORT,
            Some(digits) => match digits.parse::<u16>() {
                Ok(port @ 1..) if port.to_string() == digits => port,
                _ => return Err(refuse("a port from 1 to 65535 behind the last ':'")),
            },
        };
        let address: Option<IpAddr> = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(address) => {
                let address = address.parse::<Ipv6Addr>();
                Some(address.map_err(|_| refuse("an IPv6 address between the brackets"))?.into())
            }
            None => host.parse::<Ipv4Addr>().ok().map(IpAddr::from),
        };
        if let Some(address) = address {
            return match is_one_machine(address) {
                true => Ok(Self::from_ip(address, port)),
                false => Err(refuse("an address of one machine")),
            };
        }
        if host.contains(':') {
            return Err(refuse("an IPv6 address in brackets: [ADDRESS]:PORT"));
        }
        dns_name(host).map_err(|rule| refuse(&rule))?;
        Ok(Self { host: Host::Dns(DnsName(host.to_owned())), port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Dns(name) => write!(f, "{name}:{}", self.port),
            Host::Ip(IpAddr::V4(address)) => write!(f, "{address}:{}", self.port),
            Host::Ip(IpAddr::V6(address)) => write!(f, "[{address}]:{}", self.port),
        }
    }
}

/// A minor version of Kubernetes, read from `1.36`, `v1.36` or `v1.36.3`: what kubeadm makes has changed over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubernetesVersion {
    minor: u16,
}

impl KubernetesVersion {
    /// The number behind `1.`.
    #[must_use]
    pub fn minor(self) -> u16 {
        self.minor
    }
}

impl FromStr for KubernetesVersion {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let rule = "1.MINOR or v1.MINOR.PATCH";
        let refuse = || Error::invalid("Kubernetes version", rule, text);
        let numbers: Vec<_> = text.strip_prefix('v').unwrap_or(text).split('.').collect();
        let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        match numbers.as_slice() {
            ["1", minor] if is_number(minor) => minor,
            ["1", minor, patch] if is_number(minor) && is_number(patch) => minor,
            _ => return Err(refuse()),
        }
        .parse()
        .map_or_else(|_| Err(refuse()), |minor| Ok(Self { minor }))
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)
    }
}

/// A range of addresses for services, in CIDR notation: `10.96.0.0/12`, `fd00::/108`.
///
/// It is written with the network's own address, so not `10.96.0.1/12`, and has at least ten addresses, as kubeadm
/// wants it: shorter ones are refused with [`Code::SubnetTooSmall`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subnet {
    network: IpAddr,
    prefix_length: u8,
}

impl Subnet {
    /// Fewest addresses that kubeadm takes for services (cmd/kubeadm, constants.go, `MinimumAddressesInServiceSubnet`).
    const FEWEST_ADDRESSES: u32 = 10;

    /// The first address behind the network's own: the address of the service `kubernetes`.
    ///
    /// (kubernetes/kubernetes, cmd/kubeadm, constants.go, `GetAPIServerVirtualIP`)
    #[must_use]
    pub fn first_address(&self) -> IpAddr {
        // The host bits of a Subnet are zero and there are at least four: adding one cannot overflow.
        match self.network {
            IpAddr::V4(network) => Ipv4Addr::from_bits(network.to_bits() | 1).into(),
            IpAddr::V6(network) => Ipv6Addr::from_bits(network.to_bits() | 1).into(),
        }
    }

    /// Whether this is a range of IPv6 addresses.
    pub(crate) fn is_ipv6(&self) -> bool {
        self.network.is_ipv6()
    }
}

impl FromStr for Subnet {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        const FIELD: &str = "service subnet";
        let refuse = |rule: &str| Error::invalid(FIELD, rule, text);
        let shape = "an address, '/' and a prefix length, such as 10.96.0.0/12";
        let (address, prefix) = text.split_once('/').ok_or_else(|| refuse(shape))?;
        let address: IpAddr = address.parse().map_err(|_| refuse(shape))?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix_length: u8 = prefix.parse().map_err(|_| refuse(shape))?;
        if prefix_length > width || prefix_length.to_string() != prefix {
            return Err(refuse(&format!("a prefix length from 0 to {width}")));
        }
        if address.to_canonical() != address {
            return Err(refuse("an IPv4 subnet written as one"));
        }
        let host_bits = u32::from(width - prefix_length);
        let network: IpAddr = match address {
            IpAddr::V4(address) => {
                Ipv4Addr::from_bits(address.to_bits() & u32::MAX.checked_shl(host_bits).unwrap_or(0)).into()
            }
            IpAddr::V6(address) => {
                Ipv6Addr::from_bits(address.to_bits() & u128::MAX.checked_shl(host_bits).unwrap_or(0)).into()
            }
        };
        if network != address {
            return Err(refuse(&format!("the network's own address, {network}/{prefix_length}")));
        }
        if host_bits < u32::BITS && 1_u32.checked_shl(host_bits).unwrap_or(0) < Self::FEWEST_ADDRESSES {
            let rule = format!("at least {} addresses", Self::FEWEST_ADDRESSES);
            return Err(Error::new(Code::SubnetTooSmall, rule).found_text(text).field(FIELD));
        }
        Ok(Self { network, prefix_length })
    }
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix_length)
    }
}

/// A subject alternative name that a certificate is to carry: a DNS name, a wildcard (`*.example.com`) or an IP
/// address.
///
/// DNS names follow [`DnsName`]; behind `*.` stand at least two labels. An IPv4 address in IPv6 clothes
/// (`::ffff:192.0.2.1`) is the IPv4 address, as for Go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum San {
    /// A DNS name, or one with `*` as its whole first label (RFC 6125, section 6.4.3).
    Dns(SanName),
    /// An IP address.
    Ip(IpAddr),
}

/// The DNS name of a [`San`]: a [`DnsName`], or a wildcard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SanName(String);

impl SanName {
    /// The text: a DNS name, perhaps behind `*.`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl San {
    pub(crate) fn literal(name: &str) -> Self {
        Self::Dns(SanName(name.to_owned()))
    }

    /// Whether it stands where nothing is known: see [`UNKNOWN`].
    pub(crate) fn is_unknown(&self) -> bool {
        match self {
            Self::Dns(name) => name.as_str() == UNKNOWN,
            Self::Ip(address) => address.is_unspecified(),
        }
    }
}

impl FromStr for San {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |rule: &str| Error::invalid("subject alternative name", rule, text);
        if let Ok(address) = text.parse::<IpAddr>() {
            return if is_one_machine(address) {
                Ok(address.into())
            } else {
                Err(refuse("an address of one machine"))
            };
        }
        if text.contains('%') {
            return Err(refuse("an address without a zone"));
        }
        if text.contains(':') {
            return Err(refuse("a DNS name or an IP address, without scheme, port and brackets"));
        }
        let name = text.strip_prefix("*.").unwrap_or(text);
        if name.contains('*') {
            return Err(refuse("'*' as the whole first label only (RFC 6125, section 6.4.3)"));
        }
        dns_name(name).map_err(|rule| refuse(&rule))?;
        if name.len() != text.len() && !name.contains('.') {
            return Err(refuse("at least two labels behind '*.'"));
        }
        Ok(Self::literal(text))
    }
}

impl From<IpAddr> for San {
    fn from(address: IpAddr) -> Self {
        Self::Ip(address.to_canonical())
    }
}

impl From<DnsName> for San {
    fn from(name: DnsName) -> Self {
        Self::Dns(SanName(name.0))
    }
}

impl From<&NodeName> for San {
    /// A node may be named by its address (`192.0.2.10`): that is an address, and no client would look for it as a
    /// DNS name.
    fn from(name: &NodeName) -> Self {
        name.0.parse::<IpAddr>().map_or_else(|_| Self::literal(&name.0), Self::from)
    }
}

impl fmt::Display for San {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(&name.0),
            Self::Ip(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule_of<T: FromStr<Err = Error> + fmt::Debug>(text: &str) -> String {
        text.parse::<T>().unwrap_err().to_string()
    }

    #[test]
    fn injected_text_is_carried_as_one_value_or_refused_with_field_rule_and_value() {
        for text in ["", "a\nb", "a\0b", "a\u{2028}b", " a", &"x".repeat(254)] {
            for error in [rule_of::<UserName>(text), rule_of::<Group>(text), rule_of::<ClusterName>(text)] {
                assert!(error.contains("expected") && error.contains("found \""), "{error}");
            }
        }
        for text in ["CN=a/O=system:masters", "a,O=b", "a+O=b", "a: {b: [c]}", "# a", "'\"", "ü"] {
            assert_eq!(text.parse::<UserName>().unwrap().as_str(), text);
            assert_eq!(text.parse::<Group>().unwrap().as_str(), text);
            assert_eq!(text.parse::<ClusterName>().unwrap().as_str(), text);
            assert!(text.parse::<NodeName>().is_err());
            assert!(text.parse::<San>().is_err());
        }
    }

    #[test]
    fn names_and_groups_of_components_are_left_to_their_roles() {
        for name in
            ["system:masters", "system:node:n1", "front-proxy-client", "kube-apiserver", "kubernetes-admin"]
        {
            let rule = rule_of::<UserName>(name);
            assert!(rule.contains("have roles") || rule.contains("the role"), "{rule}");
            assert!(!name.starts_with("system:") || name.parse::<AuthorityName>().is_err());
        }
        for name in ["system:masters", "system:nodes", "system:serviceaccounts:a", "system:monitoringx"] {
            assert!(rule_of::<Group>(name).contains("another group"));
        }
        for name in ["system:monitoring", "system:bootstrappers:a", "kubeadm:cluster-admins"] {
            assert!(name.parse::<Group>().is_ok());
        }
    }

    #[test]
    fn sans_are_refused_with_the_reason() {
        for (text, reason) in [
            ("api.example.com.", "trailing dot"),
            ("bücher.example", "A-label"),
            ("API.example.com", "lower-case"),
            ("10.0.0.256", "number"),
            ("010.0.0.1", "number"),
            ("fe80::1%eth0", "zone"),
            ("0.0.0.0", "one machine"),
            ("[::1]", "brackets"),
            ("api.example.com:6443", "port"),
            ("a.*.example.com", "first label"),
            ("*", "first label"),
            ("*.com", "two labels"),
            ("a..b", "labels"),
            ("-a.b", "'-'"),
            ("", "at least one"),
        ] {
            assert!(rule_of::<San>(text).contains(reason), "{text}: {}", rule_of::<San>(text));
        }
    }

    #[test]
    fn sans_keep_their_kind_and_shortest_form() {
        for (text, canonical) in [
            ("*.example.com", "*.example.com"),
            ("kubernetes", "kubernetes"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(text.parse::<San>().unwrap().to_string(), canonical);
        }
        assert_eq!(San::from(&"192.0.2.1".parse::<NodeName>().unwrap()), San::Ip([192, 0, 2, 1].into()));
    }

    #[test]
    fn endpoints_have_a_host_and_a_port() {
        for (text, url) in [
            ("api.example.com:8443", "https://api.example.com:8443"),
            ("api.example.com", "https://api.example.com:6443"),
            ("192.0.2.1", "https://192.0.2.1:6443"),
            ("[2001:db8::1]:443", "https://[2001:db8::1]:443"),
            ("[2001:db8::1]", "https://[2001:db8::1]:6443"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().url(), url);
        }
        for text in
            ["", ":6443", "a:0", "a:65536", "a:+1", "a:", "https://a:1", "a b:1", "[::1", "a.:1", "a/b:1"]
        {
            assert_eq!(text.parse::<Endpoint>().unwrap_err().code(), Code::Invalid, "{text}");
        }
    }

    #[test]
    fn kubernetes_versions_are_told_apart_by_their_minor() {
        for text in ["1.36", "v1.36", "1.36.3", "v1.36.3"] {
            assert_eq!(text.parse::<KubernetesVersion>().unwrap().to_string(), "1.36");
        }
        for text in ["", "1", "2.36", "1.", "1.x", "1.36.", "1.36.3.1", "1.+6", "v1.36-rc.1", "1.70000"] {
            assert!(text.parse::<KubernetesVersion>().is_err(), "{text}");
        }
    }

    #[test]
    fn subnets_give_the_address_of_the_service_kubernetes() {
        for (text, first) in [
            ("10.96.0.0/12", "10.96.0.1"),
            ("0.0.0.0/0", "0.0.0.1"),
            ("fd00::/108", "fd00::1"),
            ("::/0", "::1"),
            ("10.0.0.16/28", "10.0.0.17"),
        ] {
            assert_eq!(text.parse::<Subnet>().unwrap().first_address().to_string(), first);
        }
        assert!(rule_of::<Subnet>("10.96.0.1/12").contains("10.96.0.0/12"));
        for text in ["10.0.0.0/29", "10.0.0.0/32", "fd00::/125", "fd00::/128"] {
            assert_eq!(text.parse::<Subnet>().unwrap_err().code(), Code::SubnetTooSmall);
        }
        for text in [
            "",
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "fd00::/129",
            "10.0.0.0/08",
            "a/8",
            "::ffff:10.0.0.0/120",
        ] {
            assert_eq!(text.parse::<Subnet>().unwrap_err().code(), Code::Invalid, "{text}");
        }
    }
}
