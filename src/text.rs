//! Text that anybody may have written, shown to people.

use std::fmt::{self, Write};

/// Shows what `T` shows, in one line that does nothing to a terminal: what is not [printable](is_printable)
/// is escaped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printable<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for Printable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| match is_printable(c) {
            true => self.0.write_char(c),
            false => write!(self.0, "{}", c.escape_debug()),
        })
    }
}

/// Whether a character shows as itself: it is no control character, line break, change of direction or
/// unassigned one.
pub(crate) fn is_printable(c: char) -> bool {
    matches!(c, '\'' | '"' | '\\') || c.escape_debug().len() == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_does_not_show_as_itself_is_escaped() {
        for text in ["O=system:nodes, CN=system:node:n1", "ü 😀", "\"a\\b'", ""] {
            assert_eq!(Printable(text).to_string(), text);
        }
        for (text, shown) in [
            ("a\nb", "a\\nb"),
            ("\u{1b}[31m", "\\u{1b}[31m"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("\u{202e}txt.exe", "\\u{202e}txt.exe"),
            ("\u{2028}\u{feff}\0\u{7f}", "\\u{2028}\\u{feff}\\0\\u{7f}"),
        ] {
            assert_eq!(Printable(text).to_string(), shown);
        }
    }
}
