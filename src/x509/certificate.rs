//! [`Certificate`]: read once, its bytes kept.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use const_oid::{AssociatedOid, ObjectIdentifier};
use der::asn1::BitStringRef;
use der::{AnyRef, Decode, Encode, Reader, Sequence, SliceReader, Tag};
use sha2::{Digest, Sha256};
use x509_cert::certificate::{Raw, TbsCertificateInner, Version};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, NameConstraints,
    SubjectKeyIdentifier,
};
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::{AlternativeName, DistinguishedName, Usage, san, usage};
use crate::error::{Code, Error, Result};
use crate::key::{PublicKey, SignatureAlgorithm};
use crate::pem;
use crate::time::Time;

/// A certificate as it was received. Copies are cheap.
#[derive(Clone)]
pub struct Certificate(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    to_be_signed: Vec<u8>,
    signature_algorithm: ObjectIdentifier,
    signature: Vec<u8>,
    serial_number: Vec<u8>,
    issuer: DistinguishedName,
    subject: DistinguishedName,
    not_before: Time,
    not_after: Time,
    public_key: PublicKey,
    /// Identifier and criticality, in the order of the certificate.
    extensions: Vec<(ObjectIdentifier, bool)>,
    usages: BTreeSet<Usage>,
    basic_constraints: Option<BasicConstraints>,
    subject_key_identifier: Option<Vec<u8>>,
    authority_key_identifier: Option<Vec<u8>>,
    sans: Vec<AlternativeName>,
}

/// The outermost structure, its first part untouched: signatures are checked over what was received.
#[derive(Sequence)]
struct Signed<'a> {
    to_be_signed: AnyRef<'a>,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: BitStringRef<'a>,
}

/// The same for the TBSCertificate, as far as its bytes must be kept: decoding a name sorts what may be unsorted.
#[derive(Sequence)]
struct Received<'a> {
    #[asn1(context_specific = "0", default = "Default::default")]
    _version: Version,
    _serial_number: AnyRef<'a>,
    signature: AlgorithmIdentifierOwned,
    issuer: AnyRef<'a>,
    _validity: AnyRef<'a>,
    subject: AnyRef<'a>,
    subject_public_key_info: AnyRef<'a>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    _issuer_unique_id: Option<BitStringRef<'a>>,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", optional = "true")]
    _subject_unique_id: Option<BitStringRef<'a>>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    _extensions: Option<AnyRef<'a>>,
}

/// Signature algorithms on MD2, MD5 and SHA-1.
const WEAK_SIGNATURES: [(&str, &str); 6] = [
    ("1.2.840.113549.1.1.2", "MD2 and RSA"),
    ("1.2.840.113549.1.1.4", "MD5 and RSA"),
    ("1.2.840.113549.1.1.5", "SHA-1 and RSA"),
    ("1.3.14.3.2.29", "SHA-1 and RSA"),
    ("1.2.840.10045.4.1", "SHA-1 and ECDSA"),
    ("1.2.840.10040.4.3", "SHA-1 and DSA"),
];

/// The last number of extensions below 2.5.29 that Go handles.
const GO_KNOWS: [&str; 11] = ["14", "15", "17", "19", "30", "31", "32", "33", "35", "36", "37"];

impl Certificate {
    /// Reads every `CERTIFICATE` block of `pem`, in order. Other blocks are skipped, and so are blocks with headers, as
    /// Kubernetes does (k8s.io/client-go, util/cert, `ParseCertsPEM`).
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] when there is no certificate, or when one cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Vec<Self>> {
        let blocks = pem::blocks(pem)?;
        let certificates = blocks.iter().filter(|block| block.label == "CERTIFICATE" && !block.has_headers);
        let certificates =
            certificates.map(|block| Self::from_der(&block.der)).collect::<Result<Vec<_>>>()?;
        match certificates.is_empty() {
            true => {
                Err(Error::new(Code::Malformed, "a PEM block CERTIFICATE").found(pem::describe(&blocks, pem)))
            }
            false => Ok(certificates),
        }
    }

    /// Reads a certificate in DER.
    ///
    /// What real clusters hold is accepted: serial number 0, no extensions, an empty subject.
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] when it is none.
    pub fn from_der(der: &[u8]) -> Result<Self> {
        let inner = decode(der).map_err(|error| {
            Error::new(Code::Malformed, "a certificate (X.509 in DER)").found(error.to_string())
        })?;
        Ok(Self(Arc::new(inner)))
    }

    /// The certificate in DER, as it was received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// The certificate as a PEM block `CERTIFICATE`.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.0.der).to_string()
    }

    /// The serial number: big-endian, without leading zeros.
    #[must_use]
    pub fn serial_number(&self) -> &[u8] {
        &self.0.serial_number
    }

    /// Who issued this certificate.
    #[must_use]
    pub fn issuer(&self) -> &DistinguishedName {
        &self.0.issuer
    }

    /// Who this certificate is about.
    #[must_use]
    pub fn subject(&self) -> &DistinguishedName {
        &self.0.subject
    }

    /// The first second of validity.
    #[must_use]
    pub fn not_before(&self) -> Time {
        self.0.not_before
    }

    /// The last second of validity.
    #[must_use]
    pub fn not_after(&self) -> Time {
        self.0.not_after
    }

    /// Whether a moment is within the validity.
    pub(crate) fn is_valid_at(&self, moment: Time) -> bool {
        self.not_before() <= moment && moment <= self.not_after()
    }

    /// The certified public key.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    /// Key usages and extended key usages. Extended ones that Kubernetes has no name for are left out.
    #[must_use]
    pub fn usages(&self) -> &BTreeSet<Usage> {
        &self.0.usages
    }

    /// The subject alternative names, in their order.
    #[must_use]
    pub fn sans(&self) -> &[AlternativeName] {
        &self.0.sans
    }

    /// Whether the basic constraints say that this is an authority.
    #[must_use]
    pub fn is_authority(&self) -> bool {
        self.0.basic_constraints.as_ref().is_some_and(|constraints| constraints.ca)
    }

    /// Whether it does not say if it is an authority's, as certificates before version 3 cannot.
    pub(crate) fn is_silent_about_authority(&self) -> bool {
        self.0.basic_constraints.is_none()
    }

    /// Whether it may sign certificates: an authority whose key usages, if it has that extension, say so (RFC 5280,
    /// section 4.2.1.3).
    pub(crate) fn may_sign_certificates(&self) -> bool {
        self.is_authority() && (!self.limits_key_usages() || self.usages().contains(&Usage::CertSign))
    }

    /// Whether the key usages are limited at all.
    pub(crate) fn limits_key_usages(&self) -> bool {
        self.0.extensions.iter().any(|(oid, _)| *oid == KeyUsage::OID)
    }

    /// Whether it may be used for anything, since its extended usages are not limited.
    pub(crate) fn is_unlimited(&self) -> bool {
        !self.0.extensions.iter().any(|(oid, _)| *oid == ExtendedKeyUsage::OID)
    }

    /// Whether it limits the names of what is signed below it (RFC 5280, section 4.2.1.10).
    pub(crate) fn has_name_constraints(&self) -> bool {
        self.0.extensions.iter().any(|(oid, _)| *oid == NameConstraints::OID)
    }

    /// The name of the signature's algorithm, if components refuse it (Go, crypto/x509, `InsecureAlgorithmError`).
    pub(crate) fn weak_signature_algorithm(&self) -> Option<&'static str> {
        let oid = self.0.signature_algorithm.to_string();
        WEAK_SIGNATURES.iter().find(|(weak, _)| *weak == oid).map(|(_, name)| *name)
    }

    /// Critical extensions that Go does not know: it refuses such a certificate (crypto/x509, `parseCertificate`).
    pub(crate) fn unknown_critical_extensions(&self) -> Vec<String> {
        let is_known = |oid: &str| oid.strip_prefix("2.5.29.").is_some_and(|last| GO_KNOWS.contains(&last));
        self.extensions().filter(|(oid, critical)| *critical && !is_known(oid)).map(|(oid, _)| oid).collect()
    }

    /// Whether the certificates below this authority may have an extended usage: it lists that or any, or none at all.
    pub(crate) fn allows(&self, usage: Usage) -> bool {
        self.is_unlimited() || self.usages().contains(&Usage::Any) || self.usages().contains(&usage)
    }

    /// How many authorities may stand between this one and a leaf; `None` when that is not limited.
    #[must_use]
    pub fn path_length(&self) -> Option<u8> {
        self.0.basic_constraints.as_ref()?.path_len_constraint
    }

    /// The subject key identifier.
    #[must_use]
    pub fn subject_key_identifier(&self) -> Option<&[u8]> {
        self.0.subject_key_identifier.as_deref()
    }

    /// The key identifier of the authority key identifier.
    #[must_use]
    pub fn authority_key_identifier(&self) -> Option<&[u8]> {
        self.0.authority_key_identifier.as_deref()
    }

    /// The extensions, in their order: object identifier in dotted form, and whether it is critical.
    pub fn extensions(&self) -> impl Iterator<Item = (String, bool)> {
        self.0.extensions.iter().map(|(oid, critical)| (oid.to_string(), *critical))
    }

    /// The extensions with their values, as they were received.
    pub(super) fn raw_extensions(&self) -> Vec<Extension> {
        let tbs = TbsCertificateInner::<Raw>::from_der(&self.0.to_be_signed);
        tbs.ok().and_then(|tbs| tbs.extensions().cloned()).unwrap_or_default()
    }

    /// The SHA-256 of the DER: what tools show as the fingerprint.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(&self.0.der).into()
    }

    /// Whether the certificate's own key signed it: a root. An authority below one of the same name is none.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        match self.check_issued_by(self) {
            Ok(()) => true,
            // A root may have signed itself with what does not matter in a root.
            Err(error) => error.code() == Code::Unsupported,
        }
    }

    /// Whether `authority` is what this certificate names as its issuer, by name and key identifier. The signature is not
    /// looked at.
    pub(crate) fn names_as_issuer(&self, authority: &Self) -> bool {
        let identifiers = (self.authority_key_identifier(), authority.subject_key_identifier());
        self.issuer() == authority.subject()
            && !matches!(identifiers, (Some(named), Some(identifier)) if named != identifier)
    }

    /// Whether `authority` may have issued this certificate. A signature that cannot be verified here counts as one.
    pub(crate) fn stands_below(&self, authority: &Self) -> bool {
        self.names_as_issuer(authority) && !self.is_self_signed()
    }

    pub(crate) fn has_key_of(&self, other: &Self) -> bool {
        self.public_key() == other.public_key()
    }

    /// Checks that `authority` issued this certificate: names, key identifiers and the signature over the bytes that
    /// were received. Not checked are validity and whether it may issue: [`Issuer`](crate::Issuer) does.
    ///
    /// # Errors
    ///
    /// [`Code::WrongIssuer`] when it is another authority's, [`Code::BadSignature`] when only the signature is wrong,
    /// [`Code::Unsupported`] for a signature algorithm such as SHA-1.
    pub fn check_issued_by(&self, authority: &Self) -> Result<()> {
        if self.issuer() != authority.subject() {
            return Err(Error::new(
                Code::WrongIssuer,
                format!("a certificate issued by {}", authority.subject()),
            )
            .found(format!("one issued by {}", self.issuer())));
        }
        if !self.names_as_issuer(authority) {
            return Err(Error::new(
                Code::WrongIssuer,
                format!("a certificate issued by this {}", authority.subject()),
            )
            .found("one issued by another authority of the same name"));
        }
        self.check_signed_by(authority)
    }

    /// The signature alone: no name and no key identifier is looked at.
    pub(crate) fn check_signed_by(&self, authority: &Self) -> Result<()> {
        let algorithm = SignatureAlgorithm::from_oid(self.0.signature_algorithm).ok_or_else(|| {
            Error::new(Code::Unsupported, "a signature by RSA or ECDSA with SHA-256 or stronger")
                .found(format!("the algorithm {}", self.0.signature_algorithm))
        })?;
        if !authority.public_key().can_verify() {
            return Err(Error::new(
                Code::Unsupported,
                "a signature by a key of RSA, ECDSA P-256 or ECDSA P-384",
            )
            .found(format!("one by a key of {}", authority.public_key())));
        }
        match authority.public_key().verify(algorithm, &self.0.to_be_signed, &self.0.signature) {
            true => Ok(()),
            false => Err(Error::new(Code::BadSignature, format!("a signature by {}", authority.subject()))
                .found("one that does not verify")),
        }
    }
}

/// The same bytes.
impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der() == other.der()
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, until {})", self.subject(), self.not_after())
    }
}

fn decode(der: &[u8]) -> der::Result<Inner> {
    let mut reader = SliceReader::new(der)?;
    let signed = Signed::decode(&mut reader)?;
    reader.finish()?;
    let to_be_signed = signed.to_be_signed.to_der()?;
    let tbs = TbsCertificateInner::<Raw>::from_der(&to_be_signed)?;
    let received = Received::from_der(&to_be_signed)?;
    if received.signature != signed.signature_algorithm {
        // RFC 5280, section 4.1.1.2; Go refuses it as well.
        return Err(Tag::ObjectIdentifier.value_error().into());
    }
    let key_usages = extension::<KeyUsage>(&tbs)?.into_iter().flat_map(usage::decode_key_usage);
    let extended = extension(&tbs)?;
    let extended = extended.iter().flat_map(usage::decode_extended_key_usage);
    let authority_key_identifier: Option<AuthorityKeyIdentifier> = extension(&tbs)?;
    Ok(Inner {
        der: der.to_vec(),
        signature_algorithm: signed.signature_algorithm.oid,
        signature: signed.signature.as_bytes().ok_or(Tag::BitString.value_error())?.to_vec(),
        serial_number: tbs.serial_number().as_bytes().to_vec(),
        issuer: DistinguishedName::from_der(&received.issuer.to_der()?)?,
        subject: DistinguishedName::from_der(&received.subject.to_der()?)?,
        not_before: Time::from_date_time(tbs.validity().not_before.to_date_time()),
        not_after: Time::from_date_time(tbs.validity().not_after.to_date_time()),
        public_key: PublicKey::decode(&received.subject_public_key_info.to_der()?)?,
        extensions: tbs.extensions().into_iter().flatten().map(|e| (e.extn_id, e.critical)).collect(),
        usages: key_usages.chain(extended).collect(),
        basic_constraints: extension(&tbs)?,
        subject_key_identifier: extension::<SubjectKeyIdentifier>(&tbs)?.map(|id| id.0.into_bytes().into()),
        authority_key_identifier: authority_key_identifier
            .and_then(|id| id.key_identifier)
            .map(|id| id.into_bytes().into()),
        sans: extension(&tbs)?.map(san::decode).unwrap_or_default(),
        to_be_signed,
    })
}

/// The one extension of its type. More than one are refused (RFC 5280, section 4.2): which one counts would depend on
/// the reader.
fn extension<T>(tbs: &TbsCertificateInner<Raw>) -> der::Result<Option<T>>
where
    T: for<'a> Decode<'a, Error = der::Error> + AssociatedOid,
{
    let mut found = tbs.extensions().into_iter().flatten().filter(|extension| extension.extn_id == T::OID);
    let value = found.next().map(|extension| T::from_der(extension.extn_value.as_bytes())).transpose()?;
    match found.next() {
        Some(_) => Err(Tag::Sequence.value_error().into()),
        None => Ok(value),
    }
}
