//! [`CertificationRequest`]: a request for a certificate (PKCS#10, RFC 2986), read once, its bytes kept.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use const_oid::AssociatedOid;
use const_oid::ObjectIdentifier;
use const_oid::db::rfc5912::ID_EXTENSION_REQ;
use der::asn1::{Any, BitStringRef, SetOfVec};
use der::{AnyRef, Decode, Encode, Reader, Sequence, SliceReader, Tag, TagNumber, Tagged};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage, SubjectAltName};
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::build::{names, purpose, signed, unencodable};
use super::name::is_read_by_go;
use super::san::{self, MOST_NAMES};
use super::{AlternativeName, DistinguishedName, Usage, usage};
use crate::error::{Code, Error, Result};
use crate::key::{PublicKey, SignatureAlgorithm, Signer, sign};
use crate::pem;

const LABEL: &str = "CERTIFICATE REQUEST";

/// A request for a certificate as it was received. Copies are cheap.
///
/// What it asks for is only asked for: who signs it decides. [`Profile::request`](crate::Profile::request) makes one with
/// its key.
#[derive(Clone)]
pub struct CertificationRequest(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    to_be_signed: Vec<u8>,
    signature_algorithm: ObjectIdentifier,
    signature: Vec<u8>,
    subject: DistinguishedName,
    public_key: PublicKey,
    usages: BTreeSet<Usage>,
    sans: Vec<AlternativeName>,
}

/// What a request that is to be made asks for.
pub(crate) struct RequestTemplate<'a> {
    pub(crate) subject: &'a DistinguishedName,
    pub(crate) usages: &'a BTreeSet<Usage>,
    /// As [`Template::authority`](super::Template::authority).
    pub(crate) authority: Option<Option<u8>>,
    pub(crate) sans: &'a [AlternativeName],
}

/// The outermost structure (RFC 2986, section 4.2), its first part untouched.
#[derive(Sequence)]
struct Signed<'a> {
    to_be_signed: AnyRef<'a>,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: BitStringRef<'a>,
}

#[derive(Sequence)]
struct Attribute<'a> {
    _oid: ObjectIdentifier,
    values: AnyRef<'a>,
}

impl CertificationRequest {
    /// Reads the one block `CERTIFICATE REQUEST` of `pem`.
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] when that is not all there is, or when it cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self> {
        let blocks = pem::blocks(pem)?;
        match blocks.as_slice() {
            [block] if block.label == LABEL => Self::from_der(&block.der),
            [first, _, ..] if first.label == LABEL => {
                Err(Error::new(Code::Malformed, format!("one PEM block {LABEL}"))
                    .found(format!("{} blocks", blocks.len())))
            }
            _ => Err(Error::new(Code::Malformed, format!("one PEM block {LABEL}"))
                .found(pem::describe(&blocks, pem))),
        }
    }

    /// Reads a request in DER. Its signature is not looked at: [`check_signature`](Self::check_signature) does.
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] when it is none, when Go's crypto/x509 would refuse it, and for more than 1000 names.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        let inner = decode(der).map_err(|error| {
            Error::new(Code::Malformed, "a certification request (PKCS#10 in DER)").found(error.to_string())
        })?;
        check_names(&inner)?;
        Ok(Self(Arc::new(inner)))
    }

    /// A request by a signer's key, and for it.
    pub(crate) fn new(wanted: &RequestTemplate<'_>, signer: &dyn Signer) -> Result<Self> {
        let public_key = signer.public_key();
        let algorithm = public_key.signature_algorithm()?;
        let to_be_signed = wanted.to_be_signed(public_key).map_err(unencodable)?;
        let signature = sign(signer, public_key, algorithm, &to_be_signed)?;
        Self::from_der(&signed(&to_be_signed, algorithm, &signature)?)
    }

    /// The request in DER, as it was received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The request as a PEM block `CERTIFICATE REQUEST`.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode(LABEL, &self.0.der).to_string()
    }

    /// Who the certificate is to be about.
    #[must_use]
    pub fn subject(&self) -> &DistinguishedName {
        &self.0.subject
    }

    /// The public key that is to be certified.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    /// The subject alternative names that are asked for, in their order.
    #[must_use]
    pub fn sans(&self) -> &[AlternativeName] {
        &self.0.sans
    }

    /// The usages that are asked for in the request itself. Signers of Kubernetes do not look at them.
    #[must_use]
    pub fn usages(&self) -> &BTreeSet<Usage> {
        &self.0.usages
    }

    /// Checks the request's own signature over the bytes that were received: who made it has the private key (proof of
    /// possession, RFC 2986, section 3).
    ///
    /// # Errors
    ///
    /// [`Code::BadSignature`] when it does not verify, [`Code::Unsupported`] for keys and signatures other than RSA
    /// (PKCS#1 v1.5), ECDSA P-256 and P-384 with SHA-256 or stronger.
    pub fn check_signature(&self) -> Result<()> {
        let key = self.public_key();
        let algorithm = SignatureAlgorithm::from_oid(self.0.signature_algorithm);
        let (Some(algorithm), true) = (algorithm, key.can_verify()) else {
            return Err(Error::new(Code::Unsupported, "a signature by RSA, ECDSA P-256 or P-384 with SHA-2")
                .found(format!("a key of {key} and the algorithm {}", self.0.signature_algorithm)));
        };
        match key.verify(algorithm, &self.0.to_be_signed, &self.0.signature) {
            true => Ok(()),
            false => Err(Error::new(Code::BadSignature, "a signature by the key that the request is for")
                .found("one that does not verify")),
        }
    }
}

/// The same bytes.
impl PartialEq for CertificationRequest {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for CertificationRequest {}

impl fmt::Debug for CertificationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificationRequest({})", self.subject())
    }
}

impl RequestTemplate<'_> {
    /// The CertificationRequestInfo in DER (RFC 2986, section 4.1).
    fn to_be_signed(&self, public_key: &PublicKey) -> der::Result<Vec<u8>> {
        let mut extensions = purpose(self.usages, self.authority)?;
        extensions.extend(names(self.sans, self.subject)?);
        let values = SetOfVec::try_from(vec![Any::encode_from(&extensions)?])?;
        let attribute = [ID_EXTENSION_REQ.to_der()?, values.to_der()?].concat();
        let attribute = Any::new(Tag::Sequence, attribute)?.to_der()?;
        let attributes = Any::new(ATTRIBUTES, attribute)?.to_der()?;
        const VERSION: [u8; 3] = [0x02, 0x01, 0x00];
        let parts = [&VERSION, self.subject.der(), public_key.spki_der(), &attributes].concat();
        Any::new(Tag::Sequence, parts)?.to_der()
    }
}

/// `[0] IMPLICIT SET OF Attribute`.
const ATTRIBUTES: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };

fn decode(der: &[u8]) -> der::Result<Inner> {
    let mut reader = SliceReader::new(der)?;
    let signed = Signed::decode(&mut reader)?;
    reader.finish()?;
    let mut info = SliceReader::new(signed.to_be_signed.value())?;
    signed.to_be_signed.tag().assert_eq(Tag::Sequence)?;
    // Go takes any.
    let _version = i32::decode(&mut info)?;
    let subject = DistinguishedName::from_der(&AnyRef::decode(&mut info)?.to_der()?)?;
    if !subject.is_text() {
        return Err(Tag::Utf8String.value_error().into());
    }
    let public_key = PublicKey::decode(&AnyRef::decode(&mut info)?.to_der()?)?;
    let attributes = AnyRef::decode(&mut info)?;
    attributes.tag().assert_eq(ATTRIBUTES)?;
    info.finish()?;
    let extensions = requested_extensions(attributes.value())?;
    // Signers drop these, whatever they are.
    let key_usages = extension::<KeyUsage>(&extensions).ok().flatten();
    let key_usages = key_usages.into_iter().flat_map(usage::decode_key_usage);
    let extended: Option<ExtendedKeyUsage> = extension(&extensions).ok().flatten();
    let extended = extended.iter().flat_map(usage::decode_extended_key_usage);
    Ok(Inner {
        der: der.to_vec(),
        to_be_signed: signed.to_be_signed.to_der()?,
        signature_algorithm: signed.signature_algorithm.oid,
        signature: signed.signature.as_bytes().ok_or(Tag::BitString.value_error())?.to_vec(),
        subject,
        public_key,
        usages: key_usages.chain(extended).collect(),
        sans: extension::<SubjectAltName>(&extensions)?.map(san::decode).unwrap_or_default(),
    })
}

/// The extensions of the attributes extensionRequest; other attributes mean nothing to Go, and no extension may stand
/// there twice (crypto/x509, `parseCSRExtensions`). Where Go would pass over such an attribute, or over a part of it,
/// the request is refused: what is reviewed here may be signed by Go.
fn requested_extensions(mut attributes: &[u8]) -> der::Result<Vec<Extension>> {
    let oid = ID_EXTENSION_REQ.to_der()?;
    let mut all: Vec<Extension> = Vec::new();
    while !attributes.is_empty() {
        let (attribute, rest) = AnyRef::from_der_partial(attributes)?;
        attributes = rest;
        if attribute.tag() != Tag::Sequence || !attribute.value().starts_with(&oid) {
            continue;
        }
        let Attribute { values, .. } = attribute.decode_as()?;
        values.tag().assert_eq(Tag::Set)?;
        all.extend(AnyRef::from_der(values.value())?.decode_as::<Vec<Extension>>()?);
    }
    let mut seen = BTreeSet::new();
    match all.iter().all(|extension| is_read_by_go(extension.extn_id) && seen.insert(extension.extn_id)) {
        true => Ok(all),
        false => Err(Tag::Sequence.value_error().into()),
    }
}

fn extension<T>(extensions: &[Extension]) -> der::Result<Option<T>>
where
    T: for<'a> Decode<'a, Error = der::Error> + AssociatedOid,
{
    let found = extensions.iter().find(|extension| extension.extn_id == T::OID);
    found.map(|extension| T::from_der(extension.extn_value.as_bytes())).transpose()
}

/// Names that Go refuses to read (crypto/x509, `parseSANExtension`), and too many.
fn check_names(inner: &Inner) -> Result<()> {
    if inner.sans.len() > MOST_NAMES {
        return Err(Error::new(Code::Malformed, format!("at most {MOST_NAMES} subject alternative names"))
            .found(inner.sans.len().to_string()));
    }
    let unreadable = |san: &&AlternativeName| match san {
        AlternativeName::Uri(uri) => !is_uri(uri),
        AlternativeName::Other(what) => what.starts_with("an IP address"),
        _ => false,
    };
    match inner.sans.iter().find(unreadable) {
        None => Ok(()),
        Some(san) => {
            Err(Error::new(Code::Malformed, "subject alternative names of their kinds")
                .found(san.to_string()))
        }
    }
}

/// An absolute URI (RFC 3986, section 4.3) that Go reads and writes unchanged: its scheme in lower case, its authority,
/// if it has one, a domain or an address of IPv4, and perhaps a port. Go takes more, and writes some of it in another
/// way; no signer needs it.
fn is_uri(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let mut letters = scheme.bytes();
    let of_scheme = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b);
    let has_scheme = letters.next().is_some_and(|b| b.is_ascii_lowercase()) && letters.all(of_scheme);
    let of_uri = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=%".contains(&b);
    let is_hex = |b: &u8| b.is_ascii_hexdigit();
    let mut escapes = rest.split('%').skip(1).map(str::as_bytes);
    let is_escaped = escapes.all(|after| after.get(..2).is_some_and(|digits| digits.iter().all(is_hex)));
    has_scheme && rest.bytes().all(of_uri) && is_escaped && has_tame_host(rest)
}

fn has_tame_host(rest: &str) -> bool {
    let Some(authority) = rest.strip_prefix("//") else { return true };
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    let of_host = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
    let is_label = |label: &str| (1..=63).contains(&label.len());
    // Go counts the port into the last label.
    let has_tame_labels = host.split('.').chain(authority.split('.')).all(is_label) && authority.len() <= 253;
    has_tame_labels && host.bytes().all(of_host) && port.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_that_go_would_refuse_or_change_are_none() {
        for uri in ["spiffe://cluster.local/ns/a/sa/b", "urn:uuid:1", "https://a:8443/x?y", "mailto:a@b.c"] {
            assert!(is_uri(uri), "{uri}");
        }
        for uri in ["", "a", ":a", "1:a", "A:b", "http://a b", "http://a..b/", "http://a:x/", "a:%zz", "a:%2"]
        {
            assert!(!is_uri(uri), "{uri}");
        }
        for uri in ["a:b#", "a://b/#c", "a://b@c/", "a://b!@c/", "a://?b", "a://", "a:\u{7f}"] {
            assert!(!is_uri(uri), "{uri}");
        }
    }
}
