//! Writing JSON, for programs.

use std::fmt::{Result, Write};

use zeroize::Zeroizing;

use super::Value;
use super::write::{quoted, written};

/// `value` as JSON (RFC 8259), two spaces for each level, and a line break at the end.
pub(crate) fn to_json(value: &Value) -> Zeroizing<String> {
    written(|out| {
        write_value(out, value, Some(0))?;
        out.write_char('\n')
    })
}

/// `value` as JSON without any white space, as Go's encoding/json writes it.
pub(crate) fn to_json_line(value: &Value) -> Zeroizing<String> {
    written(|out| write_value(out, value, None))
}

/// `indent` is none for a value on one line.
fn write_value(out: &mut dyn Write, value: &Value, indent: Option<usize>) -> Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Integer(number) => write!(out, "{number}"),
        // JSON has no others.
        Value::Float(number) if !number.is_finite() => out.write_str("null"),
        Value::Float(number) => write!(out, "{number:?}"),
        Value::Text(text) => quoted(&mut &mut *out, text),
        Value::List(items) => inside(out, ('[', ']'), items, indent, write_value),
        Value::Map(entries) => inside(out, ('{', '}'), entries, indent, |out, (key, value), indent| {
            quoted(&mut &mut *out, key)?;
            out.write_str(if indent.is_some() { ": " } else { ":" })?;
            write_value(out, value, indent)
        }),
    }
}

fn inside<T>(
    out: &mut dyn Write,
    (open, close): (char, char),
    items: &[T],
    indent: Option<usize>,
    write_item: impl Fn(&mut dyn Write, &T, Option<usize>) -> Result,
) -> Result {
    let line = |out: &mut dyn Write, indent: Option<usize>| match indent {
        Some(indent) => write!(out, "\n{:indent$}", ""),
        None => Ok(()),
    };
    let deeper = indent.map(|indent| indent + 2);
    out.write_char(open)?;
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.write_char(',')?;
        }
        line(out, deeper)?;
        write_item(out, item, deeper)?;
    }
    if !items.is_empty() {
        line(out, indent)?;
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
        let text = to_json(value).to_string();
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
        assert_eq!(*to_json(&value), expected);
        let line = "{\"a\":[null,true,-1,1.5],\"b\":{\"c\":{},\"d\":[]}}";
        assert_eq!(*to_json_line(&value), line);
        survives(&value);
    }

    #[test]
    fn no_text_leaves_its_quotes() {
        for text in
            ["", "\"", "\\", "\\\"", "\n\r\t\u{8}\u{c}", "\0\u{1f}\u{7f}\u{9b}", "\u{2028}", "ü😀\u{ffff}"]
        {
            survives(&Value::map([(text, text.into())]));
        }
        assert_eq!(*to_json(&"a\"\\\u{1b}".into()), "\"a\\\"\\\\\\u001b\"\n");
        assert_eq!(*to_json(&Value::Float(f64::NAN)), "null\n");
    }

    proptest! {
        #[test]
        fn any_text_survives(text in any::<String>(), key in any::<String>()) {
            survives(&Value::map([(&*key, [text.as_str().into()].into())]));
        }
    }
}
