//! [`AlternativeName`]: one entry of the extension subjectAltName (RFC 5280, section 4.2.1.6).

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use der::Encode;
use der::asn1::{Ia5String, OctetString};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::names::San;
use crate::text::{Printable, is_printable};

/// A subject alternative name as a certificate holds it, valid or not. What a certificate is to be given is a [`San`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AlternativeName {
    /// A DNS name, perhaps a wildcard.
    Dns(String),
    /// An e-mail address.
    Email(String),
    /// An IP address.
    Ip(IpAddr),
    /// A URI.
    Uri(String),
    /// Anything else, with a name for it.
    Other(String),
}

impl AlternativeName {
    /// The same as a name that a certificate may be given, in lower case; `None` for what Kubernetes does not look at.
    pub(crate) fn to_san(&self) -> Option<San> {
        match self {
            Self::Dns(name) => {
                let name = name.trim_end_matches('.').to_ascii_lowercase();
                // What a San would refuse, and some client matches all the same: `my_lb.corp`, `*.local`.
                let is_tame = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte);
                let is_tame = !name.is_empty() && name.len() <= 253 && name.bytes().all(is_tame);
                name.parse().ok().or_else(|| is_tame.then(|| San::literal(&name)))
            }
            Self::Ip(address) => Some(San::Ip(*address)),
            Self::Email(_) | Self::Uri(_) | Self::Other(_) => None,
        }
    }
}

impl From<&San> for AlternativeName {
    fn from(san: &San) -> Self {
        match san {
            San::Dns(name) => Self::Dns(name.as_str().to_owned()),
            San::Ip(address) => Self::Ip(*address),
        }
    }
}

impl fmt::Display for AlternativeName {
    /// As OpenSSL shows it: `DNS:kubernetes`, `IP:10.96.0.1`; names with a character that is special in a list are
    /// quoted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match self {
            Self::Dns(name) => ("DNS", name),
            Self::Email(address) => ("email", address),
            Self::Uri(uri) => ("URI", uri),
            Self::Ip(address) => return write!(f, "IP:{address}"),
            Self::Other(what) => return Printable(what).fmt(f),
        };
        match name.chars().any(|c| !is_printable(c) || matches!(c, ',' | ' ' | '"' | '\\')) {
            true => write!(f, "{kind}:{name:?}"),
            false => write!(f, "{kind}:{name}"),
        }
    }
}

/// Most names that a certificate or request is read with where it comes from anybody: far more than those of all nodes
/// of any cluster.
pub(crate) const MOST_NAMES: usize = 1000;

/// The extension's value: DNS names, e-mail addresses, IP addresses and URIs, each kind in its order, as Go writes them.
pub(super) fn encode(sans: &[AlternativeName]) -> der::Result<Vec<u8>> {
    let mut names = Vec::with_capacity(sans.len());
    for san in sans {
        names.push(match san {
            AlternativeName::Dns(name) => (0, GeneralName::DnsName(Ia5String::new(name)?)),
            AlternativeName::Email(address) => (1, GeneralName::Rfc822Name(Ia5String::new(address)?)),
            AlternativeName::Ip(address) => {
                let octets = match address.to_canonical() {
                    IpAddr::V4(address) => OctetString::new(address.octets()),
                    IpAddr::V6(address) => OctetString::new(address.octets()),
                };
                (2, GeneralName::IpAddress(octets?))
            }
            AlternativeName::Uri(uri) => (3, GeneralName::UniformResourceIdentifier(Ia5String::new(uri)?)),
            AlternativeName::Other(_) => continue,
        });
    }
    names.sort_by_key(|(kind, _)| *kind);
    SubjectAltName(names.into_iter().map(|(_, name)| name).collect()).to_der()
}

pub(super) fn decode(extension: SubjectAltName) -> Vec<AlternativeName> {
    let name = |name| match name {
        GeneralName::DnsName(name) => AlternativeName::Dns(name.to_string()),
        GeneralName::Rfc822Name(address) => AlternativeName::Email(address.to_string()),
        GeneralName::UniformResourceIdentifier(uri) => AlternativeName::Uri(uri.to_string()),
        GeneralName::IpAddress(octets) => {
            let octets = octets.as_bytes();
            match (<[u8; 4]>::try_from(octets), <[u8; 16]>::try_from(octets)) {
                (Ok(v4), _) => AlternativeName::Ip(Ipv4Addr::from(v4).into()),
                (_, Ok(v6)) => AlternativeName::Ip(Ipv6Addr::from(v6).into()),
                _ => AlternativeName::Other(format!("an IP address of {} bytes", octets.len())),
            }
        }
        GeneralName::DirectoryName(name) => AlternativeName::Other(format!("dirName:{name}")),
        GeneralName::RegisteredId(oid) => AlternativeName::Other(format!("RID:{oid}")),
        GeneralName::OtherName(other) => AlternativeName::Other(format!("othername:{}", other.type_id)),
        GeneralName::EdiPartyName(_) => AlternativeName::Other("ediPartyName".to_owned()),
    };
    extension.0.into_iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_several_stays_one() {
        for (name, shown) in [
            (AlternativeName::Dns("*.example.com".to_owned()), "DNS:*.example.com"),
            (AlternativeName::Uri("spiffe://a/ns/b".to_owned()), "URI:spiffe://a/ns/b"),
            (AlternativeName::Dns("a, DNS:b".to_owned()), "DNS:\"a, DNS:b\""),
            (AlternativeName::Dns("a\n\u{1b}[2J".to_owned()), "DNS:\"a\\n\\u{1b}[2J\""),
            (AlternativeName::Email("\"a b\"@c".to_owned()), "email:\"\\\"a b\\\"@c\""),
            (AlternativeName::Other("dirName:CN=\r".to_owned()), "dirName:CN=\\r"),
        ] {
            assert_eq!(name.to_string(), shown);
        }
    }
}
