//! Where something is: endpoints, ranges of addresses, and the names of servers in certificates.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::{DnsName, NodeName, UNKNOWN, dns_name};
use crate::error::{Code, Error, Result};

/// Whether an address can be that of one machine.
pub(crate) fn is_one_machine(address: IpAddr) -> bool {
    let address = address.to_canonical();
    !address.is_unspecified() && !address.is_multicast()
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
