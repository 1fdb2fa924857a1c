//! The address that the browser is sent to. It can be opened once, and marks the browser that opened it.
//!
//! The list of processes shows it while a browser starts. Whoever else opens it is noticed: the login goes on in one
//! browser alone.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::Full;
use oauth2::CsrfToken;
use url::Url;

use crate::page::Page;

/// The random bytes of the path, and of the cookie.
const LENGTH: u32 = 32;

pub(super) struct Entrance {
    path: CsrfToken,
    /// Cookies are sent to all ports of a host: the name has the port.
    cookie_name: String,
    cookie: CsrfToken,
    authorize_url: Url,
    was_opened: AtomicBool,
    is_contested: AtomicBool,
}

impl Entrance {
    /// The entrance to a login page, at this port.
    pub(super) fn new(authorize_url: Url, port: u16) -> Self {
        Self {
            path: CsrfToken::new_random_len(LENGTH),
            cookie_name: format!("globus-login-{port}"),
            cookie: CsrfToken::new_random_len(LENGTH),
            authorize_url,
            was_opened: AtomicBool::default(),
            is_contested: AtomicBool::default(),
        }
    }

    /// Its path, with a slash.
    pub(super) fn path(&self) -> String {
        format!("/{}", self.path.secret())
    }

    pub(super) fn is_at(&self, path: &str) -> bool {
        let path = path.strip_prefix('/').unwrap_or_default();
        CsrfToken::new(path.to_owned()) == self.path
    }

    /// Whether a request comes from the browser that opened the entrance.
    pub(super) fn knows(&self, headers: &HeaderMap) -> bool {
        let cookies = headers.get_all(COOKIE).into_iter();
        let cookies = cookies.filter_map(|cookies| cookies.to_str().ok());
        let mut cookies = cookies.flat_map(|cookies| cookies.split(';'));
        cookies.any(|cookie| {
            let pair = cookie.trim().split_once('=');
            pair.is_some_and(|(name, value)| {
                name == self.cookie_name && CsrfToken::new(value.to_owned()) == self.cookie
            })
        })
    }

    /// Sends the first browser to the login page, and nobody else.
    pub(super) fn open(&self, headers: &HeaderMap) -> Result<Response<Full<Bytes>>, Page> {
        let is_first = !self.was_opened.swap(true, Ordering::AcqRel);
        // A page that is loaded again by the same browser.
        if !is_first && !self.knows(headers) {
            self.is_contested.store(true, Ordering::Release);
            return Err(Page::opened_twice());
        }
        let cookie = format!("{}; Path=/; HttpOnly; SameSite=Lax", self.cookie());
        let mut response = Page::on_its_way().response();
        for (name, value) in [
            (SET_COOKIE, cookie.as_str()),
            (LOCATION, self.authorize_url.as_str()),
        ] {
            // Both are ASCII: a URL escapes the rest.
            if let Ok(mut value) = HeaderValue::from_str(value) {
                value.set_sensitive(true);
                response.headers_mut().insert(name, value);
            }
        }
        Ok(response)
    }

    /// Whether a second browser opened it, so that nobody knows which is the person's.
    pub(super) fn is_contested(&self) -> bool {
        self.is_contested.load(Ordering::Acquire)
    }

    /// The cookie's name and value.
    pub(super) fn cookie(&self) -> String {
        format!("{}={}", self.cookie_name, self.cookie.secret())
    }
}

/// Two browsers opened the login page.
#[derive(Debug, thiserror::Error)]
#[error(
    "two browsers opened the address of the login page, which is for one: log in again; if you opened it only \
     once, another user of this machine did, too"
)]
pub(in crate::interactive) struct OpenedTwice;
