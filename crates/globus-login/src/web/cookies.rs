//! The two cookies of a browser.

use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use oauth2::CsrfToken;

use super::WebLogins;

/// The cookie with the id of the browser's user, sealed. A session cookie.
const USER: &str = "globus-user";

/// The prefix of the cookie that binds a login to its browser. The cookie's value is random, and
/// its first characters end the name: a browser that loads several pages before it has a login
/// cookie gets several, and none replaces another.
pub(super) const LOGIN: &str = "globus-login-";

/// How long a browser keeps the login cookie after the last login began.
const LOGIN_FOR: Duration = Duration::minutes(20);

/// The number of random bytes in a login cookie, their length in Base64, and the number of those
/// characters in the cookie's name.
const LOGIN_BYTES: u32 = 32;
const LOGIN_LEN: usize = 43;
const IN_NAME: usize = 6;

/// The maximum number of login cookies that are read from a request. Browsers send the oldest first
/// (RFC 6265, section 5.4), and may keep no more than 50 of one host (section 6.1).
const MAX_LOGINS: usize = 50;

/// The cookies that a request came with.
#[derive(Default)]
pub(super) struct Cookies {
    /// The id of the user, if this site sealed it.
    pub(super) user: Option<String>,
    /// Whether the id was sealed with an older key, and has to be sealed again.
    pub(super) is_old: bool,
    /// The values of the login cookies.
    pub(super) logins: Vec<String>,
}

impl Cookies {
    pub(super) fn read(logins: &WebLogins, headers: &HeaderMap) -> Self {
        let (user, login) = (logins.cookie_name(USER), logins.cookie_name(LOGIN));
        let mut cookies = Self::default();
        let texts = headers.get_all(COOKIE).into_iter();
        let texts = texts.filter_map(|text| text.to_str().ok());
        for cookie in texts.flat_map(Cookie::split_parse).flatten() {
            let value = cookie.value();
            if cookie.name() == user && cookies.user.is_none() {
                let id = logins.sealer().open(&logins.place([USER, ""]), value);
                let id = id.ok().and_then(|id| String::from_utf8(id.to_vec()).ok());
                cookies.is_old = id.is_some() && !logins.sealer().is_by_the_first_key(value);
                cookies.user = id;
            } else if cookie.name().starts_with(&login)
                && is_random(value)
                && cookies.logins.len() < MAX_LOGINS
            {
                cookies.logins.push(value.to_owned());
            }
        }
        cookies
    }
}

impl WebLogins {
    /// The `Set-Cookie` value with the id of the browser's user.
    pub(super) fn user_cookie(&self, id: &str) -> HeaderValue {
        let sealed = self.sealer().seal(&self.place([USER, ""]), id.as_bytes());
        header(&self.cookie(USER, sealed))
    }

    /// The `Set-Cookie` value that removes the id.
    pub(super) fn no_user_cookie(&self) -> HeaderValue {
        let mut cookie = self.cookie(USER, String::new());
        cookie.make_removal();
        header(&cookie)
    }

    pub(super) fn login_cookie(&self, value: &str) -> HeaderValue {
        let name = format!("{LOGIN}{}", value.get(..IN_NAME).unwrap_or_default());
        let mut cookie = self.cookie(&name, value.to_owned());
        cookie.set_max_age(LOGIN_FOR);
        header(&cookie)
    }

    /// The full name of a cookie. With the prefix `__Host-`, browsers accept the cookie only over
    /// https, from this host itself, and without a `Domain` (RFC 6265bis, section 4.1.3.2).
    fn cookie_name(&self, name: &str) -> String {
        match self.is_secure() {
            true => format!("__Host-{name}"),
            false => name.to_owned(),
        }
    }

    fn cookie(&self, name: &str, value: String) -> Cookie<'static> {
        Cookie::build((self.cookie_name(name), value))
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(self.is_secure())
            .path("/")
            .build()
    }
}

/// A new value for a login cookie.
pub(super) fn new_login() -> String {
    CsrfToken::new_random_len(LOGIN_BYTES).into_secret()
}

/// A new id for a user.
pub(super) fn new_user() -> String {
    CsrfToken::new_random().into_secret()
}

fn is_random(value: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    value.len() == LOGIN_LEN && value.bytes().all(is_base64)
}

fn header(cookie: &Cookie<'_>) -> HeaderValue {
    let value = HeaderValue::try_from(cookie.to_string());
    let mut value = value.expect("a cookie of letters, digits and punctuation");
    value.set_sensitive(true);
    value
}
