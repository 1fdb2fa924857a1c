//! Describes a requirement to a person.

use super::Challenge;
use crate::gare::Location;

/// How many characters of a stranger's text are shown.
const SHOWN: usize = 300;

/// How many characters of a description are shown.
const SHOWN_IN_ALL: usize = 1_000;

/// How many values of a list are shown.
const LISTED: usize = 5;

impl Challenge {
    /// Describes the requirement in a sentence or two, for a person at a terminal.
    ///
    /// The text has at most 1,000 characters, and names at most 5 values of a list. It quotes the
    /// message (`session_message`) without control characters and cut to 300 characters, because a
    /// stranger may have written it. If a GridFTP server, or an action provider of Flows, wrote the
    /// requirement and a service passed it on, the text names that author. It says "consent again"
    /// for scopes that an earlier login brought.
    pub fn in_plain_words(&self) -> String {
        let host = self.target.origin().host();
        if self.is_unauthenticated {
            return format!("{} asks you to log in.", printable(host));
        }
        let parts = joined(&self.parts(), "and");
        let mut text = format!("{} asks you to {parts}", value(host));
        let message = self.gare.message();
        let message = message.as_deref().map(value);
        let message = message.filter(|text| !text.is_empty());
        text += &match (self.author(), message) {
            (None, None) => ".".to_owned(),
            (None, Some(message)) => format!(". It says: \"{message}\""),
            (Some(author), None) => format!(", the {author} says."),
            (Some(author), Some(message)) => format!(". The {author} says: \"{message}\""),
        };
        cut(&text, SHOWN_IN_ALL)
    }

    /// The author of the document that holds the message, unless it is the service itself.
    fn author(&self) -> Option<&'static str> {
        let message = self.gare.message();
        let mut told = self.found.iter();
        let told = told.find(|found| found.gare.message() == message)?;
        match told.location {
            _ if told.is_of_gridftp() => Some("collection's server"),
            // Globus Flows passes on the error of an action provider.
            Location::Cause(_) => Some("action provider"),
            _ => None,
        }
    }

    fn parts(&self) -> Vec<String> {
        let mut parts = Vec::new();
        let required = &self.gare.authorization_parameters;
        let domains = &required.session_required_single_domain;
        if !domains.is_empty() {
            let domains = listed(domains, "or");
            parts.push(format!("log in again with an identity from {domains}"));
        }
        let identities = &required.session_required_identities;
        if !identities.is_empty() {
            parts.push(format!("log in again as {}", listed(identities, "and")));
        }
        let policies = &required.session_required_policies;
        if !policies.is_empty() {
            let noun = if policies.len() == 1 {
                "policy"
            } else {
                "policies"
            };
            let policies = listed(policies, "and");
            parts.push(format!("meet the authentication {noun} {policies}"));
        }
        if required.session_required_mfa {
            parts.push("use multi-factor authentication".to_owned());
        }
        let scopes = required.required_scopes.iter();
        let (held, new): (Vec<_>, Vec<_>) = scopes.partition(|it| self.held_scopes.contains(*it));
        if !new.is_empty() {
            parts.push(format!("consent to {}", listed(&new, "and")));
        }
        if !held.is_empty() {
            parts.push(format!("consent again to {}", listed(&held, "and")));
        }
        if parts.is_empty() {
            parts.push("log in again".to_owned());
        }
        parts
    }
}

fn listed<S: AsRef<str>>(values: &[S], word: &str) -> String {
    let shown = values.iter().take(LISTED);
    let mut shown: Vec<_> = shown.map(|it| named(it.as_ref())).collect();
    let more = values.len() - shown.len();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    joined(&shown, word)
}

fn joined(values: &[String], word: &str) -> String {
    match values {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

/// A value of a list, in quotes if a reader could take it for a part of the sentence.
fn named(text: &str) -> String {
    let shown = value(text);
    match shown.is_empty() || shown.contains(' ') {
        true => format!("\"{shown}\""),
        false => shown,
    }
}

/// A stranger's value, made printable and without characters that could end a quotation.
fn value(text: &str) -> String {
    const QUOTES: [char; 16] = [
        '"', '“', '”', '„', '‟', '＂', 'ʺ', '˝', 'ˮ', '״', '″', '‶', '❝', '❞', '〝', '〞',
    ];
    printable(text).replace(QUOTES, "'")
}

fn cut(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Makes a stranger's text safe to show: on one line, without control and invisible characters, cut
/// to 300 characters.
///
/// ```
/// use globus_gare::reauth::printable;
///
/// assert_eq!(printable("Log in\u{1b}[2J\r\nnow\u{202e}"), "Log in [2J now");
/// ```
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(SHOWN));
    let mut left = SHOWN;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let mut clean = word.chars().filter(|c| !is_invisible(*c)).peekable();
        if clean.peek().is_none() {
            continue;
        }
        if !shown.is_empty() {
            shown.push(' ');
            left = left.saturating_sub(1);
        }
        for c in clean {
            if left == 0 {
                shown.push('…');
                return shown;
            }
            shown.push(c);
            left -= 1;
        }
    }
    shown
}

/// Whether `c` is invisible, or changes how its neighbours are shown: general category `Cf`,
/// ignorable by default, or the Braille blank. A test compares the list with Unicode's data.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}'
        | '\u{8e2}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
