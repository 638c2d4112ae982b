//! [`Usage`]: what a key may be used for, by the names of the Kubernetes API.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use const_oid::ObjectIdentifier;
use der::Encode;
use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage, KeyUsages};

use crate::error::{Error, Result};

/// A key usage (RFC 5280, section 4.2.1.3) or extended key usage (section 4.2.1.12), by its name in the Kubernetes API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Usage {
    /// `digital signature`: signs what is no certificate and no list of revoked ones, such as a TLS handshake.
    DigitalSignature,
    /// `content commitment`, formerly non-repudiation.
    ContentCommitment,
    /// `key encipherment`: RSA key exchange in TLS up to 1.2.
    KeyEncipherment,
    /// `data encipherment`.
    DataEncipherment,
    /// `key agreement`.
    KeyAgreement,
    /// `cert sign`: signs certificates.
    CertSign,
    /// `crl sign`: signs lists of revoked certificates.
    CrlSign,
    /// `encipher only`.
    EncipherOnly,
    /// `decipher only`.
    DecipherOnly,
    /// `any`: every extended usage.
    Any,
    /// `server auth`: a TLS server.
    ServerAuth,
    /// `client auth`: a TLS client.
    ClientAuth,
    /// `code signing`.
    CodeSigning,
    /// `email protection`.
    EmailProtection,
    /// `ipsec end system`.
    IpsecEndSystem,
    /// `ipsec tunnel`.
    IpsecTunnel,
    /// `ipsec user`.
    IpsecUser,
    /// `timestamping`.
    Timestamping,
    /// `ocsp signing`.
    OcspSigning,
    /// `microsoft sgc`.
    MicrosoftSgc,
    /// `netscape sgc`.
    NetscapeSgc,
}

#[derive(Clone, Copy)]
enum Encoding {
    Bit(KeyUsages),
    Oid(&'static str),
}

/// Every usage with its Kubernetes name (k8s.io/api/certificates/v1, `KeyUsage`), the key usages in the order of their
/// bits, the extended ones in the order in which Go writes them.
#[rustfmt::skip]
const TABLE: [(Usage, &str, Encoding); 21] = [
    (Usage::DigitalSignature,  "digital signature",  Encoding::Bit(KeyUsages::DigitalSignature)),
    (Usage::ContentCommitment, "content commitment", Encoding::Bit(KeyUsages::NonRepudiation)),
    (Usage::KeyEncipherment,   "key encipherment",   Encoding::Bit(KeyUsages::KeyEncipherment)),
    (Usage::DataEncipherment,  "data encipherment",  Encoding::Bit(KeyUsages::DataEncipherment)),
    (Usage::KeyAgreement,      "key agreement",      Encoding::Bit(KeyUsages::KeyAgreement)),
    (Usage::CertSign,          "cert sign",          Encoding::Bit(KeyUsages::KeyCertSign)),
    (Usage::CrlSign,           "crl sign",           Encoding::Bit(KeyUsages::CRLSign)),
    (Usage::EncipherOnly,      "encipher only",      Encoding::Bit(KeyUsages::EncipherOnly)),
    (Usage::DecipherOnly,      "decipher only",      Encoding::Bit(KeyUsages::DecipherOnly)),
    (Usage::Any,               "any",                Encoding::Oid("2.5.29.37.0")),
    (Usage::ServerAuth,        "server auth",        Encoding::Oid("1.3.6.1.5.5.7.3.1")),
    (Usage::ClientAuth,        "client auth",        Encoding::Oid("1.3.6.1.5.5.7.3.2")),
    (Usage::CodeSigning,       "code signing",       Encoding::Oid("1.3.6.1.5.5.7.3.3")),
    (Usage::EmailProtection,   "email protection",   Encoding::Oid("1.3.6.1.5.5.7.3.4")),
    (Usage::IpsecEndSystem,    "ipsec end system",   Encoding::Oid("1.3.6.1.5.5.7.3.5")),
    (Usage::IpsecTunnel,       "ipsec tunnel",       Encoding::Oid("1.3.6.1.5.5.7.3.6")),
    (Usage::IpsecUser,         "ipsec user",         Encoding::Oid("1.3.6.1.5.5.7.3.7")),
    (Usage::Timestamping,      "timestamping",       Encoding::Oid("1.3.6.1.5.5.7.3.8")),
    (Usage::OcspSigning,       "ocsp signing",       Encoding::Oid("1.3.6.1.5.5.7.3.9")),
    (Usage::MicrosoftSgc,      "microsoft sgc",      Encoding::Oid("1.3.6.1.4.1.311.10.3.3")),
    (Usage::NetscapeSgc,       "netscape sgc",       Encoding::Oid("2.16.840.1.113730.4.1")),
];

impl Usage {
    /// The name in the Kubernetes API: `digital signature`, `server auth`.
    #[must_use]
    pub fn id(self) -> &'static str {
        // The table holds every usage: a test says so.
        TABLE.iter().find(|(usage, ..)| *usage == self).map_or("", |(_, id, _)| id)
    }
}

impl Usage {
    /// Whether this is an extended key usage.
    pub(crate) fn is_extended(self) -> bool {
        self >= Self::Any
    }
}

impl FromStr for Usage {
    type Err = Error;

    /// Reads [`Usage::id`]; also `signing` and `s/mime`, which Kubernetes has for digital signature and email
    /// protection.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "signing" => Ok(Self::DigitalSignature),
            "s/mime" => Ok(Self::EmailProtection),
            _ => TABLE.iter().find(|(_, id, _)| *id == text).map(|(usage, ..)| *usage).ok_or_else(|| {
                Error::invalid("usage", format!("one of {}", TABLE.map(|(_, id, _)| id).join(", ")), text)
            }),
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// The value of the extension keyUsage; `None` when there is no key usage.
pub(super) fn encode_key_usage(usages: &BTreeSet<Usage>) -> der::Result<Option<Vec<u8>>> {
    let mut extension = KeyUsage(Default::default());
    for (usage, _, encoding) in TABLE {
        if let (true, Encoding::Bit(bit)) = (usages.contains(&usage), encoding) {
            extension.0 |= bit;
        }
    }
    if extension.0.is_empty() { Ok(None) } else { extension.to_der().map(Some) }
}

/// The value of the extension extKeyUsage; `None` when there is no extended usage.
pub(super) fn encode_extended_key_usage(usages: &BTreeSet<Usage>) -> der::Result<Option<Vec<u8>>> {
    let oids = TABLE.iter().filter_map(|(usage, _, encoding)| match encoding {
        Encoding::Oid(oid) => usages.contains(usage).then(|| ObjectIdentifier::new(oid)),
        Encoding::Bit(_) => None,
    });
    let extension =
        ExtendedKeyUsage(oids.collect::<Result<_, _>>().map_err(|_| der::ErrorKind::OidMalformed)?);
    if extension.0.is_empty() { Ok(None) } else { extension.to_der().map(Some) }
}

pub(super) fn decode_key_usage(extension: KeyUsage) -> impl Iterator<Item = Usage> {
    TABLE.into_iter().filter_map(move |(usage, _, encoding)| match encoding {
        Encoding::Bit(bit) => extension.0.contains(bit).then_some(usage),
        Encoding::Oid(_) => None,
    })
}

/// The known usages of an extension extKeyUsage; others mean nothing to Kubernetes.
pub(super) fn decode_extended_key_usage(extension: &ExtendedKeyUsage) -> impl Iterator<Item = Usage> {
    TABLE.into_iter().filter_map(|(usage, _, encoding)| match encoding {
        Encoding::Oid(oid) => extension.0.iter().any(|found| found.to_string() == oid).then_some(usage),
        Encoding::Bit(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_holds_every_usage_in_order() {
        assert!(TABLE.is_sorted_by_key(|(usage, ..)| *usage));
        assert!(TABLE.windows(2).all(|pair| pair[0].0 != pair[1].0));
        for (usage, id, _) in TABLE {
            assert_eq!(id.parse::<Usage>().unwrap(), usage);
        }
        assert_eq!("signing".parse::<Usage>().unwrap(), Usage::DigitalSignature);
    }
}
