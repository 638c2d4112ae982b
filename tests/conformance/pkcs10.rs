//! Requests (PKCS#10, RFC 2986) that this crate does not make: openssl makes them. What it does not want to write is put
//! together here, and signed by openssl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use base64ct::{Base64, Encoding};

use crate::programs::output;
use crate::report::Result;

/// What of a request is chosen.
#[derive(Clone, Debug)]
pub(crate) struct Pkcs10 {
    /// As the options of `openssl genpkey` have it.
    pub(crate) key: &'static str,
    pub(crate) subject: Subject,
    /// As openssl's configuration has them.
    pub(crate) extensions: &'static [&'static str],
    /// More options of `openssl req`.
    pub(crate) options: &'static [&'static str],
}

#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// As `openssl req -subj` has it.
    Text(&'static str),
    /// In DER, and all attributes in DER as well: without openssl's help.
    Der { subject: Vec<u8>, attributes: Vec<u8> },
}

pub(crate) const P256: &str = "EC ec_paramgen_curve:P-256";
pub(crate) const RSA: &str = "RSA rsa_keygen_bits:2048";

impl Pkcs10 {
    /// The request in PEM. Keys are kept in `keys`: one of each kind is enough.
    pub(crate) fn make(&self, keys: &Path) -> Result<String> {
        let key = self.key(keys)?;
        match &self.subject {
            Subject::Text(subject) => {
                let mut openssl = Command::new("openssl");
                openssl.args(["req", "-new", "-utf8", "-subj", subject, "-key"]).arg(key).args(self.options);
                openssl.args(self.extensions.iter().flat_map(|extension| ["-addext", extension]));
                output(&mut openssl, "")
            }
            Subject::Der { subject, attributes } => {
                let path = |name| keys.join(name);
                let mut public = Command::new("openssl");
                public.args(["pkey", "-pubout", "-outform", "DER", "-in"]).arg(&key);
                output(public.arg("-out").arg(path("public")), "")?;
                let info = [&[0x02, 1, 0][..], subject, &fs::read(path("public"))?, attributes].concat();
                let info = tlv(SEQUENCE, &info);
                fs::write(path("info"), &info)?;
                let mut sign = Command::new("openssl");
                sign.args(["dgst", "-sha256", "-sign"]).arg(&key).arg("-out").arg(path("signature"));
                output(sign.arg(path("info")), "")?;
                let signature = [&[0], &*fs::read(path("signature"))?].concat();
                let whole = [info, ECDSA_WITH_SHA256.to_vec(), tlv(0x03, &signature)].concat();
                Ok(pem(&tlv(SEQUENCE, &whole)))
            }
        }
    }

    fn key(&self, keys: &Path) -> Result<PathBuf> {
        let path = keys.join(self.key);
        if !path.exists() {
            let mut words = self.key.split(' ');
            let mut openssl = Command::new("openssl");
            openssl.args(["genpkey", "-algorithm", words.next().unwrap_or_default()]);
            openssl.args(words.flat_map(|option| ["-pkeyopt", option]));
            output(openssl.arg("-out").arg(&path), "")?;
        }
        Ok(path)
    }
}

pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// The AlgorithmIdentifier of RFC 5758, section 3.2.
const ECDSA_WITH_SHA256: [u8; 12] = *b"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";

/// A request in PEM.
pub(crate) fn pem(der: &[u8]) -> String {
    let base64 = Base64::encode_string(der);
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n", lines.join("\n"))
}

/// A value in DER.
pub(crate) fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = match u8::try_from(value.len()) {
        Ok(length) if length < 0x80 => vec![length],
        Ok(length) => vec![0x81, length],
        Err(_) => [&[0x82][..], &u16::try_from(value.len()).expect("a short value").to_be_bytes()].concat(),
    };
    [&[tag][..], &length, value].concat()
}

/// The values in DER within a value in DER.
pub(crate) fn parts(der: &[u8]) -> Result<Vec<&[u8]>> {
    let mut parts = Vec::new();
    let mut rest = &der[header(der)?.0..];
    while !rest.is_empty() {
        let (start, length) = header(rest)?;
        let (part, behind) = rest.split_at_checked(start + length).ok_or("DER that is cut")?;
        parts.push(part);
        rest = behind;
    }
    Ok(parts)
}

/// Where a value begins behind its tag and length, and its length.
fn header(der: &[u8]) -> Result<(usize, usize)> {
    let first = *der.get(1).ok_or("DER that is cut")?;
    let more = usize::from(first.saturating_sub(0x80));
    let bytes = der.get(2..2 + more).ok_or("DER that is cut")?;
    let long = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
    Ok((2 + more, if first < 0x80 { first.into() } else { long }))
}

/// A subject of attributes of X.520 (the last number of their identifiers), each with the tag and bytes of its value,
/// each in a set of its own.
pub(crate) fn subject(attributes: &[(u8, u8, &[u8])]) -> Vec<u8> {
    let sets = attributes.iter().map(|(attribute, tag, value)| {
        let pair = [vec![0x06, 3, 0x55, 4, *attribute], tlv(*tag, value)].concat();
        tlv(SET, &tlv(SEQUENCE, &pair))
    });
    tlv(SEQUENCE, &sets.collect::<Vec<_>>().concat())
}

/// The attributes of a request: for each of `requests` one `extensionRequest` (PKCS#9) with these extensions.
pub(crate) fn extension_requests(requests: &[&[u8]]) -> Vec<u8> {
    let attributes = requests.iter().map(|extensions| {
        let values = tlv(SET, &tlv(SEQUENCE, extensions));
        tlv(SEQUENCE, &[b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e", &*values].concat())
    });
    tlv(0xa0, &attributes.collect::<Vec<_>>().concat())
}

/// A subject alternative name with one DNS name, as an extension.
pub(crate) fn dns_name(name: &str) -> Vec<u8> {
    let names = tlv(SEQUENCE, &tlv(0x82, name.as_bytes()));
    tlv(SEQUENCE, &[b"\x06\x03\x55\x1d\x11", &*tlv(0x04, &names)].concat())
}
