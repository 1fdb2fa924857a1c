//! Copies one document out of a GridFTP reply.

use super::texts::{after_code, backslashes, line_end};

/// A document copied out of a reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// The JSON text: balanced, not yet parsed.
    pub(super) json: String,
    /// Whether the document was cut off. `json` then ends after the last whole value.
    pub(super) cut: bool,
}

/// The length of a reply code and the `-` after it.
const CODE: usize = 4;

/// The length of the white space that `bytes` begin with, as it is or escaped, and whether it is a
/// line end. No document has a backslash outside its strings.
fn blank(bytes: &[u8]) -> Option<(usize, bool)> {
    let length = backslashes(bytes);
    match (bytes.first()?, bytes.get(length)) {
        (b' ' | b'\t', _) => Some((1, false)),
        (b'\\', Some(b't')) => Some((length + 1, false)),
        _ => Some((line_end(bytes)?, true)),
    }
}

/// The end of the white space, line ends and codes of continued lines that start at `at`.
pub(super) fn skip_blank(bytes: &[u8], mut at: usize) -> usize {
    while let Some((length, ends_line)) = blank(bytes.get(at..).unwrap_or_default()) {
        at += length;
        if ends_line && after_code(bytes.get(at..).unwrap_or_default()) == Some(b'-') {
            at += CODE;
        }
    }
    at
}

/// The document that `text` starts with. A document that is cut off ends after its last whole
/// value. Strings are copied unchanged; outside them, line ends in any spelling and reply codes
/// become white space.
pub(super) fn scan(text: &str) -> Option<Reply> {
    let bytes = text.as_bytes();
    let mut copy = Copy::default();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        if let Some((length, ends_line)) = blank(rest) {
            copy.space();
            at += length;
            match after_code(bytes.get(at..).unwrap_or_default()).filter(|_| ends_line) {
                Some(b'-') => at += CODE,
                // The last line of the reply.
                Some(b' ') => break,
                _ => {}
            }
        } else if byte == b'"' {
            let Some(string) = string_at(rest).and_then(|length| text.get(at..at + length)) else {
                break;
            };
            copy.json.push_str(string);
            at += string.len();
            if copy.in_value {
                copy.value_ends();
            }
        } else if !copy.structure(byte) {
            break;
        } else if copy.open.is_empty() {
            let json = copy.json;
            return Some(Reply { json, cut: false });
        } else {
            at += 1;
        }
    }
    copy.cut()
}

/// The length of the string that `bytes` start with, quotes included; `None` if it does not end.
/// JSON strings hold no control characters: a line end in one means that the text was cut there.
fn string_at(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            0..=0x1F => return None,
            _ => at += 1,
        }
    }
}

/// The text copied so far, and the last place where it can be cut.
#[derive(Default)]
struct Copy {
    json: String,
    /// The open brackets.
    open: Vec<u8>,
    /// How many of the open brackets are arrays.
    arrays: usize,
    /// Whether a member's value comes next or is being read.
    in_value: bool,
    /// The length of `json` after its last whole value, and the number of objects open there.
    whole: Option<(usize, usize)>,
}

impl Copy {
    /// Adds one space for any white space, so that the tokens around it stay separate.
    fn space(&mut self) {
        if !self.json.ends_with(' ') {
            self.json.push(' ');
        }
    }

    /// Copies one byte from outside a string; `false` if a document cannot continue with it.
    fn structure(&mut self, byte: u8) -> bool {
        // Numbers and literals have no closing character.
        if byte == b',' && self.in_value {
            self.value_ends();
        }
        self.json.push(char::from(byte));
        match byte {
            b'{' | b'[' => {
                self.open.push(byte);
                self.arrays += usize::from(byte == b'[');
                self.in_value = false;
            }
            b'}' | b']' => {
                let opening = if byte == b'}' { b'{' } else { b'[' };
                if self.open.pop() != Some(opening) {
                    return false;
                }
                self.arrays -= usize::from(byte == b']');
                self.value_ends();
            }
            b':' => self.in_value = true,
            // No document has a backslash outside its strings.
            _ => return byte.is_ascii_graphic() && byte != b'\\',
        }
        true
    }

    fn value_ends(&mut self) {
        self.in_value = false;
        // The elements of an array count only once the array is whole.
        if self.arrays == 0 {
            self.whole = Some((self.json.len(), self.open.len()));
        }
    }

    fn cut(mut self) -> Option<Reply> {
        let (length, open) = self.whole?;
        self.json.truncate(length);
        self.json.extend(std::iter::repeat_n('}', open));
        let json = self.json;
        Some(Reply { json, cut: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(text: &str) -> Option<(String, bool)> {
        scan(text).map(|found| (found.json, found.cut))
    }

    #[checks::test]
    fn cut_document_ends_after_its_last_whole_value() {
        for (text, json) in [
            (r#"{"a": 1"#, None),
            (r#"{"a": 1,"#, Some(r#"{"a": 1}"#)),
            (r#"{"a": "x""#, Some(r#"{"a": "x"}"#)),
            (r#"{"a": "x"#, None),
            (r#"{"a": {"b": ["x"]"#, Some(r#"{"a": {"b": ["x"]}}"#)),
            (r#"{"a": {"b": ["x""#, None),
            (
                r#"{"a": {"b": {}, "c": [{"d": 1}, "#,
                Some(r#"{"a": {"b": {}}}"#),
            ),
            (r#"{"a": true, "b": tru"#, Some(r#"{"a": true}"#)),
            (r#"{"a": "x", "b"#, Some(r#"{"a": "x"}"#)),
            (r#"{"a": "x", "b": "y]"#, Some(r#"{"a": "x"}"#)),
            (
                "{\"a\": \"x\", \"b\": \"y\n530 End\" ",
                Some(r#"{"a": "x"}"#),
            ),
            (
                "{\"a\": \"x\"\r\n530 End.\r\n, \"b\": 1}",
                Some(r#"{"a": "x"}"#),
            ),
            (r#"{"a": "x"]"#, Some(r#"{"a": "x"}"#)),
            (r#"{"a": "x", \d"#, Some(r#"{"a": "x"}"#)),
            (r#"{"a": "x", "b", "#, Some(r#"{"a": "x"}"#)),
            (r#"{"a": "x", é"b": 1}"#, Some(r#"{"a": "x"}"#)),
            ("{\"a\": \"x\", \u{1}\"b\": 1}", Some(r#"{"a": "x"}"#)),
            ("{", None),
        ] {
            assert_eq!(
                scanned(text),
                json.map(|json| (json.to_owned(), true)),
                "{text}"
            );
        }
    }

    #[checks::test]
    fn escaped_white_space_reads_as_one_space() {
        let text = "{\t\"a\" \\t : \\\\t[1,\\\\n2]\\t}";
        let json = r#"{ "a" : [1, 2] }"#;
        assert_eq!(scanned(text), Some((json.to_owned(), false)));
    }

    #[checks::test]
    fn strings_are_copied_unchanged() {
        let text = r#"{"a":"\r\n530-\\","b":"} \" %0A"} rest"#;
        assert_eq!(
            scanned(text),
            Some((r#"{"a":"\r\n530-\\","b":"} \" %0A"}"#.to_owned(), false))
        );
    }
}
