//! The bytes of a certificate, laid out as Go's crypto/x509 lays them out: so do kubeadm and every component.

use std::collections::BTreeSet;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc5280::{
    ID_CE_AUTHORITY_KEY_IDENTIFIER, ID_CE_BASIC_CONSTRAINTS, ID_CE_EXT_KEY_USAGE, ID_CE_KEY_USAGE,
    ID_CE_SUBJECT_ALT_NAME, ID_CE_SUBJECT_KEY_IDENTIFIER,
};
use const_oid::db::rfc5912::{ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, SHA_256_WITH_RSA_ENCRYPTION};
use der::asn1::{Any, BitString, OctetString};
use der::{AnyRef, Decode, Encode, Sequence};
use x509_cert::certificate::{Rfc5280, Version};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, BasicConstraints, SubjectKeyIdentifier};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::Validity;

use super::{AlternativeName, Certificate, DistinguishedName, Usage, san, usage};
use crate::error::{Code, Error, Result};
use crate::key::{PublicKey, SignatureAlgorithm, random};
use crate::time::Time;

/// Everything that a certificate is to say.
pub(crate) struct Template<'a> {
    /// Big-endian, unsigned.
    pub(crate) serial_number: &'a [u8],
    pub(crate) issuer: &'a DistinguishedName,
    pub(crate) subject: &'a DistinguishedName,
    pub(crate) not_before: Time,
    pub(crate) not_after: Time,
    pub(crate) public_key: &'a PublicKey,
    pub(crate) usages: &'a BTreeSet<Usage>,
    /// For an authority: how many authorities may stand between it and a leaf, if that is limited.
    pub(crate) authority: Option<Option<u8>>,
    pub(crate) authority_key_identifier: Option<&'a [u8]>,
    pub(crate) sans: &'a [AlternativeName],
    /// The certificate for the same key and name whose place this one takes: its subject key identifier, its names and
    /// whatever else it has are copied.
    pub(crate) renews: Option<&'a Certificate>,
}

/// RFC 5280, section 4.1: x509-cert has the same type, with private fields.
#[derive(Sequence)]
struct TbsCertificate {
    #[asn1(context_specific = "0")]
    version: Version,
    serial_number: SerialNumber<Rfc5280>,
    signature: AlgorithmIdentifierOwned,
    issuer: Any,
    validity: Validity<Rfc5280>,
    subject: Any,
    subject_public_key_info: Any,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT")]
    extensions: Vec<Extension>,
}

#[derive(Sequence)]
struct Signed {
    to_be_signed: Any,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

impl Template<'_> {
    /// The TBSCertificate in DER: what is signed.
    pub(crate) fn to_be_signed(&self, algorithm: SignatureAlgorithm) -> Result<Vec<u8>> {
        let encode = || {
            TbsCertificate {
                version: Version::V3,
                serial_number: SerialNumber::new(self.serial_number)?,
                signature: identifier(algorithm)?,
                issuer: Any::from_der(self.issuer.der())?,
                validity: Validity::new(self.not_before.x509()?, self.not_after.x509()?),
                subject: Any::from_der(self.subject.der())?,
                subject_public_key_info: Any::from_der(self.public_key.spki_der())?,
                extensions: self.extensions()?,
            }
            .to_der()
        };
        encode().map_err(unencodable)
    }

    /// In Go's order, with Go's criticality (crypto/x509, `buildCertExtensions`).
    fn extensions(&self) -> der::Result<Vec<Extension>> {
        let mut extensions = purpose(self.usages, self.authority)?;
        if self.authority.is_some() {
            let own = self.renews.and_then(Certificate::subject_key_identifier).map(<[u8]>::to_vec);
            let identifier = own.unwrap_or_else(|| self.public_key.key_identifier());
            let identifier = SubjectKeyIdentifier(OctetString::new(identifier)?);
            extensions.push(extension(ID_CE_SUBJECT_KEY_IDENTIFIER, NOT_CRITICAL, identifier.to_der()?)?);
        }
        if let Some(identifier) = self.authority_key_identifier {
            let identifier = AuthorityKeyIdentifier {
                key_identifier: Some(OctetString::new(identifier)?),
                ..AuthorityKeyIdentifier::default()
            };
            extensions.push(extension(ID_CE_AUTHORITY_KEY_IDENTIFIER, NOT_CRITICAL, identifier.to_der()?)?);
        }
        extensions.extend(names(self.sans, self.subject)?);
        for extension in self.renews.into_iter().flat_map(Certificate::raw_extensions) {
            if !MADE_HERE.contains(&extension.extn_id) {
                extensions.push(extension);
            }
        }
        Ok(extensions)
    }
}

/// Usages, and whether it is an authority's.
pub(super) fn purpose(
    usages: &BTreeSet<Usage>,
    authority: Option<Option<u8>>,
) -> der::Result<Vec<Extension>> {
    let mut extensions = Vec::new();
    if let Some(value) = usage::encode_key_usage(usages)? {
        extensions.push(extension(ID_CE_KEY_USAGE, CRITICAL, value)?);
    }
    if let Some(value) = usage::encode_extended_key_usage(usages)? {
        extensions.push(extension(ID_CE_EXT_KEY_USAGE, NOT_CRITICAL, value)?);
    }
    let constraints = BasicConstraints { ca: authority.is_some(), path_len_constraint: authority.flatten() };
    extensions.push(extension(ID_CE_BASIC_CONSTRAINTS, CRITICAL, constraints.to_der()?)?);
    Ok(extensions)
}

/// The names, if there are any: critical where they stand for the subject (RFC 5280, section 4.2.1.6).
pub(super) fn names(sans: &[AlternativeName], subject: &DistinguishedName) -> der::Result<Option<Extension>> {
    let is_named = |san: &AlternativeName| !matches!(san, AlternativeName::Other(_));
    match sans.iter().any(is_named) {
        true => extension(ID_CE_SUBJECT_ALT_NAME, subject.is_empty(), san::encode(sans)?).map(Some),
        false => Ok(None),
    }
}

/// What a renewed authority does not copy.
const MADE_HERE: [ObjectIdentifier; 5] = [
    ID_CE_KEY_USAGE,
    ID_CE_EXT_KEY_USAGE,
    ID_CE_BASIC_CONSTRAINTS,
    ID_CE_SUBJECT_KEY_IDENTIFIER,
    ID_CE_AUTHORITY_KEY_IDENTIFIER,
];

/// The certificate: what was signed, and its signature.
pub(crate) fn assemble(
    to_be_signed: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
) -> Result<Certificate> {
    Certificate::from_der(&signed(to_be_signed, algorithm, signature)?)
}

/// What was signed, the algorithm and the signature: the form of certificates and of requests for them.
pub(super) fn signed(
    to_be_signed: &[u8],
    algorithm: SignatureAlgorithm,
    signature: &[u8],
) -> Result<Vec<u8>> {
    let encode = || {
        Signed {
            to_be_signed: Any::from_der(to_be_signed)?,
            signature_algorithm: identifier(algorithm)?,
            signature: BitString::from_bytes(signature)?,
        }
        .to_der()
    };
    encode().map_err(unencodable)
}

const CRITICAL: bool = true;
const NOT_CRITICAL: bool = false;

fn extension(extn_id: ObjectIdentifier, critical: bool, value: Vec<u8>) -> der::Result<Extension> {
    Ok(Extension { extn_id, critical, extn_value: OctetString::new(value)? })
}

/// Uniform in 1 to 2^63 - 1, as kubeadm makes it.
pub(crate) fn serial_number() -> Result<[u8; 8]> {
    loop {
        let number = u64::from_be_bytes(random()?) >> 1;
        if number != 0 {
            return Ok(number.to_be_bytes());
        }
    }
}

/// With RSA the parameters are NULL, with ECDSA absent (RFC 4055, section 5; RFC 5758, section 3.2).
fn identifier(algorithm: SignatureAlgorithm) -> der::Result<AlgorithmIdentifierOwned> {
    let (oid, parameters) = match algorithm {
        SignatureAlgorithm::RsaSha256 => (SHA_256_WITH_RSA_ENCRYPTION, Some(Any::from(AnyRef::NULL))),
        SignatureAlgorithm::EcdsaSha256 => (ECDSA_WITH_SHA_256, None),
        SignatureAlgorithm::EcdsaSha384 => (ECDSA_WITH_SHA_384, None),
        _ => return Err(der::ErrorKind::OidUnknown { oid: SHA_256_WITH_RSA_ENCRYPTION }.into()),
    };
    Ok(AlgorithmIdentifierOwned { oid, parameters })
}

pub(super) fn unencodable(error: der::Error) -> Error {
    Error::new(Code::Invalid, "what can be written as DER").found(error.to_string())
}
