//! The entrance: the URL that the browser opens first. It works once, and sets a cookie in that
//! browser.
//!
//! Other users of the machine can see the URL in the list of processes while the browser starts. If
//! a second browser opens it, the login does not continue in any browser.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::Full;
use oauth2::CsrfToken;
use url::Url;

use crate::page::Page;

/// The number of random bytes in the path and in the cookie.
const LENGTH: u32 = 32;

pub(super) struct Entrance {
    path: CsrfToken,
    /// The name has the port, because a browser sends cookies to all ports of a host.
    cookie_name: String,
    cookie: CsrfToken,
    authorize_url: Url,
    was_opened: AtomicBool,
    is_contested: AtomicBool,
}

impl Entrance {
    /// Makes the entrance to a login page, at a port.
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

    /// The path, with a slash.
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

    /// Sends the first browser to the login page. For any other, returns an error page.
    pub(super) fn open(&self, headers: &HeaderMap) -> Result<Response<Full<Bytes>>, Page> {
        let is_first = !self.was_opened.swap(true, Ordering::AcqRel);
        // The same browser may reload the page.
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
            // Both are ASCII: a URL escapes all other characters.
            if let Ok(mut value) = HeaderValue::from_str(value) {
                value.set_sensitive(true);
                response.headers_mut().insert(name, value);
            }
        }
        Ok(response)
    }

    /// Whether a second browser opened the entrance: then it is not known which one is the
    /// person's.
    pub(super) fn is_contested(&self) -> bool {
        self.is_contested.load(Ordering::Acquire)
    }

    /// The cookie's name and value.
    pub(super) fn cookie(&self) -> String {
        format!("{}={}", self.cookie_name, self.cookie.secret())
    }
}

/// Two browsers opened the entrance.
#[derive(Debug, thiserror::Error)]
#[error(
    "two browsers opened the address of the login page, which works in one browser only: log in again; if you \
     opened the address only once, another user of this machine has opened it as well"
)]
pub(in crate::interactive) struct OpenedTwice;
