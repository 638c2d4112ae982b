//! [`DistinguishedName`]: who a certificate is about, or who issued it.

use std::fmt;

use const_oid::ObjectIdentifier;
use const_oid::db::rfc4519::{C, CN, L, O, OU, POSTAL_CODE, SERIAL_NUMBER, ST, STREET};
use der::asn1::Any;
use der::{AnyRef, Decode, Encode, Reader, SliceReader, Tag, Tagged};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};

use crate::error::{Code, Error, Result};
use crate::text::is_printable;

/// A subject or issuer. Two are equal when their DER is: so do Go and every Kubernetes component compare them.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DistinguishedName {
    der: Vec<u8>,
    /// In the order of the DER, also within a SET: of several common names the last one counts.
    attributes: Vec<(ObjectIdentifier, String)>,
    is_text: bool,
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

    /// This name as Go writes what it read (crypto/x509/pkix, `FillFromRDNSequence` and `ToRDNSequence`): the attributes
    /// that it knows, all values of one in one relative distinguished name, of common names and serial numbers the last.
    pub(crate) fn as_go_writes_it(&self) -> Result<Self> {
        let encode = || {
            let mut names = Vec::new();
            for oid in [C, ST, L, STREET, POSTAL_CODE, O, OU, CN, SERIAL_NUMBER] {
                let mut values: Vec<_> = self.values(oid).collect();
                if [CN, SERIAL_NUMBER].contains(&oid) {
                    values = values.last().filter(|value| !value.is_empty()).copied().into_iter().collect();
                }
                if !values.is_empty() {
                    let attribute = |value| AttributeTypeAndValue { oid, value: text(value)? }.to_der();
                    let mut set = values.into_iter().map(attribute).collect::<der::Result<Vec<_>>>()?;
                    set.sort();
                    names.extend(Any::new(Tag::Set, set.concat())?.to_der()?);
                }
            }
            Self::from_der(&Any::new(Tag::Sequence, names)?.to_der()?)
        };
        encode().map_err(|error| {
            Error::new(Code::Invalid, "a subject that can be written as DER")
                .found(error.to_string())
                .field("subject")
        })
    }

    /// Whether it says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// What attributes it has besides common names and organizations.
    pub(crate) fn other_attributes(&self) -> impl Iterator<Item = String> {
        let others = self.attributes.iter().filter(|(oid, _)| ![CN, O].contains(oid));
        others.map(|(oid, _)| short_name(*oid).map_or_else(|| oid.to_string(), str::to_owned))
    }

    pub(super) fn from_der(der: &[u8]) -> der::Result<Self> {
        let (mut attributes, mut is_text) = (Vec::new(), true);
        let names = AnyRef::from_der(der)?;
        names.tag().assert_eq(Tag::Sequence)?;
        let mut names = SliceReader::new(names.value())?;
        while !names.is_finished() {
            let set = AnyRef::decode(&mut names)?;
            set.tag().assert_eq(Tag::Set)?;
            let mut set = SliceReader::new(set.value())?;
            while !set.is_finished() {
                let attribute = AttributeTypeAndValue::decode(&mut set)?;
                if !is_read_by_go(attribute.oid) {
                    return Err(der::ErrorKind::OidMalformed.into());
                }
                let text = read(AnyRef::from(&attribute.value));
                is_text &= text.is_some();
                attributes.push((attribute.oid, text.unwrap_or_else(|| hex(attribute.value.value()))));
            }
        }
        Ok(Self { der: der.to_vec(), attributes, is_text })
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

    /// All common names: what a policy looks at.
    pub(crate) fn common_names(&self) -> impl Iterator<Item = &str> {
        self.values(CN)
    }

    /// The organizations (O), in the order of the DER: to Kubernetes the groups of a client certificate.
    pub fn organizations(&self) -> impl Iterator<Item = &str> {
        self.values(O)
    }

    /// The organizational units (OU): Kubernetes ignores them.
    pub fn organizational_units(&self) -> impl Iterator<Item = &str> {
        self.values(OU)
    }

    /// Whether both say the same, in whatever order and encoding.
    pub(crate) fn says_the_same_as(&self, other: &Self) -> bool {
        let sorted = |name: &Self| {
            let mut attributes = name.attributes.clone();
            attributes.sort();
            attributes
        };
        sorted(self) == sorted(other)
    }

    /// Whether Go reads every value as text; it refuses certificates with any other.
    pub(crate) fn is_text(&self) -> bool {
        self.is_text
    }

    pub(crate) fn values(&self, wanted: ObjectIdentifier) -> impl Iterator<Item = &str> {
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
            match value.chars().any(|c| !is_printable(c) || matches!(c, ',' | '+' | '=' | '"' | '\\')) {
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

/// Go's numbers within an object identifier have 31 bits, and no zeros in front (encoding/asn1, `parseBase128Int`).
pub(super) fn is_read_by_go(oid: ObjectIdentifier) -> bool {
    let is_minimal = ObjectIdentifier::from_arcs(oid.arcs()).is_ok_and(|minimal| minimal == oid);
    is_minimal && oid.arcs().all(|arc| i32::try_from(arc).is_ok())
}

/// PrintableString or UTF8String, as Go chooses (encoding/asn1, `isPrintable` without `*` and `&`).
fn text(value: &str) -> der::Result<Any> {
    let printable = |b: u8| b.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&b);
    match value.bytes().all(printable) {
        true => Any::new(Tag::PrintableString, value.as_bytes()),
        false => Any::new(Tag::Utf8String, value.as_bytes()),
    }
}

/// An attribute's value as Go reads it (crypto/x509, parser.go, `parseASN1String`).
fn read(value: AnyRef<'_>) -> Option<String> {
    let bytes = value.value();
    let all = |known: fn(u8) -> bool| bytes.iter().all(|byte| known(*byte));
    let ok = match value.tag() {
        Tag::Utf8String => true,
        Tag::PrintableString => all(|b| b.is_ascii_alphanumeric() || b" '()+,-./:=?*&".contains(&b)),
        Tag::Ia5String => bytes.is_ascii(),
        Tag::NumericString => all(|b| b.is_ascii_digit() || b == b' '),
        // Taken for Latin-1, whose characters are the first ones of Unicode.
        Tag::TeletexString => return Some(bytes.iter().copied().map(char::from).collect()),
        Tag::BmpString => return ucs2(bytes),
        _ => false,
    };
    str::from_utf8(bytes).ok().filter(|_| ok).map(str::to_owned)
}

/// Pairs of bytes, each a character: no surrogates and no noncharacters; a NUL at the end does not count.
fn ucs2(bytes: &[u8]) -> Option<String> {
    let (pairs, []) = bytes.as_chunks::<2>() else { return None };
    let pairs = pairs.strip_suffix(&[[0, 0]]).unwrap_or(pairs);
    let characters = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).map(|unit| match unit {
        0xfdd0..=0xfdef | 0xfffe.. => None,
        unit => char::from_u32(unit.into()),
    });
    characters.collect()
}

/// What is no text: `#` and hexadecimal digits (RFC 4514, section 2.4).
fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("#{digits}")
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
    fn text_that_is_special_in_a_name_or_does_not_show_as_itself_is_quoted() {
        for (value, shown) in [
            ("ü a", "CN=ü a"),
            ("a, O=system:masters", "CN=\"a, O=system:masters\""),
            ("a\n\u{1b}[2J", "CN=\"a\\n\\u{1b}[2J\""),
            ("\u{202e}a\u{9b}", "CN=\"\\u{202e}a\\u{9b}\""),
        ] {
            assert_eq!(DistinguishedName::new(value, &[]).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn text_that_looks_like_a_name_stays_one_value() {
        for value in ["CN=a/O=system:masters", "a,O=b", "a+O=b", "ü", "a*b@c&d", "#00"] {
            let name = DistinguishedName::new(value, &[value.to_owned()]).unwrap();
            assert_eq!(name.common_name(), Some(value));
            assert_eq!(name.organizations().collect::<Vec<_>>(), [value]);
        }
    }

    #[test]
    fn values_are_read_or_refused_as_go_does() {
        for (tag, bytes, expected) in [
            (0x0c, &b"j\xc3\xbcrg"[..], Some("jürg")),
            (0x0c, b"j\xfcrg", None),
            (0x13, b"*.a&b", Some("*.a&b")),
            (0x13, b"a@b", None),
            (0x16, b"a@b", Some("a@b")),
            (0x16, b"\xfc", None),
            (0x12, b"12 3", Some("12 3")),
            (0x12, b"12a", None),
            (0x14, b"j\xfcrg", Some("jürg")),
            (0x1e, b"\0j\0\xfc\x20\xac\0\0", Some("jü€")),
            (0x1e, b"\0j\0", None),
            (0x1e, b"\xd8\x3d\xde\0", None),
            (0x1e, b"\xff\xff", None),
            (0x04, b"jane", None),
        ] {
            let length = u8::try_from(bytes.len()).unwrap();
            let der = [&[tag, length], bytes].concat();
            let found = read(AnyRef::from_der(&der).unwrap());
            assert_eq!(found.as_deref(), expected, "{tag:#x} {bytes:?}");
        }
    }
}
