//! [`DistinguishedName`]: who a certificate is about, or who issued it.

use std::fmt;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc4519::{C, CN, L, O, OU, SERIAL_NUMBER, ST, STREET};
use der::asn1::{Any, Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use der::{Decode, Encode, Tag, Tagged};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};

use crate::error::{Code, Error, Result};

/// A subject or issuer. Two are equal when their DER is: so do Go and every Kubernetes component compare them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DistinguishedName {
    der: Vec<u8>,
    attributes: Vec<(ObjectIdentifier, String)>,
}

impl DistinguishedName {
    /// A name as Go's `pkix.Name` encodes it: all organizations in one relative distinguished name, then the common
    /// name; PrintableString where the characters allow it, UTF8String elsewhere.
    pub(crate) fn new(common_name: &str, organizations: &[String]) -> Result<Self> {
        let unencodable = |error: der::Error| {
            Error::new(Code::Invalid, "a subject that can be written as DER")
                .found(error.to_string())
                .field("subject")
        };
        let mut names = RdnSequence::default();
        let rdn = |oid, values: &[String]| {
            let attributes =
                values.iter().map(|value| Ok(AttributeTypeAndValue { oid, value: text(value)? }));
            RelativeDistinguishedName::try_from(attributes.collect::<der::Result<Vec<_>>>()?)
        };
        if !organizations.is_empty() {
            names.push(rdn(O, organizations).map_err(unencodable)?);
        }
        names.push(rdn(CN, &[common_name.to_owned()]).map_err(unencodable)?);
        let der = Name::hazmat_from_rdn_sequence(names).to_der().map_err(unencodable)?;
        Self::from_der(&der).map_err(unencodable)
    }

    pub(super) fn from_der(der: &[u8]) -> der::Result<Self> {
        let name = Name::from_der(der)?;
        let attributes = name.iter().map(|attribute| (attribute.oid, read(&attribute.value))).collect();
        Ok(Self { der: der.to_vec(), attributes })
    }

    /// The name in DER, as it was received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The last common name (CN): to Kubernetes the user of a client certificate.
    #[must_use]
    pub fn common_name(&self) -> Option<&str> {
        self.values(CN).last()
    }

    /// The organizations (O), in the order of the DER: to Kubernetes the groups of a client certificate.
    pub fn organizations(&self) -> impl Iterator<Item = &str> {
        self.values(O)
    }

    /// The organizational units (OU): Kubernetes ignores them.
    pub fn organizational_units(&self) -> impl Iterator<Item = &str> {
        self.values(OU)
    }

    fn values(&self, wanted: ObjectIdentifier) -> impl Iterator<Item = &str> {
        self.attributes.iter().filter(move |(oid, _)| *oid == wanted).map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for DistinguishedName {
    /// `O=system:nodes, CN=system:node:n1`, in the order of the DER; values with a special character are quoted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.attributes.is_empty() {
            return f.write_str("(empty)");
        }
        for (index, (oid, value)) in self.attributes.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            match short_name(*oid) {
                Some(short) => write!(f, "{separator}{short}=")?,
                None => write!(f, "{separator}{oid}=")?,
            }
            match value.chars().any(|c| c.is_control() || matches!(c, ',' | '+' | '=' | '"' | '\\')) {
                true => write!(f, "{value:?}")?,
                false => f.write_str(value)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinguishedName({self})")
    }
}

fn short_name(oid: ObjectIdentifier) -> Option<&'static str> {
    [
        (C, "C"),
        (ST, "ST"),
        (L, "L"),
        (STREET, "STREET"),
        (O, "O"),
        (OU, "OU"),
        (CN, "CN"),
        (SERIAL_NUMBER, "SERIALNUMBER"),
    ]
    .into_iter()
    .find_map(|(known, short)| (known == oid).then_some(short))
}

/// PrintableString or UTF8String, as Go chooses (encoding/asn1, `isPrintable` without `*` and `&`).
fn text(value: &str) -> der::Result<Any> {
    let printable = |b: u8| b.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&b);
    match value.bytes().all(printable) {
        true => Any::new(Tag::PrintableString, value.as_bytes()),
        false => Any::new(Tag::Utf8String, value.as_bytes()),
    }
}

/// The text of an attribute; what is no text comes out as `#` and hexadecimal digits (RFC 4514, section 2.4).
fn read(value: &Any) -> String {
    let text = match value.tag() {
        Tag::Utf8String => value.decode_as::<Utf8StringRef<'_>>().ok().map(|text| text.as_str().to_owned()),
        Tag::PrintableString => {
            value.decode_as::<PrintableStringRef<'_>>().ok().map(|text| text.as_str().to_owned())
        }
        Tag::Ia5String => value.decode_as::<Ia5StringRef<'_>>().ok().map(|text| text.as_str().to_owned()),
        Tag::TeletexString => {
            value.decode_as::<TeletexStringRef<'_>>().ok().map(|text| text.as_str().to_owned())
        }
        _ => None,
    };
    text.unwrap_or_else(|| {
        let hex: String = value.value().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("#{hex}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_organizations_stand_in_one_rdn_in_der_order_before_the_common_name() {
        let name = DistinguishedName::new("a+b", &["system:masters".to_owned(), "b_2".to_owned()]).unwrap();
        assert_eq!(name.to_string(), "O=b_2, O=system:masters, CN=\"a+b\"");
        assert_eq!(name.common_name(), Some("a+b"));
        let der = name.der();
        // SEQUENCE { SET { b_2 as UTF8String, system:masters as PrintableString }, SET { a+b as PrintableString } }
        assert_eq!(der[2], 0x31);
        assert_eq!(der[11..13], [0x0c, 3]);
        assert_eq!(der[23..25], [0x13, 14]);
        assert_eq!(der[der.len() - 5..der.len() - 3], [0x13, 3]);
    }

    #[test]
    fn text_that_looks_like_a_name_stays_one_value() {
        for value in ["CN=a/O=system:masters", "a,O=b", "a+O=b", "ü", "a*b@c&d", "#00"] {
            let name = DistinguishedName::new(value, &[value.to_owned()]).unwrap();
            assert_eq!(name.common_name(), Some(value));
            assert_eq!(name.organizations().collect::<Vec<_>>(), [value]);
        }
    }
}
