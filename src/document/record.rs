//! The schema of a document as types: [`record!`](record) makes one of a mapping, and [`Field`] says how each type of its
//! fields is read and written.

use std::collections::BTreeMap;
use std::fmt;

use base64ct::{Base64, Encoding};
use zeroize::{Zeroize, Zeroizing};

use super::{Value, read as read_document, write as write_document};
use crate::error::{Code, Error, Result};

/// A mapping of a schema: its fields, and in `other` those that the schema does not have.
macro_rules! record {
    ($(#[$doc:meta])* $vis:vis $name:ident { $($(#[$field_doc:meta])* $key:literal $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        #[non_exhaustive]
        $vis struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// All other fields, as they were read.
            pub other: $crate::document::Fields,
        }

        impl $crate::document::Field for $name {
            fn read(value: $crate::document::Value, path: &str) -> $crate::error::Result<Self> {
                use $crate::document::record;
                let mut record = Self::default();
                for (key, value) in record::entries(value, path)? {
                    match key.as_str() {
                        $($key => record.$field = record::read(value, &record::inside(path, $key))?,)*
                        _ => record.other.insert(key, value),
                    }
                }
                Ok(record)
            }

            fn write(&self) -> Option<$crate::document::Value> {
                let mut fields = self.other.to_entries();
                $(fields.extend(self.$field.write().map(|value| ($key.to_owned(), value)));)*
                Some($crate::document::record::sorted(fields))
            }
        }
    };
}
pub(crate) use record;

/// The type of a field. What the document leaves out or sets to `null` is the default.
pub(crate) trait Field: Default {
    /// `path` is the field's place in the document, for errors: `users[0].user`.
    fn read(value: Value, path: &str) -> Result<Self>;

    /// `None` if the field is to be left out.
    fn write(&self) -> Option<Value>;
}

pub(crate) fn read<T: Field>(value: Value, path: &str) -> Result<T> {
    if value == Value::Null { Ok(T::default()) } else { T::read(value, path) }
}

/// The path of a field.
pub(crate) fn inside(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Reads a document of this type, which need not say so: its record. `name` is the document's, for errors.
pub(crate) fn from_document<T: Field>(
    document: &[u8],
    longest: usize,
    name: &str,
    expected: [(&'static str, &str); 2],
) -> Result<T> {
    let mut fields = entries(read_document(document, longest)?, name)?;
    strip_type(&mut fields, expected)?;
    T::read(Value::Map(fields), "")
}

/// Takes `apiVersion` and `kind` away, if they are there. Go takes an empty text for a missing one.
fn strip_type(fields: &mut Vec<(String, Value)>, expected: [(&'static str, &str); 2]) -> Result<()> {
    for (key, expected) in expected {
        if let Some(position) = fields.iter().position(|(name, _)| name == key) {
            let found: Option<String> = read(fields.remove(position).1, key)?;
            if let Some(found) = found.filter(|found| !found.is_empty() && found != expected) {
                return Err(Error::new(Code::Unsupported, expected).found_text(&found).field(key));
            }
        }
    }
    Ok(())
}

/// A document: its type, and the fields of its record.
pub(crate) fn with_type(expected: [(&str, &str); 2], record: &impl Field) -> Value {
    let mut fields = expected.map(|(key, value)| (key.to_owned(), value.into())).to_vec();
    if let Some(Value::Map(rest)) = record.write() {
        fields.extend(rest);
    }
    sorted(fields)
}

/// A mapping in alphabetical order, as Go writes it.
pub(crate) fn sorted(mut fields: Vec<(String, Value)>) -> Value {
    fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    Value::Map(fields)
}

/// Fields that this library knows nothing about.
///
/// Their values may be secrets: they are zeroized on drop, and `Debug` shows the names only.
#[derive(Clone, Default, PartialEq)]
pub struct Fields(Vec<(String, Value)>);

impl Fields {
    /// The names of the fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Adds a field in its alphabetical place, where it stands among the known ones when they are written.
    pub(crate) fn insert(&mut self, name: String, value: Value) {
        let place = self.0.partition_point(|(other, _)| *other < name);
        self.0.insert(place, (name, value));
    }

    pub(crate) fn to_entries(&self) -> Vec<(String, Value)> {
        self.0.clone()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl Field for Fields {
    fn read(value: Value, path: &str) -> Result<Self> {
        entries(value, path).map(Self)
    }

    fn write(&self) -> Option<Value> {
        Some(Value::Map(self.0.clone()))
    }
}

/// Any data, as YAML or JSON holds it.
///
/// It may be a secret: it is zeroized on drop, and `Debug` does not show it.
#[derive(Clone, PartialEq)]
pub struct Extension(Value);

impl Extension {
    /// Reads data from YAML or JSON, in UTF-8, of at most 1 MiB.
    ///
    /// # Errors
    ///
    /// [`Code::Malformed`] when it is neither.
    pub fn from_yaml(document: &[u8]) -> Result<Self> {
        const LONGEST: usize = 1 << 20;
        read_document(document, LONGEST).map(Self)
    }

    /// The data as YAML.
    #[must_use]
    pub fn to_yaml(&self) -> Zeroizing<String> {
        write_document(&self.0)
    }
}

impl Default for Extension {
    fn default() -> Self {
        Self(Value::Null)
    }
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extension({})", self.0.kind())
    }
}

impl Field for Extension {
    fn read(value: Value, _path: &str) -> Result<Self> {
        Ok(Self(value))
    }

    fn write(&self) -> Option<Value> {
        Some(self.0.clone())
    }
}

impl Field for bool {
    fn read(value: Value, path: &str) -> Result<Self> {
        match value {
            Value::Bool(value) => Ok(value),
            other => Err(mismatch("true or false", &other, path)),
        }
    }

    fn write(&self) -> Option<Value> {
        self.then_some(Value::Bool(true))
    }
}

impl Field for i32 {
    fn read(value: Value, path: &str) -> Result<Self> {
        match value {
            Value::Integer(number) => Self::try_from(number).map_err(|_| {
                Error::new(Code::Invalid, "a number of 32 bits")
                    .found(number.to_string())
                    .field(path.to_owned())
            }),
            Value::Float(number) => Err(Error::new(Code::Malformed, "a whole number")
                .found(number.to_string())
                .field(path.to_owned())),
            other => Err(mismatch("a number", &other, path)),
        }
    }

    fn write(&self) -> Option<Value> {
        Some(Value::Integer((*self).into()))
    }
}

impl Field for String {
    fn read(value: Value, path: &str) -> Result<Self> {
        match value {
            Value::Text(mut text) => Ok(std::mem::take(&mut *text)),
            other => Err(mismatch("text (in quotes, where it looks like something else)", &other, path)),
        }
    }

    fn write(&self) -> Option<Value> {
        Some(self.as_str().into())
    }
}

/// Bytes, which documents hold in base64 (RFC 4648, section 4), with or without line breaks.
impl Field for Vec<u8> {
    fn read(value: Value, path: &str) -> Result<Self> {
        let text = Zeroizing::new(String::read(value, path)?);
        let mut line = Zeroizing::new(String::with_capacity(text.len()));
        line.extend(text.chars().filter(|c| !matches!(c, '\r' | '\n')));
        let mut bytes = Zeroizing::new(vec![0; line.len()]);
        let length = match Base64::decode(&*line, &mut bytes) {
            Ok(decoded) => decoded.len(),
            Err(_) => {
                let error = Error::new(Code::Malformed, "standard base64 with padding (RFC 4648, section 4)");
                return Err(error.found("something else").field(path.to_owned()));
            }
        };
        bytes.truncate(length);
        Ok(std::mem::take(&mut *bytes))
    }

    fn write(&self) -> Option<Value> {
        Some(Value::Text(Zeroizing::new(Base64::encode_string(self))))
    }
}

impl<T: Field> Field for Option<T> {
    fn read(value: Value, path: &str) -> Result<Self> {
        T::read(value, path).map(Some)
    }

    fn write(&self) -> Option<Value> {
        self.as_ref().and_then(T::write)
    }
}

impl<T: Field + Zeroize> Field for Zeroizing<T> {
    fn read(value: Value, path: &str) -> Result<Self> {
        T::read(value, path).map(Self::new)
    }

    fn write(&self) -> Option<Value> {
        T::write(self)
    }
}

impl<T: Field> Field for Vec<T> {
    fn read(value: Value, path: &str) -> Result<Self> {
        let Value::List(items) = value else {
            return Err(mismatch("a list", &value, path));
        };
        let items = items.into_iter().enumerate();
        items.map(|(position, item)| read(item, &format!("{path}[{position}]"))).collect()
    }

    fn write(&self) -> Option<Value> {
        let items = self.iter().map(|item| item.write().unwrap_or(Value::Null));
        (!self.is_empty()).then(|| Value::List(items.collect()))
    }
}

/// A mapping whose keys the document chooses.
impl<T: Field> Field for BTreeMap<String, T> {
    fn read(value: Value, path: &str) -> Result<Self> {
        // The key may be a secret put in the wrong place: it does not become part of the path.
        entries(value, path)?.into_iter().map(|(key, value)| Ok((key, read(value, path)?))).collect()
    }

    fn write(&self) -> Option<Value> {
        // The key stays, even where its value is the default.
        let entries = self.iter().map(|(key, value)| (key.clone(), value.write().unwrap_or(Value::Null)));
        (!self.is_empty()).then(|| Value::Map(entries.collect()))
    }
}

pub(crate) fn entries(value: Value, path: &str) -> Result<Vec<(String, Value)>> {
    match value {
        Value::Map(entries) => Ok(entries),
        other => Err(mismatch("a mapping", &other, path)),
    }
}

pub(crate) fn mismatch(expected: &str, found: &Value, path: &str) -> Error {
    Error::new(Code::Malformed, expected).found(found.kind()).field(path.to_owned())
}
