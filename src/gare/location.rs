//! Where in a body a requirement was found.

use std::fmt;

/// Where in a body a requirement was found.
///
/// Paths are written as in `errors[1]` or `details.action_statuses[0].details`. They are for people and logs: names that
/// are no plain words are quoted, and long ones are cut.
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
    /// A GridFTP reply in the text at this path; `body` where the body itself is the text. A collection's server wrote it,
    /// whichever service passed it on.
    GridFtp(String),
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("root"),
            Self::Member(path) => f.write_str(path),
            Self::GridFtp(path) => write!(f, "{path} (GridFTP reply)"),
        }
    }
}

/// The way from the root to a value, kept on the stack and written out only when something is found there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'p> {
    last: Option<(&'p Path<'p>, Step<'p>)>,
    depth: usize,
}

#[derive(Clone, Copy, Debug)]
enum Step<'p> {
    Name(&'p str),
    Index(usize),
}

/// How much of a name is shown. Names come from strangers, and a long one would be repeated in every location below it.
const LONGEST_NAME: usize = 64;

impl<'p> Path<'p> {
    pub(super) const ROOT: Path<'static> = Path {
        last: None,
        depth: 0,
    };

    pub(super) fn name(&'p self, name: &'p str) -> Self {
        Path {
            last: Some((self, Step::Name(name))),
            depth: self.depth + 1,
        }
    }

    pub(super) fn index(&'p self, index: usize) -> Self {
        Path {
            last: Some((self, Step::Index(index))),
            depth: self.depth + 1,
        }
    }

    /// How many steps it is from the root.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn document(&self) -> Location {
        match self.last {
            None => Location::Root,
            Some(_) => Location::Member(self.written()),
        }
    }

    pub(super) fn gridftp(&self) -> Location {
        Location::GridFtp(match self.last {
            None => "body".to_owned(),
            Some(_) => self.written(),
        })
    }
}

impl Path<'_> {
    fn write(&self, text: &mut String) {
        let Some((before, step)) = self.last else {
            return;
        };
        before.write(text);
        match step {
            Step::Index(index) => text.push_str(&format!("[{index}]")),
            Step::Name(name) if is_plain(name) => {
                if before.last.is_some() {
                    text.push('.');
                }
                text.push_str(name);
            }
            Step::Name(name) => {
                let shown: String = name.chars().take(LONGEST_NAME).collect();
                let cut = if shown.len() < name.len() { "..." } else { "" };
                text.push_str(&format!("[{shown:?}{cut}]"));
            }
        }
    }

    fn written(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }
}

fn is_plain(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn paths_read_like_code() {
        let root = Path::ROOT;
        assert_eq!(root.document().to_string(), "root");
        assert_eq!(root.gridftp().to_string(), "body (GridFTP reply)");
        let errors = root.name("errors");
        let first = errors.index(0);
        assert_eq!(first.document().to_string(), "errors[0]");
        assert_eq!(first.name("meta").document().to_string(), "errors[0].meta");
        assert_eq!(
            first.name("a.b\n").gridftp().to_string(),
            r#"errors[0]["a.b\n"] (GridFTP reply)"#
        );
        assert_eq!(root.index(3).document().to_string(), "[3]");
        let long = "n".repeat(1000);
        assert_eq!(
            root.name(&long).written().len(),
            LONGEST_NAME + "[\"\"...]".len()
        );
    }
}
