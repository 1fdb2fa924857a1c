//! Parses pasted text: a code, or an address with a code.

use oauth2::CsrfToken;
use serde::Deserialize;
use url::{Position, Url};

use crate::{LoginReply, LoginRequest};

/// The query of a redirect, pasted without its address.
#[derive(Deserialize)]
struct Query {
    code: String,
    state: Option<CsrfToken>,
}

/// Parses a pasted text. The error is a sentence for the person. `here` is the redirect URI of the
/// loopback port.
pub(super) fn reply(
    request: &LoginRequest,
    here: Option<&str>,
    text: &str,
) -> Result<LoginReply, &'static str> {
    let text = unquoted(text);
    if let Some(url) = address(text) {
        return from_address(request, here, url);
    }
    let query = text.trim_start_matches(['?', '&', '/']);
    let code = match serde_urlencoded::from_str::<Query>(query) {
        Ok(query) => {
            let is_ours = |state| request.page().has_state(state);
            if !query.state.is_none_or(is_ours) {
                return Err("This code belongs to another login.");
            }
            query.code
        }
        Err(_) => text.to_owned(),
    };
    // Codes are visible ASCII (RFC 6749, appendix A.11).
    match code.bytes().all(|byte| byte.is_ascii_graphic()) && !code.is_empty() {
        true => Ok(LoginReply::Code(code)),
        false => Err("This is not a code."),
    }
}

fn from_address(
    request: &LoginRequest,
    here: Option<&str>,
    url: Url,
) -> Result<LoginReply, &'static str> {
    let place = |url: &Url| url[..Position::AfterPath].to_owned();
    if place(&url) == place(request.authorize_url()) {
        return Err(
            "This is the address of the login page. Open it in a browser and log in there, then paste the code that the page shows.",
        );
    }
    let says_something = url
        .query_pairs()
        .any(|(name, _)| name == "code" || name == "error");
    if !says_something || !request.is_answered_by(&url) {
        return Err("This address does not belong to this login.");
    }
    let came_here = |here: &&str| Url::parse(here).is_ok_and(|here| place(&here) == place(&url));
    let redirect_uri = here.filter(came_here).unwrap_or(request.redirect_uri());
    Ok(LoginReply::Redirect {
        redirect_uri: redirect_uri.to_owned(),
        url,
    })
}

/// A URL with a host. Some browsers copy it without the scheme.
fn address(text: &str) -> Option<Url> {
    let with_host = |text: &str| Url::parse(text).ok().filter(Url::has_host);
    with_host(text).or_else(|| {
        let (host, _) = text.split_once('/')?;
        let is_host = host.contains(['.', ':']) && !host.contains(['=', '?', ' ']);
        is_host.then(|| with_host(&format!("http://{text}")))?
    })
}

/// The text without quotes and white space around it.
fn unquoted(text: &str) -> &str {
    const QUOTES: [char; 12] = ['"', '\'', '`', '<', '>', '“', '”', '„', '‘', '’', '«', '»'];
    text.trim_matches(|c: char| c.is_whitespace() || QUOTES.contains(&c))
}
