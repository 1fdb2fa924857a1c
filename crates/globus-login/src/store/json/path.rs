//! The paths of the token file and of the files beside it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::super::StoreError;
use super::super::files::directory_of;

type Variable = fn(&str) -> Option<OsString>;

/// The path at which the Python SDK keeps the file of an app in an environment.
pub(super) fn of_app(
    environment: &str,
    client_id: &str,
    app_name: &str,
    variable: Variable,
) -> Result<PathBuf, StoreError> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let base = if cfg!(windows) {
        let data = set("LOCALAPPDATA").or_else(|| set("APPDATA"));
        data.map(|data| PathBuf::from(data).join("globus"))
    } else {
        std::env::home_dir().map(|home| home.join(".globus"))
    };
    let base = base.ok_or_else(|| {
        StoreError::because("there is no home directory for the token file: set HOME")
    })?;
    let prefix = match environment {
        "production" => String::new(),
        name => format!("{name}-"),
    };
    let directory = base.join("app").join(client_id).join(slug(app_name)?);
    Ok(directory.join(format!("{prefix}tokens.json")))
}

/// The maximum number of links in a chain, as on Linux.
const MAX_LINKS: usize = 40;

/// The path behind all symbolic links; the file need not exist. Programs with different links to a
/// file thus use one lock.
pub(super) fn resolve(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = std::fs::read_link(&path) else {
            break;
        };
        // An absolute target replaces the path.
        path = path.with_file_name("").join(target);
    }
    let parent = std::fs::canonicalize(directory_of(&path));
    match (parent, path.file_name()) {
        (Ok(parent), Some(name)) => parent.join(name),
        _ => path,
    }
}

/// A file name that is valid on every system: other bytes are written in hexadecimal, and a long
/// name is hashed.
pub(super) fn file_name(name: &str) -> String {
    let safe: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            byte => format!("%{byte:02x}"),
        })
        .collect();
    if safe.len() > 120 {
        return super::super::digest(name.as_bytes());
    }
    safe
}

/// The directory name for an app's name, by the rules of the Python SDK.
fn slug(name: &str) -> Result<String, StoreError> {
    let slug: String = name
        .chars()
        .map(|c| match c {
            '<' | '>' | ':' | '"' | '/' | '\\' | '|' | '?' | '*' => '+',
            '.' | ' ' => '-',
            c => c,
        })
        .filter(|c| is_printable(*c))
        .collect::<String>()
        .to_lowercase();
    let device = |prefix: &str| {
        slug.strip_prefix(prefix)
            .is_some_and(|rest| rest.chars().count() == 1 && rest.chars().all(char::is_numeric))
    };
    let reserved =
        matches!(slug.as_str(), "con" | "prn" | "aux" | "nul") || device("com") || device("lpt");
    if slug.is_empty() || reserved {
        return Err(StoreError::because(format!(
            "an app cannot have the name {name:?}: a directory with that name would hold the tokens"
        )));
    }
    Ok(slug)
}

/// As Python's `str.isprintable`: no control, format or private-use characters, and no white space.
fn is_printable(c: char) -> bool {
    let is_format = matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}');
    let is_private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..);
    !(c.is_control() || c.is_whitespace() || is_format || is_private)
}
