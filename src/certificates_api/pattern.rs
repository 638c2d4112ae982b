//! [`Pattern`] and [`SanPattern`]: what a policy allows.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::x509::AlternativeName;

/// A text in which each `*` stands for one or more letters, digits, `-` and `_`: for a label of a DNS name, a part of a
/// user name, a segment of a path. Letters beyond ASCII are letters too; nothing else in ASCII is taken, neither a
/// separator nor white space nor a control character.
///
/// ```
/// use kubepki::certificates_api::Pattern;
///
/// let pattern: Pattern = "system:serviceaccount:my-namespace:*".parse()?;
/// assert!(pattern.matches("system:serviceaccount:my-namespace:default"));
/// assert!(!pattern.matches("system:serviceaccount:my-namespace:a:b"));
/// # Ok::<(), kubepki::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(String);

/// A subject alternative name that a policy allows: its kind as OpenSSL writes it, and a [`Pattern`], for addresses one
/// address or a range. `DNS:*.my-namespace.svc`, `IP:10.0.0.0/8`, `URI:spiffe://example.com/ns/*/sa/*`,
/// `email:*@example.com`.
///
/// DNS names are compared in lower case. A wildcard name (`*.example.com`) matches no pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SanPattern(Kind);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Dns(Pattern),
    Email(Pattern),
    Uri(Pattern),
    Ip(IpAddr, u8),
}

impl Pattern {
    /// Whether the pattern matches the whole of `text`.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        matches(self.0.as_bytes(), text.as_bytes())
    }
}

impl FromStr for Pattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let is_legal = !text.is_empty()
            && text.len() <= 1024
            && !text.contains("**")
            && !text.contains(char::is_control);
        match is_legal {
            true => Ok(Self(text.to_owned())),
            false => {
                Err(Error::invalid("pattern", "1 to 1024 characters, none of control, without **", text))
            }
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SanPattern {
    /// Whether the pattern matches a name.
    #[must_use]
    pub fn matches(&self, name: &AlternativeName) -> bool {
        match (&self.0, name) {
            (Kind::Dns(pattern), AlternativeName::Dns(name)) => pattern.matches(&name.to_ascii_lowercase()),
            (Kind::Email(pattern), AlternativeName::Email(address)) => pattern.matches(address),
            (Kind::Uri(pattern), AlternativeName::Uri(uri)) => pattern.matches(uri),
            (Kind::Ip(network, length), AlternativeName::Ip(address)) => {
                is_within(*address, *network, *length)
            }
            _ => false,
        }
    }
}

impl FromStr for SanPattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let shape =
            "DNS:, IP:, URI: or email: and a pattern, for IP an address or a network such as 10.0.0.0/8";
        let refuse = || Error::invalid("name pattern", shape, text);
        let (kind, pattern) = text.split_once(':').ok_or_else(refuse)?;
        Ok(Self(match kind {
            "DNS" => Kind::Dns(pattern.to_ascii_lowercase().parse()?),
            "email" => Kind::Email(pattern.parse()?),
            "URI" => Kind::Uri(pattern.parse()?),
            "IP" => {
                let (address, length) = pattern.split_once('/').unwrap_or((pattern, ""));
                let network: IpAddr = address.parse().map_err(|_| refuse())?;
                let width = if network.is_ipv4() { 32 } else { 128 };
                let bits: u8 =
                    if length.is_empty() { width } else { length.parse().map_err(|_| refuse())? };
                let is_canonical = network.to_canonical() == network
                    && (length == bits.to_string() || !pattern.contains('/'))
                    && bits <= width
                    && is_network(network, bits);
                match is_canonical {
                    true => Kind::Ip(network, bits),
                    false => return Err(refuse()),
                }
            }
            _ => return Err(refuse()),
        }))
    }
}

impl fmt::Display for SanPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Dns(pattern) => write!(f, "DNS:{pattern}"),
            Kind::Email(pattern) => write!(f, "email:{pattern}"),
            Kind::Uri(pattern) => write!(f, "URI:{pattern}"),
            Kind::Ip(network, length) => write!(f, "IP:{network}/{length}"),
        }
    }
}

/// Greedy with one step back: linear but for the last star, so bounded by the product of both lengths.
fn matches(mut pattern: &[u8], mut text: &[u8]) -> bool {
    // Behind the last star, and the text that it has not taken yet.
    let mut again: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern.split_first(), text.split_first()) {
            (Some((b'*', behind)), Some((first, rest))) if is_starred(*first) => {
                again = Some((behind, rest));
                (pattern, text) = (behind, rest);
            }
            (Some((wanted, behind)), Some((first, rest))) if wanted == first && *wanted != b'*' => {
                (pattern, text) = (behind, rest);
            }
            (None, None) => return true,
            _ => match again.and_then(|(behind, rest)| Some((behind, rest.split_first()?))) {
                Some((behind, (first, rest))) if is_starred(*first) => {
                    again = Some((behind, rest));
                    (pattern, text) = (behind, rest);
                }
                _ => return false,
            },
        }
    }
}

/// Letters, digits, the two signs that stand within words, and the bytes of characters beyond ASCII.
fn is_starred(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || !byte.is_ascii()
}

/// Whether all bits behind the first `length` are zero.
fn is_network(network: IpAddr, length: u8) -> bool {
    let trailing = match network {
        IpAddr::V4(network) => network.to_bits().trailing_zeros(),
        IpAddr::V6(network) => network.to_bits().trailing_zeros(),
    };
    let width = if network.is_ipv4() { 32 } else { 128 };
    trailing + u32::from(length) >= width
}

fn is_within(address: IpAddr, network: IpAddr, length: u8) -> bool {
    let (address, network, width) = match (address.to_canonical(), network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (address.to_bits().into(), network.to_bits().into(), 32_u32)
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let host_bits = width.saturating_sub(length.into());
    let prefix = |bits: u128| bits.checked_shr(host_bits).unwrap_or(0);
    prefix(address) == prefix(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label_or_part() {
        for (pattern, text, expected) in [
            ("*.ns.svc", "a.ns.svc", true),
            ("*.ns.svc", "a.b.ns.svc", false),
            ("*.ns.svc", ".ns.svc", false),
            ("*.ns.svc", "*.ns.svc", false),
            ("web-*.ns.svc", "web-1.ns.svc", true),
            ("web-*.ns.svc", "web-.ns.svc", false),
            ("*-*", "a-b-c", true),
            ("*a*a", "aaaa", true),
            ("*a*a", "aab", false),
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "system:masters", false),
            ("*", "jane", true),
            ("*", "", false),
            ("spiffe://a/ns/*/sa/*", "spiffe://a/ns/x/sa/y", true),
            ("spiffe://a/ns/*/sa/*", "spiffe://a/ns/x/y/sa/z", false),
            ("ü*", "üü", true),
            ("https://*.example.com", "https://localhost?.example.com", false),
            ("spiffe://a/ns/*/sa/*", "spiffe://a/ns/x%2fy/sa/z", false),
            ("*.ns.svc", "localhost\0.ns.svc", false),
            ("*", "a, O=x", false),
        ] {
            assert_eq!(pattern.parse::<Pattern>().unwrap().matches(text), expected, "{pattern} {text}");
        }
        for text in ["", "**", "a\n"] {
            assert!(text.parse::<Pattern>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn names_match_patterns_of_their_kind_only() {
        let dns = |name: &str| AlternativeName::Dns(name.to_owned());
        let ip = |address: &str| AlternativeName::Ip(address.parse().unwrap());
        for (pattern, name, expected) in [
            ("DNS:*.NS.svc", dns("A.ns.SVC"), true),
            ("DNS:*.ns.svc", AlternativeName::Uri("a.ns.svc".to_owned()), false),
            ("IP:10.0.0.0/8", ip("10.255.0.1"), true),
            ("IP:10.0.0.0/8", ip("11.0.0.1"), false),
            ("IP:10.0.0.0/8", ip("::ffff:10.0.0.1"), true),
            ("IP:0.0.0.0/0", ip("192.0.2.1"), true),
            ("IP:0.0.0.0/0", ip("fd00::1"), false),
            ("IP:fd00::/64", ip("fd00::ffff"), true),
            ("IP:fd00::/64", ip("fd00:0:0:1::"), false),
            ("IP:192.0.2.24", ip("192.0.2.24"), true),
            ("IP:192.0.2.24", ip("192.0.2.25"), false),
            ("email:*@example.com", AlternativeName::Email("jane@example.com".to_owned()), true),
            ("IP:::/0", AlternativeName::Other("dirName:a".to_owned()), false),
        ] {
            assert_eq!(pattern.parse::<SanPattern>().unwrap().matches(&name), expected, "{pattern} {name}");
        }
        for text in [
            "",
            "a",
            "DNS:",
            "IP:a",
            "IP:10.0.0.0/33",
            "IP:10.0.0.0/",
            "IP:10.0.0.0/x",
            "IP:10.0.0.1/8",
            "IP:10.0.0.0/+8",
            "IP:::ffff:10.0.0.0/104",
            "dns:a",
        ] {
            assert!(text.parse::<SanPattern>().is_err(), "{text:?}");
        }
    }
}
