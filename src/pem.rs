//! PEM (RFC 7468), read as leniently as Kubernetes does and written as Go does.

use base64ct::{Base64, Encoding};
use pem_rfc7468::LineEnding;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};

/// One block: what stands between a `BEGIN` and its `END`.
pub(crate) struct Block<'a> {
    pub(crate) label: &'a str,
    /// Whether RFC 1421 headers stand before the data: an encrypted key has them.
    pub(crate) has_headers: bool,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

/// Longer than any file of a cluster's PKI.
const LONGEST: usize = 4 << 20;

/// All blocks of `text`. Any line ending, any line width, and any text around the blocks is fine.
pub(crate) fn blocks(text: &[u8]) -> Result<Vec<Block<'_>>> {
    let malformed = |rule: &str| Error::new(Code::Malformed, rule);
    if text.len() > LONGEST {
        return Err(malformed("at most 4 MiB of PEM").found(format!("{} bytes", text.len())));
    }
    let mut blocks = Vec::new();
    let mut open: Option<(&str, bool)> = None;
    // One buffer for all blocks, which never grows: no copy of a key is left behind.
    let mut base64 = Zeroizing::new(String::with_capacity(text.len()));
    // Latin-1 comments around the blocks are no reason to refuse a file: lines that are not UTF-8 count as text.
    let lines = text.split(|byte| *byte == b'\n').map(|line| str::from_utf8(line).unwrap_or("?").trim());
    for line in lines {
        match (boundary(line, "-----BEGIN "), boundary(line, "-----END "), open.as_mut()) {
            (Some(label), _, None) => open = Some((label, false)),
            (Some(label), _, Some((outer, _))) => {
                let rule = format!("an END of the PEM block {} before the next BEGIN", shown(outer));
                return Err(malformed(&rule).found(shown(label)));
            }
            (None, Some(label), _) => {
                let Some((outer, has_headers)) = open.take().filter(|(outer, _)| *outer == label) else {
                    return Err(malformed("a BEGIN for each END of a PEM block").found(shown(label)));
                };
                let der = Base64::decode_vec(&base64).map_err(|_| {
                    malformed("base64 between BEGIN and END")
                        .found(format!("something else in the block {}", shown(outer)))
                })?;
                base64.clear();
                blocks.push(Block { label: outer, has_headers, der: Zeroizing::new(der) });
            }
            (None, None, Some((_, has_headers))) => match line.contains(':') {
                true => *has_headers = true,
                // What is left of a header that was folded over two lines is no base64 either way.
                false => base64.extend(line.split_whitespace()),
            },
            (None, None, None) => {}
        }
    }
    match open {
        Some((label, _)) => Err(malformed("an END for each BEGIN of a PEM block")
            .found(format!("BEGIN {} and no END: it is cut off", shown(label)))),
        None => Ok(blocks),
    }
}

/// Whether anything but white space stands behind the last block.
pub(crate) fn has_trailing_data(text: &[u8]) -> bool {
    let lines = text.split(|byte| *byte == b'\n').map(|line| str::from_utf8(line).unwrap_or("?").trim());
    let mut behind = lines.rev().take_while(|line| boundary(line, "-----END ").is_none());
    behind.any(|line| !line.is_empty())
}

/// `text` up to the end of its last block.
pub(crate) fn without_trailing_data(text: &[u8]) -> &[u8] {
    let is_end =
        |line: &[u8]| str::from_utf8(line).is_ok_and(|line| boundary(line.trim(), "-----END ").is_some());
    let mut end = text.len();
    for line in text.split_inclusive(|byte| *byte == b'\n').rev() {
        if is_end(line) {
            break;
        }
        end -= line.len();
    }
    text.get(..end).unwrap_or(text)
}

/// What was found where a block was missed, for an error.
pub(crate) fn describe(blocks: &[Block<'_>], text: &[u8]) -> String {
    const MOST_SHOWN: usize = 5;
    let mut labels: Vec<_> = blocks.iter().map(|block| shown(block.label)).collect();
    labels.dedup();
    match text {
        _ if labels.len() > MOST_SHOWN => format!("{} other blocks", blocks.len()),
        _ if !labels.is_empty() => labels.join(", "),
        [] => "nothing".to_owned(),
        [0x30, ..] => "DER: not in PEM".to_owned(),
        _ => "no PEM block".to_owned(),
    }
}

/// A label for an error. In a garbled file a piece of a key may stand where the label belongs: only what looks like
/// words is quoted.
pub(crate) fn shown(label: &str) -> &str {
    const LONGEST_WORD: usize = 12;
    const LONGEST: usize = 40;
    let is_word = |word: &str| {
        word.len() <= LONGEST_WORD && word.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    match label.len() <= LONGEST && label.split(' ').all(is_word) {
        true => label,
        false => "(an unusual label)",
    }
}

/// `der` as a PEM block: lines of 64 characters, each ended by LF.
pub(crate) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    // Fails for labels that are not printable ASCII only: ours are constants.
    Zeroizing::new(pem_rfc7468::encode_string(label, LineEnding::LF, der).unwrap_or_default())
}

fn boundary<'a>(line: &'a str, start: &str) -> Option<&'a str> {
    line.strip_prefix(start)?.strip_suffix("-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_between_text_with_any_line_ending_and_width() {
        let text = b"Bag \xff attributes\r\n-----BEGIN A-----\r\nAQ\r\nID\r\n-----END A-----\r\n\r\n\
            -----BEGIN B-----\nProc-Type: 4,ENCRYPTED\n\nBAUG-----\n-----END B-----\ntrailing";
        let Err(error) = blocks(text) else { panic!("junk in base64") };
        assert!(error.to_string().contains("block B"), "{error}");
        let text = String::from_utf8_lossy(text).replace("BAUG-----", "BAUG");
        let found = blocks(text.as_bytes()).unwrap();
        assert_eq!((found[0].label, found[0].der.as_slice()), ("A", [1, 2, 3].as_slice()));
        assert_eq!((found[1].label, found[1].has_headers), ("B", true));
        assert_eq!(describe(&found, b""), "A, B");
    }

    #[test]
    fn no_error_quotes_a_label_that_may_be_a_piece_of_a_key() {
        for text in [
            "-----BEGIN MIIEvQIBADANBgkqhkiG-----",
            "-----END MIIEvQIBADANBgkqhkiG-----",
            "-----BEGIN MIIEvQIBADANBgkqhkiG-----\n-----BEGIN MIIEvQIBADANBgkqhkiG-----",
            "-----BEGIN MIIEvQIBADANBgkqhkiG-----\n?\n-----END MIIEvQIBADANBgkqhkiG-----",
        ] {
            let Err(error) = blocks(text.as_bytes()) else { panic!("{text}") };
            assert!(!error.to_string().contains("MIIE"), "{error}");
        }
        assert_eq!(shown("EC PRIVATE KEY"), "EC PRIVATE KEY");
        let many = "-----BEGIN A-----\n-----END A-----\n-----BEGIN B-----\n-----END B-----\n".repeat(9);
        assert_eq!(describe(&blocks(many.as_bytes()).unwrap(), b""), "18 other blocks");
    }

    #[test]
    fn unbalanced_blocks_are_refused() {
        for text in [
            "-----BEGIN A-----\nAQID\n",
            "-----END A-----",
            "-----BEGIN A-----\n-----END B-----",
            "-----BEGIN A-----\n-----BEGIN A-----\n-----END A-----",
        ] {
            assert_eq!(
                blocks(text.as_bytes()).err().map(|error| error.code()),
                Some(Code::Malformed),
                "{text}"
            );
        }
    }
}
