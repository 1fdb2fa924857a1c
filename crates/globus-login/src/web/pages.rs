//! Responses to a browser or an API client: a login is needed, or something failed.

use std::error::Error;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use url::Url;

use super::browser::Browser;
use super::return_path::ReturnPath;
use super::state::TooLong;
use crate::auth::AuthError;
use crate::page::{Page, reason};
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::{Challenge, ReauthError};

const FAILED: (&str, &str) = ("!", "failed");
const DECLINED: (&str, &str) = ("–", "declined");
const UNKNOWN: (&str, &str) = ("?", "failed");

const AGAIN: &str = "Log in again";
const HOME: &str = "Go to the start page";

/// The JSON for an API client whose user has to log in: a GARE, and the URL to send the person to.
#[derive(Serialize)]
struct LoginNeeded<'a> {
    code: &'a str,
    authorization_parameters: &'a AuthorizationParameters,
    login_url: &'a str,
}

/// The JSON for an API client after an error that no login can fix.
#[derive(Serialize)]
struct Failed<'a> {
    code: &'a str,
    message: &'a str,
}

/// The `401` of an API call.
pub(super) fn login_needed(challenge: Option<&Challenge>, url: &Url) -> Response {
    let none = AuthorizationParameters::default().with_session_message("Log in to continue.");
    let gare = challenge
        .filter(|challenge| !challenge.is_unauthenticated())
        .map(Challenge::gare);
    let document = LoginNeeded {
        code: gare.map_or("AuthenticationRequired", |gare| gare.code.as_str()),
        authorization_parameters: gare.map_or(&none, |gare| &gare.authorization_parameters),
        login_url: url.as_str(),
    };
    json(StatusCode::UNAUTHORIZED, &document)
}

/// Logs the error, and says only that the request failed: the error may name machines of the
/// service.
pub(super) fn failed(browser: &Browser, error: &ReauthError) -> Response {
    tracing::warn!(%error, source = causes(error), "a request of a user failed");
    let (status, text) = match error.is_unavailable() {
        true => (
            StatusCode::SERVICE_UNAVAILABLE,
            "A service that this site needs does not answer. Your login is kept. Try again in a minute.",
        ),
        false => (
            StatusCode::BAD_GATEWAY,
            "This site could not complete the request. Try again. If it fails again, tell the operators of this site: \
             the reason is in its log.",
        ),
    };
    match browser.shows_page {
        true => {
            let page = Page::new(status, FAILED, "The request failed", text);
            page.with_link(browser.back.as_str(), "Try again")
                .response()
        }
        false => json(
            status,
            &Failed {
                code: "Unavailable",
                message: text,
            },
        ),
    }
}

/// The response if the requirement and the scopes of a login do not fit into its `state`.
pub(super) fn too_long(browser: &Browser) -> Response {
    let text = "The login has to ask for more than fits into its address. Log out, then log in again. If you see this \
        again, tell the operators of this site.";
    tracing::warn!(error = %TooLong, "a login failed");
    let status = StatusCode::PAYLOAD_TOO_LARGE;
    match browser.shows_page {
        true => {
            let page = Page::new(status, FAILED, "The login is too large", text);
            page.with_link("/", HOME).response()
        }
        false => json(
            status,
            &Failed {
                code: "LoginTooLarge",
                message: text,
            },
        ),
    }
}

pub(super) fn no_login() -> Response {
    let text = "Nothing was changed. A login ends at this page, but this address belongs to no login. \
        Go to the start page and log in there.";
    let title = "This page belongs to no login";
    home(StatusCode::BAD_REQUEST, title, text)
}

pub(super) fn only_get() -> Response {
    let text = "A login ends at this page. Open the start page in a browser.";
    home(
        StatusCode::METHOD_NOT_ALLOWED,
        "There is nothing here",
        text,
    )
}

/// The page for a browser without the cookie of the login, or with a changed `state`.
pub(super) fn another_browser() -> Response {
    let text = "Nothing was changed. A login has to end in the browser in which it began, and that browser has to keep \
        a cookie until then. Allow cookies for this site, and log in again in this browser.";
    let title = "This login did not begin in this browser";
    home(StatusCode::FORBIDDEN, title, text)
}

fn home(status: StatusCode, title: &'static str, text: &str) -> Response {
    let page = Page::new(status, UNKNOWN, title, text);
    page.with_link("/", HOME).response()
}

pub(super) fn too_late(back: &ReturnPath) -> Response {
    let text = "Nothing was changed. A login has to end within 10 minutes. Log in again.";
    let page = Page::new(StatusCode::GONE, UNKNOWN, "The login took too long", text);
    page.with_link(back.as_str(), AGAIN).response()
}

pub(super) fn logged_out(back: &ReturnPath) -> Response {
    let text = "You logged out after this login began, or this site no longer has your login. This login was \
        ignored. Log in again.";
    let title = "You are not logged in";
    let page = Page::new(StatusCode::CONFLICT, UNKNOWN, title, text);
    page.with_link(back.as_str(), AGAIN).response()
}

pub(super) fn another_person(back: &ReturnPath) -> Response {
    let text = "This browser is logged in here as one person, and another person has just logged in at Globus. Nothing \
        was changed. To continue as the other person, log out here first, or use another browser.";
    let title = "Another person has logged in";
    let page = Page::new(StatusCode::FORBIDDEN, FAILED, title, text);
    page.with_link(back.as_str(), "Go back").response()
}

fn is_of_globus_auth(error: &ReauthError) -> bool {
    let source = error.source();
    source.is_some_and(|source| source.is::<AuthError>())
}

/// The page for a redirect without a code: Globus Auth ended the login, or the redirect is
/// malformed.
pub(super) fn no_code(error: &ReauthError, back: &ReturnPath) -> Response {
    match error.is_declined() || is_of_globus_auth(error) {
        true => not_logged_in(error, back),
        false => no_login(),
    }
}

/// The page after a login that brought no tokens: declined by the person, or failed.
pub(super) fn not_logged_in(error: &ReauthError, back: &ReturnPath) -> Response {
    let page = if error.is_declined() {
        let text = format!("{}Nothing was changed.", reason(error));
        Page::new(
            StatusCode::FORBIDDEN,
            DECLINED,
            "The login was declined",
            text,
        )
    } else if is_of_globus_auth(error) {
        let text = format!("{}Nothing was changed.", reason(error));
        Page::new(StatusCode::BAD_REQUEST, FAILED, "The login failed", text)
    } else {
        tracing::warn!(%error, source = causes(error), "a login failed");
        let text = "Globus Auth, or the place where this site keeps its logins, did not answer as expected. Log in again \
            in a minute. If it fails again, tell the operators of this site: the reason is in its log.";
        Page::new(StatusCode::BAD_GATEWAY, FAILED, "The login failed", text)
    };
    page.with_link(back.as_str(), AGAIN).response()
}

/// All sources of an error, for the log.
fn causes(error: &ReauthError) -> String {
    let (mut causes, mut next) = (Vec::new(), error.source());
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.join(": ")
}

fn json(status: StatusCode, document: &impl Serialize) -> Response {
    let text = serde_json::to_vec(document).unwrap_or_default();
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, Body::from(text)).into_response()
}
