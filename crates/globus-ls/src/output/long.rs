//! Type and permissions, size, time and name.

use std::io;

use globus_gare::reauth::printable;
use indicatif::HumanBytes;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Names, Output, Sink};
use crate::entry::{Entry, Kind};
use crate::options::OutputArgs;

pub(super) struct Long {
    sink: Sink,
    names: Names,
    size: Size,
    zone: TimeZone,
}

/// How sizes are written.
#[derive(Clone, Copy)]
enum Size {
    /// `4.70 KiB`
    Units,
    /// `4815`
    Bytes,
    /// `4.8K`, as `ls -h` does
    Short,
}

impl Long {
    pub(super) fn new(sink: Sink, names: Names, args: &OutputArgs) -> Self {
        Self {
            sink,
            names,
            size: match (args.bytes, args.human_readable) {
                (true, _) => Size::Bytes,
                (false, true) => Size::Short,
                (false, false) => Size::Units,
            },
            zone: if args.utc {
                TimeZone::UTC
            } else {
                TimeZone::system()
            },
        }
    }

    /// The time to the minute, in the time zone of the reader.
    fn time(&self, entry: &Entry) -> String {
        let text = entry.modified.as_deref().unwrap_or("-");
        match text.parse::<Timestamp>() {
            Ok(time) => {
                let time = time.to_zoned_datetime(self.zone.clone());
                time.strftime("%Y-%m-%d %H:%M").to_string()
            }
            Err(_) => printable(&text.chars().take(16).collect::<String>()),
        }
    }
}

impl Output for Long {
    fn sink(&mut self) -> &mut Sink {
        &mut self.sink
    }

    fn entry(&mut self, entry: Entry) -> io::Result<()> {
        let (mode, time) = (mode(&entry), self.time(&entry));
        // The size of a directory is not the size of its files.
        let size = entry.size.filter(|_| !entry.leads_to_directory());
        let size = size.map_or("-".to_owned(), |size| self.size.of(size));
        let name = self.names.shown(&entry);
        self.sink
            .write(&format!("{mode}  {size:>11}  {time:<16}  {name}\n"))
    }
}

/// The type and permissions as `ls -l` prints them: `drwxr-x---`.
fn mode(entry: &Entry) -> String {
    let kind = match entry.kind {
        Kind::Directory => 'd',
        Kind::Link { .. } => 'l',
        Kind::File | Kind::Other => '-',
    };
    let letter = |(bit, letter): (u32, char)| match entry.permissions {
        Some(bits) if bits >> bit & 1 == 1 => letter,
        Some(_) => '-',
        None => '?',
    };
    let letters = (0..9).rev().zip("rwxrwxrwx".chars()).map(letter);
    std::iter::once(kind).chain(letters).collect()
}

impl Size {
    fn of(self, size: u64) -> String {
        match self {
            Self::Units => HumanBytes(size).to_string(),
            Self::Bytes => size.to_string(),
            Self::Short => short(size),
        }
    }
}

/// Rounded up, with one decimal below 10: `4.8K`, `12M`.
fn short(size: u64) -> String {
    if size < 1024 {
        return size.to_string();
    }
    let (size, mut unit) = (u128::from(size), 1024);
    for letter in ["K", "M", "G", "T", "P"] {
        let tenths = (size * 10).div_ceil(unit);
        if tenths < 100 {
            return format!("{}.{}{letter}", tenths / 10, tenths % 10);
        }
        let whole = size.div_ceil(unit);
        if whole < 1024 {
            return format!("{whole}{letter}");
        }
        unit *= 1024;
    }
    let tenths = (size * 10).div_ceil(unit);
    match tenths < 100 {
        true => format!("{}.{}E", tenths / 10, tenths % 10),
        false => format!("{}E", size.div_ceil(unit)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expected texts are those of `ls -lh` of coreutils.
    #[checks::test]
    fn short_sizes_are_those_of_ls() {
        for (size, expected) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1.0K"),
            (1025, "1.1K"),
            (4815, "4.8K"),
            (10_137, "9.9K"),
            (10_138, "10K"),
            (1_047_553, "1.0M"),
            (2_000_000, "2.0M"),
            (u64::MAX, "16E"),
        ] {
            assert_eq!(short(size), expected, "{size}");
        }
    }
}
