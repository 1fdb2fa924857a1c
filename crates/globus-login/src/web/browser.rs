//! The browser that a request came from.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::OriginalUri;
use axum::response::Response;
use http::header::{ACCEPT, CACHE_CONTROL, REFERER, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};

use super::WebLogins;
use super::cookies::{Cookies, new_login};
use super::return_path::ReturnPath;
use globus_gare::reauth::Principal;

/// The browser that a request came from. The layer inserts it into the request's extensions.
pub(super) struct Browser {
    pub(super) logins: WebLogins,
    pub(super) user: Option<Arc<str>>,
    /// Whether the browser shows the response as a page.
    pub(super) shows_page: bool,
    /// Where the browser goes after a login.
    pub(super) back: ReturnPath,
    /// The values of the login cookies.
    pub(super) login_cookies: Vec<String>,
    /// The `Set-Cookie` values for the response.
    cookies: Mutex<Vec<HeaderValue>>,
}

impl Browser {
    pub(super) fn of(logins: &WebLogins, parts: &Parts) -> Self {
        let headers = &parts.headers;
        let Cookies {
            user,
            is_old,
            logins: login_cookies,
        } = Cookies::read(logins, headers);
        let renewed = user.as_deref().filter(|_| is_old);
        let renewed = renewed.map(|id| logins.user_cookie(id));
        let shows_page = shows_page(&parts.method, headers);
        Self {
            back: way_back(logins, parts, shows_page),
            logins: logins.clone(),
            user: user.map(Arc::from),
            shows_page,
            login_cookies,
            cookies: Mutex::new(renewed.into_iter().collect()),
        }
    }

    pub(super) fn principal(&self) -> Option<Principal> {
        self.user.clone().map(Principal::Named)
    }

    /// The value of the login cookie. The response sets the cookie for another 20 minutes.
    pub(super) fn keep_login_cookie(&self) -> String {
        let known = self.login_cookies.first().cloned();
        let value = known.unwrap_or_else(new_login);
        self.set_cookie(self.logins.login_cookie(&value));
        value
    }

    pub(super) fn set_cookie(&self, cookie: HeaderValue) {
        self.cookies().push(cookie);
    }

    /// Adds the cookies and `Cache-Control` to the response for this browser.
    pub(super) fn complete(&self, mut response: Response) -> Response {
        let cookies = std::mem::take(&mut *self.cookies());
        let is_private = self.user.is_some() || !cookies.is_empty();
        let headers = response.headers_mut();
        for cookie in cookies {
            headers.append(SET_COOKIE, cookie);
        }
        if is_private && !headers.contains_key(CACHE_CONTROL) {
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        }
        response
    }

    fn cookies(&self) -> MutexGuard<'_, Vec<HeaderValue>> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the browser shows the response as a page. Browsers send `Sec-Fetch-Mode` (W3C Fetch
/// Metadata); for older ones, a request that reads and accepts HTML counts.
fn shows_page(method: &Method, headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-mode") {
        Some(mode) => mode == "navigate",
        None => {
            let mut accepted = headers.get_all(ACCEPT).into_iter();
            let has_html = |it: &HeaderValue| it.to_str().is_ok_and(|it| it.contains("text/html"));
            is_read(method) && accepted.any(has_html)
        }
    }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// The return path: of a page, its own path; of any other request, the path of the page that sent
/// it.
fn way_back(logins: &WebLogins, parts: &Parts, shows_page: bool) -> ReturnPath {
    let own = || {
        let original = parts.extensions.get::<OriginalUri>();
        let uri = original.map_or(&parts.uri, |original| &original.0);
        let path = uri.path_and_query().map(|path| path.as_str());
        path.and_then(ReturnPath::new)
    };
    let sender = || {
        let sender = parts.headers.get(REFERER)?.to_str().ok()?;
        ReturnPath::of_url(sender, logins.site())
    };
    let page = match (is_read(&parts.method), shows_page) {
        (true, true) => own(),
        (true, false) => sender().or_else(own),
        (false, _) => sender(),
    };
    let is_callback = |path: &ReturnPath| {
        let path = path.as_str().split('?').next();
        path == Some(logins.callback_path())
    };
    page.filter(|path| !is_callback(path))
        .unwrap_or_else(ReturnPath::home)
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Cookies are secrets.
        f.debug_struct("Browser")
            .field("shows_page", &self.shows_page)
            .finish_non_exhaustive()
    }
}
