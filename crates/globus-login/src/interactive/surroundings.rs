//! What can be done where the program runs.

use std::env;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::Path;

/// They work in the terminal, which is ours, and not with the pages of most campuses.
const TEXT_BROWSERS: [&str; 10] = [
    "www-browser",
    "lynx",
    "links",
    "links2",
    "elinks",
    "w3m",
    "eww",
    "netrik",
    "retawq",
    "browsh",
];

#[derive(Debug)]
pub(super) struct Surroundings {
    /// Why no browser opens; nothing where one may.
    pub(super) browser: Option<NoBrowser>,
    /// Whether somebody can type here, and sees what we say.
    pub(super) terminal: bool,
}

/// Why no browser opens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoBrowser {
    #[error("it is not wanted")]
    Unwanted,
    #[error("this is a remote session (SSH)")]
    Remote,
    #[error("there is no display")]
    NoDisplay,
    #[error("{0} is a text browser")]
    Text(String),
    #[error("it could not be started ({0})")]
    NotOpened(String),
    #[error("it could not lead back here ({0})")]
    NoPort(String),
}

impl Surroundings {
    pub(super) fn look() -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        // Others than these always have a display.
        let needs_display = cfg!(unix) && !cfg!(target_os = "macos");
        Self {
            browser: refusal(|name| env::var_os(name), needs_display),
            terminal,
        }
    }
}

fn refusal(variable: impl Fn(&str) -> Option<OsString>, needs_display: bool) -> Option<NoBrowser> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let any = |names: &[&str]| names.iter().any(|name| set(name).is_some());
    if let Some(browser) = set("BROWSER") {
        // Whoever names a browser wants it, over SSH too: some editors forward it.
        return text_browser(&browser.to_string_lossy()).map(NoBrowser::Text);
    }
    if any(&["SSH_TTY", "SSH_CONNECTION", "SSH_CLIENT"]) {
        return Some(NoBrowser::Remote);
    }
    // The Windows around WSL has a display.
    let displays = [
        "DISPLAY",
        "WAYLAND_DISPLAY",
        "WSL_DISTRO_NAME",
        "WSL_INTEROP",
    ];
    (needs_display && !any(&displays)).then_some(NoBrowser::NoDisplay)
}

/// The program that `BROWSER` names first, if it is a text browser.
fn text_browser(browser: &str) -> Option<String> {
    let first = browser.split(':').find(|entry| !entry.trim().is_empty())?;
    let program = Path::new(first.split_whitespace().next()?).file_name()?;
    let program = program.to_string_lossy().into_owned();
    TEXT_BROWSERS.contains(&program.as_str()).then_some(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn browser_opens_only_where_a_person_sees_it() {
        let text = |name: &str| Some(NoBrowser::Text(name.to_owned()));
        for (variables, expected) in [
            (&[("DISPLAY", ":0")][..], None),
            (&[("WAYLAND_DISPLAY", "wayland-0")], None),
            (&[], Some(NoBrowser::NoDisplay)),
            (&[("DISPLAY", "")], Some(NoBrowser::NoDisplay)),
            (
                &[("SSH_TTY", "/dev/pts/1"), ("DISPLAY", ":10")],
                Some(NoBrowser::Remote),
            ),
            (&[("SSH_CONNECTION", "1 2 3 4")], Some(NoBrowser::Remote)),
            (
                &[
                    ("SSH_CONNECTION", "1 2 3 4"),
                    ("BROWSER", "/opt/code/browser.sh"),
                ],
                None,
            ),
            (&[("WSL_DISTRO_NAME", "Debian")], None),
            (&[("BROWSER", "firefox")], None),
            (&[("BROWSER", "lynx"), ("DISPLAY", ":0")], text("lynx")),
            (&[("BROWSER", "/usr/bin/w3m -T %s:firefox")], text("w3m")),
            (&[("BROWSER", "firefox:lynx")], None),
            (&[("BROWSER", ":elinks")], text("elinks")),
        ] {
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| OsString::from(value))
            };
            assert_eq!(refusal(variable, true), expected, "{variables:?}");
        }
        assert_eq!(refusal(|_| None, false), None, "macOS and Windows");
    }
}
