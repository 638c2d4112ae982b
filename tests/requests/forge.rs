//! Requests that nobody in their right mind makes, with a signature that verifies.

use std::net::IpAddr;

use base64ct::{Base64, Encoding};
use const_oid::ObjectIdentifier;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{DerSignature, SigningKey};

pub(super) const UTF8: u8 = 0x0c;
pub(super) const PRINTABLE: u8 = 0x13;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// `[0]`, constructed.
pub(super) const CONTEXT_0: u8 = 0xa0;

pub(super) const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";
pub(super) const SUBJECT_ALT_NAME: &str = "2.5.29.17";

/// A PKCS#10 request by a P-256 key (RFC 2986), part by part. The same parts give the same bytes.
#[derive(Clone)]
pub(crate) struct Csr {
    subject: Vec<u8>,
    extensions: Vec<Vec<u8>>,
    attributes: Vec<Vec<u8>>,
    spki: Vec<u8>,
}

impl Csr {
    /// `subject` is as [`name`] has it.
    pub(crate) fn new(subject: &str) -> Self {
        Self { subject: name(subject), extensions: Vec::new(), attributes: Vec::new(), spki: spki(false) }
    }

    /// The subject in DER, whatever that is.
    pub(super) fn subject(mut self, der: Vec<u8>) -> Self {
        self.subject = der;
        self
    }

    /// Subject alternative names, as [`general_name`] has them. Without any, there is no extension.
    pub(crate) fn sans(self, sans: &[&str]) -> Self {
        let names: Vec<_> = sans.iter().map(|san| general_name(san)).collect();
        if names.is_empty() {
            self
        } else {
            self.extension(SUBJECT_ALT_NAME, &tlv(SEQUENCE, &names.concat()))
        }
    }

    pub(crate) fn extension(mut self, id: &str, value: &[u8]) -> Self {
        self.extensions.push(extension(id, value));
        self
    }

    /// One more attribute besides that of the extensions.
    pub(super) fn attribute(self, id: &str, value: &[u8]) -> Self {
        self.odd_attribute(&[oid(id), tlv(SET, value)])
    }

    /// The same of any parts.
    pub(super) fn odd_attribute(mut self, parts: &[Vec<u8>]) -> Self {
        self.attributes.push(tlv(SEQUENCE, &parts.concat()));
        self
    }

    /// Another key than the one that signs, SubjectPublicKeyInfo in DER.
    pub(super) fn key(mut self, spki: Vec<u8>) -> Self {
        self.spki = spki;
        self
    }

    /// What is signed.
    pub(super) fn info(&self) -> Vec<u8> {
        let mut attributes = self.attributes.clone();
        if !self.extensions.is_empty() {
            let extensions = tlv(SET, &tlv(SEQUENCE, &self.extensions.concat()));
            attributes.push(tlv(SEQUENCE, &[oid(EXTENSION_REQUEST), extensions].concat()));
        }
        let version = [0x02, 0x01, 0x00];
        let parts = [&version, &*self.subject, &self.spki, &tlv(CONTEXT_0, &attributes.concat())].concat();
        tlv(SEQUENCE, &parts)
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        signed(&self.info())
    }

    pub(super) fn pem(&self) -> String {
        pem("CERTIFICATE REQUEST", &self.der())
    }
}

pub(super) fn extension(id: &str, value: &[u8]) -> Vec<u8> {
    tlv(SEQUENCE, &[oid(id), tlv(OCTET_STRING, value)].concat())
}

/// A request with `info` in it, whatever that is, and a signature that verifies.
pub(super) fn signed(info: &[u8]) -> Vec<u8> {
    let signature: DerSignature = key().sign(info);
    assembled(info, &oid("1.2.840.10045.4.3.2"), signature.as_bytes())
}

pub(super) fn assembled(info: &[u8], algorithm: &[u8], signature: &[u8]) -> Vec<u8> {
    let signature = tlv(BIT_STRING, &[&[0], signature].concat());
    tlv(SEQUENCE, &[info, &tlv(SEQUENCE, algorithm), &signature].concat())
}

/// The key that signs, its point as a whole or half of it.
pub(super) fn spki(is_compressed: bool) -> Vec<u8> {
    let algorithm = tlv(SEQUENCE, &[oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")].concat());
    let point = key().verifying_key().to_sec1_point(is_compressed);
    tlv(SEQUENCE, &[algorithm, tlv(BIT_STRING, &[&[0], point.as_bytes()].concat())].concat())
}

/// No secret.
fn key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

/// `O=a/CN=b`: one UTF8String in each relative distinguished name; `O=a+O=b`: two in one.
pub(super) fn name(text: &str) -> Vec<u8> {
    let sets = text.split('/').filter(|set| !set.is_empty()).map(|set| {
        let attributes = set.split('+').map(|attribute| {
            let (kind, value) = attribute.split_once('=').unwrap();
            self::attribute(kind, UTF8, value.as_bytes())
        });
        tlv(SET, &attributes.collect::<Vec<_>>().concat())
    });
    tlv(SEQUENCE, &sets.collect::<Vec<_>>().concat())
}

/// One attribute of a name, its kind a short name or an object identifier.
pub(super) fn attribute(kind: &str, tag: u8, value: &[u8]) -> Vec<u8> {
    let id = match kind {
        "CN" => "2.5.4.3",
        "SERIALNUMBER" => "2.5.4.5",
        "C" => "2.5.4.6",
        "L" => "2.5.4.7",
        "ST" => "2.5.4.8",
        "STREET" => "2.5.4.9",
        "O" => "2.5.4.10",
        "OU" => "2.5.4.11",
        "POSTALCODE" => "2.5.4.17",
        "emailAddress" => "1.2.840.113549.1.9.1",
        "DC" => "0.9.2342.19200300.100.1.25",
        id => id,
    };
    tlv(SEQUENCE, &[oid(id), tlv(tag, value)].concat())
}

/// A name of a certificate as openssl writes it: `DNS:a`, `IP:192.0.2.1`, `email:a@b`, `URI:a:b`; `IP:` also with the
/// bytes in hexadecimal digits, `RID:` and `dirName:` for what Kubernetes does not look at.
pub(super) fn general_name(text: &str) -> Vec<u8> {
    let (kind, value) = text.split_once(':').unwrap();
    match kind {
        "email" => tlv(0x81, value.as_bytes()),
        "DNS" => tlv(0x82, value.as_bytes()),
        "dirName" => tlv(0xa4, &name(value)),
        "URI" => tlv(0x86, value.as_bytes()),
        "IP" => match value.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => tlv(0x87, &address.octets()),
            Ok(IpAddr::V6(address)) => tlv(0x87, &address.octets()),
            Err(_) => tlv(0x87, value.as_bytes()),
        },
        "RID" => tlv(0x88, ObjectIdentifier::new_unwrap(value).as_bytes()),
        _ => panic!("{text}"),
    }
}

pub(super) fn oid(id: &str) -> Vec<u8> {
    tlv(0x06, ObjectIdentifier::new_unwrap(id).as_bytes())
}

/// Tag, length and value.
pub(super) fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = value.len().to_be_bytes();
    let length: Vec<_> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    let mut der = match value.len() {
        ..0x80 => vec![tag, u8::try_from(value.len()).unwrap()],
        _ => [&[tag, 0x80 | u8::try_from(length.len()).unwrap()], &*length].concat(),
    };
    der.extend(value);
    der
}

pub(super) fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", Base64::encode_string(der))
}
