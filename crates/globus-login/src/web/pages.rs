//! What a browser is shown, and a program told, that has to log in or cannot go on.

use std::error::Error;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use url::Url;

use super::browser::Browser;
use super::return_path::ReturnPath;
use crate::auth::AuthError;
use crate::page::{Page, reason};
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::{Challenge, ReauthError};

const FAILED: (&str, &str) = ("!", "failed");
const DECLINED: (&str, &str) = ("–", "declined");
const UNKNOWN: (&str, &str) = ("?", "failed");

const AGAIN: &str = "Log in again";
const HOME: &str = "Go to the start page";

/// For a program: a GARE, with the page to send the person to.
#[derive(Serialize)]
struct LoginNeeded<'a> {
    code: &'a str,
    authorization_parameters: &'a AuthorizationParameters,
    login_url: &'a str,
}

/// For a program: an error that no login mends.
#[derive(Serialize)]
struct Failed<'a> {
    code: &'a str,
    message: &'a str,
}

/// The `401` of an API call.
pub(super) fn login_needed(challenge: Option<&Challenge>, url: &Url) -> Response {
    let none = AuthorizationParameters::default().with_session_message("Log in to go on.");
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

/// What failed is for the log: it may name machines of the service.
pub(super) fn failed(browser: &Browser, error: &ReauthError) -> Response {
    let source = error.source().map(ToString::to_string);
    tracing::warn!(
        error = %error,
        source = source.as_deref().unwrap_or_default(),
        "a request of a user failed"
    );
    let (status, text) = match error.is_unavailable() {
        true => (
            StatusCode::SERVICE_UNAVAILABLE,
            "What this site needs does not answer now. Nothing is lost: try again in a minute.",
        ),
        false => (
            StatusCode::BAD_GATEWAY,
            "This site could not do what it was asked for. Its operators can read the reason in its log.",
        ),
    };
    match browser.shows_page {
        true => {
            let page = Page::new(status, FAILED, "It did not work", text);
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

/// What a login would ask for does not go into its `state`.
pub(super) fn too_long(browser: &Browser) -> Response {
    let text = "The login that is needed asks for more than can be sent along with it. Log out, and log in anew; \
        if it comes again, tell the operators of this site.";
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
    let text = "Nothing happened. A login ends here, and this address belongs to none.";
    let title = "This page belongs to no login";
    home(StatusCode::BAD_REQUEST, title, text)
}

pub(super) fn only_get() -> Response {
    let text = "A login ends here, in a browser that opens the page.";
    home(
        StatusCode::METHOD_NOT_ALLOWED,
        "There is nothing here",
        text,
    )
}

/// The page for a browser without the cookie of the login, or with a changed `state`.
pub(super) fn another_browser() -> Response {
    let text = "Nothing happened. A login ends in the browser in which it began, which has to keep a cookie until then. \
        Begin anew in this browser.";
    let title = "This login did not begin in this browser";
    home(StatusCode::FORBIDDEN, title, text)
}

fn home(status: StatusCode, title: &'static str, text: &str) -> Response {
    let page = Page::new(status, UNKNOWN, title, text);
    page.with_link("/", HOME).response()
}

pub(super) fn too_late(back: &ReturnPath) -> Response {
    let text = "Nothing happened. A login has to end within 10 minutes. Log in again: it is a matter of seconds.";
    let page = Page::new(StatusCode::GONE, UNKNOWN, "The login took too long", text);
    page.with_link(back.as_str(), AGAIN).response()
}

pub(super) fn logged_out(back: &ReturnPath) -> Response {
    let text = "You have logged out since this login began, or this site has forgotten your login. So it counts no more.";
    let title = "You are not logged in any more";
    let page = Page::new(StatusCode::CONFLICT, UNKNOWN, title, text);
    page.with_link(back.as_str(), AGAIN).response()
}

pub(super) fn another_person(back: &ReturnPath) -> Response {
    let text = "This browser is logged in here as one person, and another one has just logged in at Globus. Nothing \
        was changed. To go on as the other person, log out here first, or use another browser.";
    let title = "Somebody else has logged in";
    let page = Page::new(StatusCode::FORBIDDEN, FAILED, title, text);
    page.with_link(back.as_str(), "Go back").response()
}

/// The page of a login that Globus Auth, or the person, ended without tokens.
pub(super) fn not_logged_in(error: &ReauthError, back: &ReturnPath) -> Response {
    let is_told = error
        .source()
        .is_some_and(|source| source.is::<AuthError>());
    let page = if error.is_declined() {
        let text = format!("{}Nothing was changed.", reason(error));
        Page::new(
            StatusCode::FORBIDDEN,
            DECLINED,
            "The login was declined",
            text,
        )
    } else if is_told {
        let text = format!("{}Nothing was changed.", reason(error));
        Page::new(StatusCode::BAD_REQUEST, FAILED, "The login failed", text)
    } else {
        tracing::warn!(error = %error, "a login failed");
        let text = "Globus Auth, or what keeps the logins of this site, did not do its part. Log in again in a minute.";
        Page::new(StatusCode::BAD_GATEWAY, FAILED, "The login failed", text)
    };
    page.with_link(back.as_str(), AGAIN).response()
}

/// Has nobody keep a response.
pub(super) fn keep_nowhere(response: &mut Response) {
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
}

fn json(status: StatusCode, document: &impl Serialize) -> Response {
    let text = serde_json::to_vec(document).unwrap_or_default();
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, Body::from(text)).into_response()
}
