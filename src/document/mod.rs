//! YAML and JSON, as far as Kubernetes uses them: what [`read`] and [`read_all`] understand and what [`write`]
//! writes is a [`Value`].

mod json;
mod read;
pub(crate) mod record;
mod write;

use zeroize::Zeroizing;

pub(crate) use json::{to_json, to_json_line};
pub(crate) use read::{read, read_all};
pub(crate) use record::Field;
pub use record::{Extension, Fields};
pub(crate) use write::write;

/// Most bytes of a document, unless its reader knows better: an API server takes 3 MiB.
pub(crate) const LONGEST: usize = 4 << 20;

/// One value of a document. Its texts may be secrets: they are zeroized on drop, and `Debug` does not show them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(Zeroizing<String>),
    List(Vec<Value>),
    /// In the order of the document; no key stands there twice.
    Map(Vec<(String, Value)>),
}

impl Value {
    pub(crate) fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// What stands at a key, if this is a mapping.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// What kind of value this is, for error messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Integer(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// The text by which something is shown.
pub(crate) fn text(value: impl ToString) -> Value {
    value.to_string().as_str().into()
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Zeroizing::new(text.to_owned()))
    }
}

impl<const N: usize> From<[Value; N]> for Value {
    fn from(items: [Value; N]) -> Self {
        Self::List(items.into())
    }
}
