//! Describes a requirement to a person.

use crate::gare::AuthorizationParameters;

/// The author of a requirement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    Service,
    /// The server of a collection, whose text a service passes on.
    Collection,
    /// An action provider, whose error Globus Flows passes on.
    ActionProvider,
}

/// How much of a stranger's text is shown, in characters.
const SHOWN: usize = 300;

/// What `asked` asks for, and the message that goes with it.
pub(super) fn describe(
    host: &str,
    says: Says,
    message: Option<&str>,
    asked: &AuthorizationParameters,
) -> String {
    let mut parts = Vec::new();
    if !asked.session_required_single_domain.is_empty() {
        parts.push(format!(
            "log in again with an identity from {}",
            either(&asked.session_required_single_domain)
        ));
    }
    if !asked.session_required_identities.is_empty() {
        parts.push(format!(
            "log in again as {}",
            listed(&asked.session_required_identities, "and")
        ));
    }
    if !asked.session_required_policies.is_empty() {
        let policies = &asked.session_required_policies;
        let noun = if policies.len() == 1 {
            "policy"
        } else {
            "policies"
        };
        parts.push(format!(
            "meet the authentication {noun} {}",
            listed(policies, "and")
        ));
    }
    if asked.session_required_mfa {
        parts.push("use multi-factor authentication".to_owned());
    }
    if !asked.required_scopes.is_empty() {
        parts.push(format!(
            "consent to {}",
            listed(&asked.required_scopes, "and")
        ));
    }
    if parts.is_empty() {
        parts.push("log in again".to_owned());
    }
    let mut text = format!(
        "{} asks you to {}",
        printable(host),
        listed_raw(&parts, "and")
    );
    let message = message.map(printable).filter(|text| !text.is_empty());
    text += &match (says, message) {
        (Says::Service, None) => ".".to_owned(),
        (Says::Service, Some(message)) => format!(". It says: \"{message}\""),
        (Says::Collection, None) => ", the collection's server says.".to_owned(),
        (Says::Collection, Some(message)) => {
            format!(". The collection's server says: \"{message}\"")
        }
        (Says::ActionProvider, None) => ", the action provider says.".to_owned(),
        (Says::ActionProvider, Some(message)) => {
            format!(". The action provider says: \"{message}\"")
        }
    };
    text
}

fn either(values: &[String]) -> String {
    listed(values, "or")
}

fn listed(values: &[String], word: &str) -> String {
    let values: Vec<String> = values.iter().map(|value| printable(value)).collect();
    listed_raw(&values, word)
}

fn listed_raw(values: &[String], word: &str) -> String {
    match values {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

/// Makes untrusted text safe to show: on one line, without control and invisible characters, cut to
/// 300 characters.
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

/// Characters of the general category Cf and its kin: bidirectional controls
/// (UAX #9), zero-width characters, variation selectors, tags, and the
/// non-characters.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{115f}' | '\u{1160}'
        | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
