use std::fmt;

/// The place of a requirement in a body.
///
/// A path looks like `errors[1]` or `details.action_statuses[0].details`. It is for people and
/// logs: a name that is not a plain word is quoted, a long name is cut to 64 characters, and
/// a long path to its end.
///
/// ```
/// let body = br#"{"errors": [{"code": "X", "authorization_parameters": {}}]}"#;
/// assert_eq!(globus_gare::gare::detect(body)[0].location.to_string(), "errors[0]");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Location {
    /// The root document.
    Root,
    /// The document at this path.
    Member(String),
    /// A GridFTP reply in the text at this path, or `body` if the body itself is the text. A
    /// collection's server wrote it; a service passed it on.
    GridFtp(String),
    /// The error of an action provider, as JSON in the `cause` at this path.
    Cause(String),
    /// No body: a collection's server redirected the request to a login.
    Redirect,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("root"),
            Self::Member(path) => f.write_str(path),
            Self::GridFtp(path) => write!(f, "{path} (GridFTP reply)"),
            Self::Cause(path) => write!(f, "{path} (action provider)"),
            Self::Redirect => f.write_str("redirect"),
        }
    }
}

/// The path from the root to a value. It is kept on the stack, and written out only if a
/// requirement is found there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path<'p> {
    Root,
    Name(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

/// How many characters of a name are shown. Names come from strangers, and each location below a
/// long name repeats it.
const LONGEST_NAME: usize = 64;

/// How many characters of the path before a member are shown.
const LONGEST_START: usize = 256;

impl Path<'_> {
    /// The number of steps from the root.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Root => 0,
            Self::Name(before, _) | Self::Index(before, _) => before.depth() + 1,
        }
    }

    /// The location of a document at this path.
    pub(super) fn document(&self) -> Location {
        match self {
            Self::Root => Location::Root,
            _ => Location::Member(self.written()),
        }
    }

    pub(super) fn written(&self) -> String {
        match *self {
            Self::Root => "body".to_owned(),
            Self::Index(before, index) => format!("{}[{index}]", before.start()),
            Self::Name(before, name) if is_plain(name) => {
                let start = before.start();
                let dot = if start.is_empty() { "" } else { "." };
                [&start, dot, name].concat()
            }
            Self::Name(before, name) => {
                let shown: String = name.chars().take(LONGEST_NAME).collect();
                let cut = if shown.len() < name.len() { "..." } else { "" };
                format!("{}[{shown:?}{cut}]", before.start())
            }
        }
    }

    /// The path of this value, before the path of a member. A long one is cut to its end.
    fn start(&self) -> String {
        if matches!(self, Self::Root) {
            return String::new();
        }
        let written = self.written();
        match written.char_indices().nth_back(LONGEST_START - 1) {
            Some((at, _)) if at > 0 => format!("...{}", written.get(at..).unwrap_or_default()),
            _ => written,
        }
    }
}

fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn location_is_written_like_code() {
        let root = Path::Root;
        let errors = Path::Name(&root, "errors");
        let first = Path::Index(&errors, 0);
        let long = "n".repeat(1000);
        for (path, written, depth) in [
            (root, "body", 0),
            (errors, "errors", 1),
            (first, "errors[0]", 2),
            (Path::Name(&first, "meta"), "errors[0].meta", 3),
            (Path::Name(&first, "a.b\n"), r#"errors[0]["a.b\n"]"#, 3),
            (Path::Index(&root, 3), "[3]", 1),
            (Path::Name(&root, ""), r#"[""]"#, 1),
            (
                Path::Name(&root, &long),
                &format!("[\"{}\"...]", "n".repeat(LONGEST_NAME)),
                1,
            ),
        ] {
            assert_eq!((path.written().as_str(), path.depth()), (written, depth));
        }
        assert_eq!(root.document().to_string(), "root");
        assert_eq!(first.document().to_string(), "errors[0]");
    }

    #[checks::test]
    fn path_before_a_member_is_cut_to_256_characters() {
        let part = "p".repeat(LONGEST_NAME);
        let (root, end) = (Path::Root, |length| "q".repeat(length));
        let one = Path::Name(&root, &part);
        let two = Path::Name(&one, &part);
        let three = Path::Name(&two, &part);
        let whole = format!("{part}.{part}.{part}.{}", end(61));
        let cut = format!("...{}.{part}.{part}.{}", &part[1..], end(62));
        for (length, start) in [(61, whole), (62, cut)] {
            let name = end(length);
            let path = Path::Name(&three, &name);
            assert_eq!(Path::Name(&path, "x").written(), format!("{start}.x"));
        }
    }
}
