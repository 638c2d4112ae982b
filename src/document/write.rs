//! Writing, in the shape that kubeadm and kubectl write.

use std::fmt::{Result, Write};

use zeroize::Zeroizing;

use super::Value;

/// `value` as YAML in block style: two spaces for each level, a list not indented below its key, a line break at
/// the end.
///
/// Text stands plain only where every reader, of YAML 1.1 and of YAML 1.2, takes it for text; everything else is
/// quoted, so that no text changes the structure.
pub(crate) fn write(value: &Value) -> Zeroizing<String> {
    written(|mut out| block(&mut out, value, 0))
}

/// What a function writes. It is measured first: a text that grew would leave copies of secrets behind.
pub(super) fn written(write: impl Fn(&mut dyn Write) -> Result) -> Zeroizing<String> {
    let mut length = Length(0);
    let mut text = Zeroizing::default();
    if write(&mut length).is_ok() {
        text = Zeroizing::new(String::with_capacity(length.0));
    }
    // Writing to a String does not fail.
    let _ = write(&mut *text);
    text
}

struct Length(usize);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> Result {
        self.0 += text.len();
        Ok(())
    }
}

/// Writes a value that begins in column `indent` of the current line, to the end of its last line.
fn block(out: &mut impl Write, value: &Value, indent: usize) -> Result {
    match value {
        Value::Null => writeln!(out, "null"),
        Value::Bool(value) => writeln!(out, "{value}"),
        Value::Integer(number) => writeln!(out, "{number}"),
        // With a point or an exponent, so that it is read as a float again.
        Value::Float(number) => writeln!(out, "{number:?}"),
        Value::Text(text) => {
            scalar(out, text)?;
            out.write_char('\n')
        }
        Value::List(items) if items.is_empty() => writeln!(out, "[]"),
        Value::Map(entries) if entries.is_empty() => writeln!(out, "{{}}"),
        Value::List(items) => {
            for (position, item) in items.iter().enumerate() {
                margin(out, if position == 0 { 0 } else { indent })?;
                out.write_str("- ")?;
                block(out, item, indent + 2)?;
            }
            Ok(())
        }
        Value::Map(entries) => {
            for (position, (key, value)) in entries.iter().enumerate() {
                margin(out, if position == 0 { 0 } else { indent })?;
                entry(out, key, value, indent)?;
            }
            Ok(())
        }
    }
}

fn entry(out: &mut impl Write, key: &str, value: &Value, indent: usize) -> Result {
    /// A key of more than 1024 characters, escapes counted, is none without a question mark (YAML 1.2, section 7.4.3).
    const LONGEST_SIMPLE_KEY: usize = 128;
    if key.len() > LONGEST_SIMPLE_KEY {
        out.write_str("? ")?;
        scalar(out, key)?;
        out.write_char('\n')?;
        margin(out, indent)?;
    } else {
        scalar(out, key)?;
    }
    let indent = match value {
        Value::Map(entries) if !entries.is_empty() => indent + 2,
        Value::List(items) if !items.is_empty() => indent,
        _ => {
            out.write_str(": ")?;
            return block(out, value, indent);
        }
    };
    out.write_str(":\n")?;
    margin(out, indent)?;
    block(out, value, indent)
}

fn margin(out: &mut impl Write, indent: usize) -> Result {
    write!(out, "{:indent$}", "")
}

fn scalar(out: &mut impl Write, text: &str) -> Result {
    if is_plain(text) { out.write_str(text) } else { quoted(out, text) }
}

/// Text in quotes, as YAML and JSON both read it.
pub(super) fn quoted(out: &mut impl Write, text: &str) -> Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(out, "\\{c}")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            // Not printable (YAML 1.2, section 5.1), or a line break to YAML 1.1.
            '\0'..='\x1f'
            | '\x7f'..='\u{9f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}' => write!(out, "\\u{:04x}", u32::from(c))?,
            _ => out.write_char(c)?,
        }
    }
    out.write_char('"')
}

/// Whether every reader takes `text` for this very text without quotes.
///
/// A letter or slash comes first, so it is no number, date or indicator; what follows contains no white space and no
/// comment; and it is none of the words that mean something else. Brackets mean nothing here: no flow is ever written.
fn is_plain(text: &str) -> bool {
    const WORDS: &[&str] =
        &["false", "inf", "infinity", "n", "nan", "no", "null", "off", "on", "true", "y", "yes"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !text.ends_with(':')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-./:=@[]_".contains(&b))
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::read;
    use super::*;

    fn written(value: &Value) -> String {
        let text = write(value);
        assert_eq!(text.len(), text.capacity());
        text.to_string()
    }

    fn survives(value: &Value) {
        let text = written(value);
        assert_eq!(&read(text.as_bytes(), text.len()).unwrap(), value, "{text}");
    }

    #[test]
    fn block_style_is_that_of_kubeadm() {
        let value = Value::map([
            (
                "clusters",
                [Value::map([("cluster", Value::map([("a", "b".into())])), ("name", "c".into())])].into(),
            ),
            ("empty", [Value::Map(vec![]), Value::List(vec![]), "".into()].into()),
            (
                "nested",
                [[Value::Integer(1), Value::Null].into(), Value::map([("d", ["e".into()].into())])].into(),
            ),
            ("preferences", Value::Map(vec![])),
        ]);
        let expected = "\
clusters:
- cluster:
    a: b
  name: c
empty:
- {}
- []
- \"\"
nested:
- - 1
  - null
- d:
  - e
preferences: {}
";
        assert_eq!(written(&value), expected);
        survives(&value);
    }

    #[test]
    fn text_is_plain_only_where_no_reader_takes_it_for_something_else() {
        for text in ["kubeadm:cluster-admins", "https://192.0.2.1:6443", "LS0tLS1CRUdJTg=="] {
            assert_eq!(written(&text.into()), format!("{text}\n"));
        }
        for text in [
            "",
            "~",
            "null",
            "Null",
            "y",
            "N",
            "yes",
            "On",
            "OFF",
            "true",
            "False",
            "1",
            "+1",
            "-1",
            "0x1f",
            "0o7",
            "1_0",
            "1e5",
            ".5",
            ".inf",
            "-.INF",
            ".nan",
            "inf",
            "NaN",
            "12:30:00",
            "2026-11-22",
            "=",
            "<<",
            "-",
            "--- a",
            "...",
            "a:",
            "a: b",
            "a #b",
            "#",
            "- x",
            "? x",
            ": x",
            "*a",
            "&a",
            "!tag",
            "|",
            ">",
            "%a",
            "@a",
            "`a",
            "'",
            "\"",
            "[a",
            "{a",
            "a,b",
            "a b",
            " a",
            "a ",
            "a\nb",
            "a\0",
            "\u{7f}",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "\u{ffff}",
            "ü",
            "😀",
        ] {
            let line = written(&text.into());
            assert!(line.starts_with('"') && line.ends_with("\"\n") && line.lines().count() == 1, "{line}");
            survives(&text.into());
            survives(&Value::map([(text, [Value::map([(text, text.into())])].into())]));
        }
    }

    #[test]
    fn long_keys_survive() {
        for key in ["a".repeat(1023), "b".repeat(5000), "\0".repeat(5000), "\0".repeat(128)] {
            let list = || Value::from([Value::map([("x", "y".into())])]);
            let map = Value::map([
                (&*key, list()),
                ("c", Value::map([(&*key, Value::map([(&*key, "z".into())]))])),
            ]);
            survives(&[map].into());
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(|number| Value::Integer(number.into())),
            (-9e15..9e15_f64).prop_map(Value::Float),
            (-1e-7..1e-7_f64).prop_map(Value::Float),
            any::<String>().prop_map(|text| Value::from(text.as_str())),
            "[-a-z0-9:#.+_ ]{0,6}".prop_map(|text| Value::from(text.as_str())),
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            let key = prop_oneof![any::<String>(), "[-a-z0-9:#.<= ]{0,4}"];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
                prop::collection::btree_map(key, inner, 0..5)
                    .prop_map(|entries| Value::Map(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_survives(value in value()) {
            survives(&value);
        }

        #[test]
        fn any_text_survives(text in any::<String>()) {
            survives(&text.as_str().into());
        }
    }
}
