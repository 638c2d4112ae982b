//! Writing JSON, for programs.

use std::fmt::{Result, Write};

use super::Value;
use super::write::quoted;

/// `value` as JSON (RFC 8259), two spaces for each level, and a line break at the end. For documents without
/// secrets: a text that grows leaves copies behind.
pub(crate) fn to_json(value: &Value) -> String {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = write_value(&mut text, value, 0);
    text.push('\n');
    text
}

fn write_value(out: &mut String, value: &Value, indent: usize) -> Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Integer(number) => write!(out, "{number}"),
        // JSON has no others.
        Value::Float(number) if !number.is_finite() => out.write_str("null"),
        Value::Float(number) => write!(out, "{number:?}"),
        Value::Text(text) => quoted(out, text),
        Value::List(items) => inside(out, ('[', ']'), items, indent, write_value),
        Value::Map(entries) => inside(out, ('{', '}'), entries, indent, |out, (key, value), indent| {
            quoted(out, key)?;
            out.write_str(": ")?;
            write_value(out, value, indent)
        }),
    }
}

fn inside<T>(
    out: &mut String,
    (open, close): (char, char),
    items: &[T],
    indent: usize,
    write_item: impl Fn(&mut String, &T, usize) -> Result,
) -> Result {
    out.write_char(open)?;
    for (position, item) in items.iter().enumerate() {
        let indent = indent + 2;
        write!(out, "{}\n{:indent$}", if position == 0 { "" } else { "," }, "")?;
        write_item(out, item, indent)?;
    }
    if !items.is_empty() {
        write!(out, "\n{:indent$}", "")?;
    }
    out.write_char(close)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::read;
    use super::*;

    /// The same value as another library reads it.
    fn by_serde(value: &Value) -> serde_json::Value {
        match value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(number) => i64::try_from(*number).unwrap().into(),
            Value::Float(number) => (*number).into(),
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(by_serde).collect(),
            Value::Map(entries) => {
                entries.iter().map(|(key, value)| (key.clone(), by_serde(value))).collect()
            }
        }
    }

    fn survives(value: &Value) {
        let text = to_json(value);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), by_serde(value), "{text}");
        assert_eq!(&read(text.as_bytes(), text.len()).unwrap(), value, "{text}");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }

    #[test]
    fn lists_and_mappings_are_indented_and_empty_ones_are_short() {
        let value = Value::map([
            ("a", [Value::Null, Value::Bool(true), Value::Integer(-1), Value::Float(1.5)].into()),
            ("b", Value::map([("c", Value::Map(vec![])), ("d", Value::List(vec![]))])),
        ]);
        let expected = "{\n  \"a\": [\n    null,\n    true,\n    -1,\n    1.5\n  ],\n  \"b\": {\n    \"c\": {},\n    \
                        \"d\": []\n  }\n}\n";
        assert_eq!(to_json(&value), expected);
        survives(&value);
    }

    #[test]
    fn no_text_leaves_its_quotes() {
        for text in
            ["", "\"", "\\", "\\\"", "\n\r\t\u{8}\u{c}", "\0\u{1f}\u{7f}\u{9b}", "\u{2028}", "ü😀\u{ffff}"]
        {
            survives(&Value::map([(text, text.into())]));
        }
        assert_eq!(to_json(&"a\"\\\u{1b}".into()), "\"a\\\"\\\\\\u001b\"\n");
        assert_eq!(to_json(&Value::Float(f64::NAN)), "null\n");
    }

    proptest! {
        #[test]
        fn any_text_survives(text in any::<String>(), key in any::<String>()) {
            survives(&Value::map([(&*key, [text.as_str().into()].into())]));
        }
    }
}
