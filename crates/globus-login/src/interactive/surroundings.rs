//! Finds out whether this program can open a browser, and whether it has a terminal.

use std::env;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::Path;

/// Text browsers take over the terminal, and do not work with the login pages of most campuses.
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
    /// The reason why no browser opens; `None` if one can.
    pub(super) browser: Option<NoBrowser>,
    /// Whether stdin and stderr are a terminal.
    pub(super) terminal: bool,
}

/// The reason why no browser opens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoBrowser {
    #[error("the program does not use one")]
    Unwanted,
    #[error("this is an SSH session")]
    Remote,
    #[error("there is no display")]
    NoDisplay,
    #[error("{0} is a text browser")]
    Text(String),
    #[error("the browser could not be started: {0}")]
    NotOpened(String),
    #[error("no port could be opened for its redirect: {0}")]
    NoPort(String),
}

impl Surroundings {
    pub(super) fn look() -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        // macOS and Windows always have a display.
        let needs_display = cfg!(unix) && !cfg!(target_os = "macos");
        Self {
            browser: obstacle(|name| env::var_os(name), needs_display),
            terminal,
        }
    }
}

fn obstacle(variable: impl Fn(&str) -> Option<OsString>, needs_display: bool) -> Option<NoBrowser> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let any = |names: &[&str]| names.iter().any(|name| set(name).is_some());
    if let Some(browser) = set("BROWSER") {
        // A named browser is opened over SSH as well: some editors forward it.
        return text_browser(&browser.to_string_lossy()).map(NoBrowser::Text);
    }
    if any(&["SSH_TTY", "SSH_CONNECTION", "SSH_CLIENT"]) {
        return Some(NoBrowser::Remote);
    }
    // WSL opens the browser of Windows.
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
            assert_eq!(obstacle(variable, true), expected, "{variables:?}");
        }
        assert_eq!(obstacle(|_| None, false), None, "macOS and Windows");
    }
}
