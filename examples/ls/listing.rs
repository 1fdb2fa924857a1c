//! A directory on stdout.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use globus_gare::reauth::printable;
use indicatif::HumanBytes;
use serde::Deserialize;

use crate::failure::Failure;
use crate::options::{Format, Options};

/// What Transfer answers (`file_list`), as far as it is shown.
#[derive(Deserialize)]
struct Listing {
    #[serde(rename = "DATA", default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    permissions: Option<String>,
    size: Option<u64>,
    last_modified: Option<String>,
}

/// Who reads it.
struct Reader {
    styled: bool,
    is_terminal: bool,
}

/// Writes the document that Transfer answered with, as the options say.
pub(crate) fn print(document: &[u8], options: &Options) -> Result<(), Failure> {
    let stdout = io::stdout();
    let reader = Reader {
        styled: AutoStream::choice(&stdout) != ColorChoice::Never,
        is_terminal: stdout.is_terminal(),
    };
    let text = match options.format {
        Format::Json => pretty(document),
        Format::Text => {
            serde_json::from_slice(document).map(|listing| render(&listing, options.long, &reader))
        }
    };
    let text = text
        .map_err(|error| Failure::error(format!("the service's answer is no listing ({error})")))?;
    let mut stdout = stdout.lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::error(format!(
            "the listing cannot be written: {error}"
        ))),
        Ok(()) => Ok(()),
    }
}

fn pretty(document: &[u8]) -> serde_json::Result<String> {
    let value: serde_json::Value = serde_json::from_slice(document)?;
    Ok(serde_json::to_string_pretty(&value)? + "\n")
}

fn render(listing: &Listing, long: bool, reader: &Reader) -> String {
    let mut text = String::new();
    for entry in &listing.entries {
        if long {
            let size = entry
                .size
                .filter(|_| !entry.is_directory())
                .map(|size| HumanBytes(size).to_string());
            let (mode, size, time) = (
                entry.mode(),
                size.unwrap_or_else(|| "-".to_owned()),
                entry.time(),
            );
            // Writing to a String cannot fail.
            let _ = write!(text, "{mode}  {size:>11}  {time:<16}  ");
        }
        let style = if reader.styled {
            entry.style()
        } else {
            Style::new()
        };
        let slash = if entry.is_directory() { "/" } else { "" };
        let _ = writeln!(text, "{style}{}{style:#}{slash}", reader.shown(&entry.name));
    }
    text
}

impl Reader {
    /// A name as it may be shown: what would steer a terminal becomes a question mark there.
    fn shown<'a>(&self, name: &'a str) -> Cow<'a, str> {
        let steers = |c: char| c != ' ' && printable(c.encode_utf8(&mut [0; 4])).is_empty();
        if self.is_terminal && name.contains(steers) {
            name.replace(steers, "?").into()
        } else {
            name.into()
        }
    }
}

impl Entry {
    fn is_directory(&self) -> bool {
        self.kind.as_deref() == Some("dir")
    }

    fn is_link(&self) -> bool {
        self.kind
            .as_deref()
            .is_some_and(|kind| kind.contains("symlink"))
    }

    fn style(&self) -> Style {
        if self.is_directory() {
            AnsiColor::Blue.on_default().bold()
        } else if self.is_link() {
            AnsiColor::Cyan.on_default()
        } else {
            Style::new()
        }
    }

    /// As `ls -l` writes it, of Transfer's octal digits: `drwxr-x---` of `0750`.
    fn mode(&self) -> String {
        let kind = if self.is_directory() {
            'd'
        } else if self.is_link() {
            'l'
        } else {
            '-'
        };
        let bits = self
            .permissions
            .as_deref()
            .and_then(|digits| u32::from_str_radix(digits, 8).ok());
        let letter = |(bit, letter): (u32, char)| match bits {
            Some(bits) if bits >> bit & 1 == 1 => letter,
            Some(_) => '-',
            None => '?',
        };
        std::iter::once(kind)
            .chain((0..9).rev().zip("rwxrwxrwx".chars()).map(letter))
            .collect()
    }

    /// The minute, out of `2026-01-31 12:00:00+00:00`.
    fn time(&self) -> String {
        printable(
            &self
                .last_modified
                .as_deref()
                .unwrap_or("-")
                .chars()
                .take(16)
                .collect::<String>(),
        )
    }
}
