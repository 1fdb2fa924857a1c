//! A directory on stdout.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use globus_gare::reauth::printable;
use indicatif::HumanBytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::options::{Format, Show};
use crate::transfer::Directory;

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

/// Writes a directory as the options say.
pub(crate) fn print(directory: Directory, show: &Show) -> Result<(), Failure> {
    let stdout = io::stdout();
    let reader = Reader {
        styled: AutoStream::choice(&stdout) != ColorChoice::Never,
        is_terminal: stdout.is_terminal(),
    };
    let text = match show.format {
        Format::Json => json(directory),
        Format::Text => text(directory, show, &reader),
    };
    let text = text.map_err(Failure::no_listing)?;
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

/// The first document, with the entries of all.
fn json(directory: Directory) -> serde_json::Result<String> {
    let Directory {
        mut document,
        entries,
    } = directory;
    document["length"] = entries.len().into();
    document["DATA"] = Value::Array(entries);
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn text(directory: Directory, show: &Show, reader: &Reader) -> serde_json::Result<String> {
    let mut text = String::new();
    for entry in directory.entries {
        let entry: Entry = serde_json::from_value(entry)?;
        if show.long {
            let (mode, size, time) = (entry.mode(), entry.size(show.bytes), entry.time(show.utc));
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
    Ok(text)
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

    /// `4.70 KiB`, or `4815`; a directory has none.
    fn size(&self, bytes: bool) -> String {
        match self.size.filter(|_| !self.is_directory()) {
            Some(size) if bytes => size.to_string(),
            Some(size) => HumanBytes(size).to_string(),
            None => "-".to_owned(),
        }
    }

    /// The minute, in the time zone of the reader, out of `2026-01-31 12:00:00+00:00`.
    fn time(&self, utc: bool) -> String {
        let text = self.last_modified.as_deref().unwrap_or("-");
        let zone = if utc {
            TimeZone::UTC
        } else {
            TimeZone::system()
        };
        match text.parse::<Timestamp>() {
            Ok(time) => time
                .to_zoned_datetime(zone)
                .strftime("%Y-%m-%d %H:%M")
                .to_string(),
            Err(_) => printable(&text.chars().take(16).collect::<String>()),
        }
    }
}
