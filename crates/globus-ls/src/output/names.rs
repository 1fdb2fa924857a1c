//! Names with colours, and without characters that steer a terminal.

use std::io::{IsTerminal, Stdout};

use anstream::{AutoStream, ColorChoice};
use globus_gare::reauth::printable;
use lscolors::{Indicator, LsColors, Style};

use crate::entry::{Entry, Kind, Target};

/// Formats names for a terminal, a file or a pipe.
pub(super) struct Names {
    colors: Option<LsColors>,
    is_terminal: bool,
}

impl Names {
    pub(super) fn of(stdout: &Stdout) -> Self {
        let is_styled = AutoStream::choice(stdout) != ColorChoice::Never;
        Self {
            colors: is_styled.then(|| LsColors::from_env().unwrap_or_default()),
            is_terminal: stdout.is_terminal(),
        }
    }

    /// The name, coloured by its type, with a slash after that of a directory.
    pub(super) fn shown(&self, entry: &Entry) -> String {
        let name = match self.is_terminal {
            true => masked(&entry.name),
            false => entry.name.clone(),
        };
        let slash = match entry.leads_to_directory() {
            true => "/",
            false => "",
        };
        match self.style(entry) {
            Some(style) => format!("{}{slash}", style.to_nu_ansi_term_style().paint(name)),
            None => name + slash,
        }
    }

    /// The style by Transfer's data: the functions of `lscolors` for paths read the local disk.
    fn style(&self, entry: &Entry) -> Option<&Style> {
        let colors = self.colors.as_ref()?;
        let is_executable = entry.permissions.is_some_and(|bits| bits & 0o111 != 0);
        let indicator = match entry.kind {
            Kind::Directory => Indicator::Directory,
            Kind::Link {
                to: Target::Nothing,
            } => Indicator::OrphanedSymbolicLink,
            Kind::Link { .. } => Indicator::SymbolicLink,
            Kind::File if is_executable => Indicator::ExecutableFile,
            Kind::File => {
                let by_name = colors.style_for_str(&entry.name);
                return by_name.or_else(|| colors.style_for_indicator(Indicator::RegularFile));
            }
            Kind::Other => return None,
        };
        colors.style_for_indicator(indicator)
    }
}

/// The name with a question mark for each character that would steer a terminal.
fn masked(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    let mut before = None;
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        let joins = is_pictograph(before) && is_pictograph(rest.peek().copied());
        let is_kept = match c {
            ' ' => true,
            // A joiner is kept between two pictographs, which it makes one.
            '\u{200d}' => joins,
            // A selector is kept after a pictograph, whose coloured form it selects.
            '\u{fe0f}' => is_pictograph(before),
            _ => !printable(c.encode_utf8(&mut [0; 4])).is_empty(),
        };
        shown.push(if is_kept { c } else { '?' });
        before = Some(c);
    }
    shown
}

/// Whether `c` is a pictograph, or the selector at its end.
fn is_pictograph(c: Option<char>) -> bool {
    c.is_some_and(|c| matches!(c, '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn joined_pictographs_stay_whole() {
        for (name, expected) in [
            ("👩‍🔬.txt", "👩‍🔬.txt"),
            ("❤️‍🔥", "❤️‍🔥"),
            ("👩🏽‍🚀", "👩🏽‍🚀"),
            ("a\u{200d}b", "a?b"),
            ("👩\u{200d}b", "👩?b"),
            ("a\u{fe0f}", "a?"),
            ("a b", "a b"),
            ("a\u{1b}[2J\n\u{202e}", "a?[2J??"),
        ] {
            assert_eq!(masked(name), expected);
        }
    }
}
