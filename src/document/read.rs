//! Reading: the only place that names the YAML library.

use std::collections::HashSet;
use std::fmt;

use serde_core::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::options::MergeKeyPolicy;
use zeroize::Zeroizing;

use super::Value;
use crate::error::{Code, Error, Result};

/// Reads one document of YAML or JSON.
///
/// Refused is what could not be written again unchanged (tags, keys that are no scalar, numbers beyond 64 bits, or
/// beyond what a double tells apart), what readers understand differently (a key that stands twice, several documents),
/// and what serves to exhaust memory (aliases, deep nesting, more than `longest` bytes).
///
/// No error quotes the document, which may hold secrets. The library does not wipe what it holds meanwhile: texts with
/// escapes or over several lines.
pub(crate) fn read(document: &[u8], longest: usize) -> Result<Value> {
    parse(document, longest, "one document of YAML or JSON", |text, options| {
        serde_saphyr::from_str_with_options(text, options)
    })
}

/// Reads any number of documents, without those that hold nothing. Refused in each of them, and for all of them
/// together, is what [`read`] refuses.
pub(crate) fn read_all(documents: &[u8], longest: usize) -> Result<Vec<Value>> {
    parse(documents, longest, "documents of YAML or JSON", |text, options| {
        serde_saphyr::from_multiple_with_options(text, options)
    })
}

fn parse<T>(
    bytes: &[u8],
    longest: usize,
    expected: &str,
    parse: fn(&str, serde_saphyr::Options) -> Result<T, serde_saphyr::Error>,
) -> Result<T> {
    let refuse = |found: String| Error::new(Code::Malformed, expected).found(found);
    if bytes.len() > longest {
        return Err(Error::new(Code::Malformed, format!("at most {longest} bytes"))
            .found(format!("{} bytes", bytes.len())));
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| refuse(format!("bytes that are not UTF-8, from byte {} on", error.valid_up_to())))?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_aliases: 0, max_anchors: 0, max_depth: DEEPEST },
        merge_keys: MergeKeyPolicy::Error,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    parse(text, options).map_err(|error| {
        let place = error.location().map_or_else(String::new, |location| {
            format!(" in line {}, column {}", location.line(), location.column())
        });
        refuse(reason(&error).to_owned() + &place)
    })
}

/// How many lists and mappings may stand within each other. Kubernetes' own documents need a dozen.
const DEEPEST: usize = 64;

const KEY_TWICE: &str = "a key that stands twice";
const NUMBER_TOO_LARGE: &str = "a number too large to be kept as it stands";

/// The reason in our own words: the library's would quote the document.
fn reason(error: &serde_saphyr::Error) -> &'static str {
    use serde_saphyr::Error as E;
    match error.without_snippet() {
        E::Message { msg, .. } if msg == NUMBER_TOO_LARGE => NUMBER_TOO_LARGE,
        E::NonFiniteFloat { .. } => NUMBER_TOO_LARGE,
        E::Message { msg, .. } if msg == KEY_TWICE => KEY_TWICE,
        E::DuplicateMappingKey { .. } => KEY_TWICE,
        E::MultipleDocuments { .. } => "a second document",
        E::MergeKeyNotAllowed { .. } => "a merge key (<<), which is not supported,",
        E::UnsupportedTag { .. } => "a tag, which is not supported,",
        E::UnknownAnchor { .. } => "an alias without its anchor",
        E::Eof { .. } => "an early end",
        E::Budget { breach: BudgetBreach::Aliases { .. } | BudgetBreach::Anchors { .. }, .. } => {
            "an anchor or alias, which is not supported,"
        }
        E::Budget { breach: BudgetBreach::Depth { .. }, .. } => "too many levels",
        E::Budget { breach: BudgetBreach::Documents { .. }, .. } => "too many documents",
        E::Budget { .. } => "too many values",
        _ => "a syntax error",
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Integer(number.into()))
    }

    fn visit_f64<E: serde_core::de::Error>(self, number: f64) -> Result<Value, E> {
        /// From here on a double skips integers, and what was read may have been one.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.abs() < EXACT { Ok(Value::Float(number)) } else { Err(E::custom(NUMBER_TOO_LARGE)) }
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(Zeroizing::new(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let (mut map, mut seen) = (Vec::new(), HashSet::new());
        while let Some(Key(key)) = entries.next_key()? {
            // `1` and `"1"` are told apart by the library, and nowhere else.
            if !seen.insert(key.clone()) {
                return Err(serde_core::de::Error::custom(KEY_TWICE));
            }
            map.push((key, entries.next_value()?));
        }
        Ok(Value::Map(map))
    }
}

/// The key of a mapping: the text that stands there, also where YAML would take it for a number or a truth value.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Key, E> {
        Ok(Key(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: usize = 1 << 20;

    fn refusal(document: &str) -> String {
        let error = read(document.as_bytes(), LONGEST).unwrap_err();
        assert_eq!(error.code(), Code::Malformed);
        error.to_string()
    }

    #[test]
    fn yaml_and_json_are_read_alike() {
        let value = Value::map([
            ("a", [Value::Null, Value::Bool(true), Value::Integer(-1), Value::Float(1.5), "x".into()].into()),
            ("b", Value::map([("c", Value::Integer(u64::MAX.into()))])),
        ]);
        for document in [
            "a:\n- ~\n- true\n- -1\n- 1.5\n- x\nb:\n  c: 18446744073709551615\n",
            "a:\r\n  -\r\n  - true\r\n  - -1\r\n  - 1.5\r\n  - 'x'\r\nb: {c: 18446744073709551615}\r\n",
            "{\"a\": [null, true, -1, 1.5, \"x\"],\n\t\"b\": {\"c\": 18446744073709551615}}",
            "\u{feff}---\na: [null, true, -1, 1.5, x]\nb:\n  c: 18446744073709551615\n...\n",
        ] {
            assert_eq!(read(document.as_bytes(), LONGEST).unwrap(), value, "{document}");
        }
    }

    #[test]
    fn several_documents_are_read_in_their_order_and_empty_ones_left_out() {
        let documents = "# a comment\n---\na: 1\n---\n---\n# another\n---\n{\"b\": 2}\n...\n---\n- c\n";
        let found = read_all(documents.as_bytes(), LONGEST).unwrap();
        let expected = [Value::map([("a", Value::Integer(1))]), Value::map([("b", Value::Integer(2))])];
        assert_eq!(found, [&expected[..], &[["c".into()].into()]].concat());
        assert_eq!(read_all(b"", LONGEST).unwrap(), []);
    }

    #[test]
    fn what_is_refused_in_one_document_is_refused_in_each_of_several() {
        for (document, reason) in [
            ("a: 1\na: 3", "a key that stands twice in line 4, column 1"),
            ("a: &a [x]", "anchor or alias"),
            ("a: *a", "without its anchor"),
            ("a: !secret b", "a tag, which is not supported, in line 3"),
            ("<<: {a: b}", "a merge key"),
            ("a: [b", "in line 3"),
            ("a: 1e999", "a number too large to be kept as it stands in line 3, column 4"),
            (&format!("{}{}", "[".repeat(65), "]".repeat(65)), "too many levels"),
            (&"- \n".repeat(300_000), "too many values"),
            (&"a: b\n---\n".repeat(2_000), "too many documents"),
        ] {
            let documents = format!("a: b\n---\n{document}");
            let error = read_all(documents.as_bytes(), 2 * LONGEST).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
            assert!(error.starts_with("expected documents of YAML or JSON"), "{error}");
        }
        assert!(read_all(&vec![b' '; LONGEST + 1], LONGEST).unwrap_err().to_string().contains("at most"));
        assert!(read_all(b"a: b\n---\n\xff", LONGEST).unwrap_err().to_string().contains("not UTF-8"));
    }

    #[test]
    fn spellings_that_readers_take_differently_stay_text() {
        for text in ["0755", "1_000", "12:30", "2026-11-22", "0o", "1.2.3", "e5"] {
            assert_eq!(
                read(format!("a: {text}").as_bytes(), LONGEST).unwrap(),
                Value::map([("a", text.into())])
            );
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_reason_line_and_column() {
        for (document, reason) in [
            ("a: 1\nb: 2\na: 3", "a key that stands twice in line 3, column 1"),
            ("a: 1\n\"a\": 3", "a key that stands twice in line 2, column 1"),
            ("a: 1\n---\nb: 2", "a second document in line 3"),
            ("1: 2\n\"1\": 3", "a key that stands twice"),
            ("a:\n  [x]: b", "a syntax error in line 2, column 3"),
            ("~: b", "a syntax error in line 1, column 1"),
            ("a: 1e999", "a number too large to be kept as it stands in line 1, column 4"),
            (
                "a: 123456789012345678901234567890",
                "a number too large to be kept as it stands in line 1, column 4",
            ),
            ("a: .nan", "a number too large to be kept as it stands in line 1, column 4"),
            ("a: !secret b", "a tag, which is not supported, in line 1"),
            ("<<: {a: b}", "a merge key (<<), which is not supported, in line 1"),
            ("a: b: c", "a syntax error in line 1"),
            ("a: [b", "in line 1"),
            ("a: \"b", "in line 1"),
            ("a:\n\t- b", "in line 2"),
        ] {
            let refusal = refusal(document);
            assert!(refusal.contains(reason), "{document}: {refusal}");
        }
        assert!(read(b"a: \xff", LONGEST).unwrap_err().to_string().contains("not UTF-8, from byte 3 on"));
    }

    #[test]
    fn bombs_are_refused() {
        assert!(refusal("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]").contains("anchor or alias"));
        assert!(refusal(&"[".repeat(100_000)).contains("found"));
        assert!(refusal(&"- ".repeat(100_000)).contains("found"));
        assert!(refusal(&format!("{}{}", "[".repeat(65), "]".repeat(65))).contains("too many levels"));
        assert!(refusal(&"- \n".repeat(300_000)).contains("too many values"));
        assert!(refusal(&" ".repeat(LONGEST + 1)).contains("at most 1048576 bytes"));
    }

    #[test]
    fn no_error_quotes_the_document() {
        for document in [
            "hunter2: 1\nhunter2: 2",
            "a: !hunter2 b",
            "a: *hunter2",
            "a: \"\\hunter2\"",
            "a: hunter2: hunter2",
            "%hunter2 a\n",
            "a: 'hunter2",
            "a: !!int hunter2",
            "a: !!binary hunter2",
            "a: @hunter2",
            "a: |hunter2\n",
        ] {
            let error = read(document.as_bytes(), LONGEST).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("unter2"), "{error:?}");
        }
    }
}
