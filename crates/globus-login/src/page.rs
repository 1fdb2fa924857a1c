//! The page that a browser shows when a login has ended.

use std::error::Error;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Account;
use super::auth::AuthError;
use globus_gare::reauth::{ReauthError, printable};

const STYLE: &str = include_str!("page.css");

/// Nothing is loaded from elsewhere, and no other page learns the URL, which holds the code.
const HEADERS: [(http::HeaderName, &str); 5] = [
    (CONTENT_TYPE, "text/html; charset=utf-8"),
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
];

pub(super) struct Page {
    status: StatusCode,
    mark: &'static str,
    class: &'static str,
    title: &'static str,
    text: String,
}

impl Page {
    /// The page for the end of a login.
    pub(super) fn ended(end: &Result<Option<Account>, ReauthError>) -> Self {
        let (mark, class, title, text) = match end {
            Ok(account) => (
                "✓",
                "done",
                "You are logged in",
                format!(
                    "{}You may close this page and go back to your program.",
                    account.as_ref().map(who).unwrap_or_default()
                ),
            ),
            Err(error) if error.is_declined() => (
                "–",
                "declined",
                "The login was declined",
                format!("{}Your program has been told.", reason(error)),
            ),
            Err(error) => (
                "!",
                "failed",
                "The login failed",
                format!("{}Your program has been told.", reason(error)),
            ),
        };
        Self {
            status: StatusCode::OK,
            mark,
            class,
            title,
            text,
        }
    }

    pub(super) fn of_no_login() -> Self {
        Self::unknown(
            StatusCode::BAD_REQUEST,
            "This page belongs to no login",
            "Nothing happened. Go back to your program, and open the page that it names.",
        )
    }

    /// The page of a redirect, which a browser does not show.
    pub(super) fn on_its_way() -> Self {
        Self::unknown(
            StatusCode::FOUND,
            "Log in",
            "Your browser goes on to Globus Auth.",
        )
    }

    /// The page for a browser that comes back and did not begin the login.
    pub(super) fn of_another_browser() -> Self {
        Self::unknown(
            StatusCode::FORBIDDEN,
            "Another browser began this login",
            "Nothing happened. A login ends in the browser in which it began, which has to keep a cookie until then.",
        )
    }

    /// The page for whoever opens the address of the login after somebody else.
    pub(super) fn opened_twice() -> Self {
        Self::unknown(
            StatusCode::GONE,
            "This login was opened in another browser",
            "Its address is for one browser. Your program has been told: log in again. If you opened it only once, \
             another user of this machine did, too.",
        )
    }

    pub(super) fn not_found(status: StatusCode) -> Self {
        Self::unknown(
            status,
            "There is nothing here",
            "This is where a program waits for the end of a login.",
        )
    }

    fn unknown(status: StatusCode, title: &'static str, text: &str) -> Self {
        Self {
            status,
            mark: "?",
            class: "failed",
            title,
            text: text.to_owned(),
        }
    }

    pub(super) fn html(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                    link rel="icon" href="data:,";
                    style { (PreEscaped(STYLE)) }
                }
                body class=(self.class) {
                    main {
                        div.mark aria-hidden="true" { (self.mark) }
                        h1 { (self.title) }
                        p { (self.text) }
                    }
                }
            }
        }
    }

    pub(super) fn response(&self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::from(self.html().into_string()));
        *response.status_mut() = self.status;
        let headers = HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value)));
        response.headers_mut().extend(headers);
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            let get = HeaderValue::from_static("GET");
            response.headers_mut().insert(ALLOW, get);
        }
        response
    }
}

fn who(account: &Account) -> String {
    format!("As {}. ", account.called())
}

/// The reason of Globus Auth, or what went wrong here; nothing if no reason is known.
fn reason(error: &ReauthError) -> String {
    match error.source() {
        Some(source) if source.is::<AuthError>() => format!("Globus Auth says: {source}. "),
        None if error.is_declined() => String::new(),
        _ => format!("It says: {}. ", printable(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text of a page, line by line.
    fn text(page: &Page) -> String {
        let html = page.html().into_string();
        let body = html.split("</head>").nth(1).expect("a body");
        let pieces = body.split(['<', '>']).skip(2).step_by(2);
        let pieces: Vec<_> = pieces.filter(|piece| !piece.is_empty()).collect();
        pieces.join("\n")
    }

    #[checks::test]
    fn each_page_says_what_happened_and_what_to_do() {
        let denied = |code| AuthError::new(code, Some("<b>so</b>\nsorry\u{202e}")).explained("no");
        let account = r#"{"sub": "1", "preferred_username": "ada@uchicago.edu"}"#;
        let account = serde_json::from_str(account).expect("an account");
        let ends = [
            Ok(Some(account)),
            Ok(None),
            Err(ReauthError::declined()),
            Err(denied("access_denied")),
            Err(denied("invalid_grant")),
            Err(ReauthError::new("the file is full")),
        ];
        let mut pages: Vec<_> = ends.iter().map(Page::ended).collect();
        pages.push(Page::of_no_login());
        pages.push(Page::of_another_browser());
        pages.push(Page::opened_twice());
        pages.push(Page::not_found(StatusCode::NOT_FOUND));
        let shown: Vec<_> = pages.iter().map(text).collect();
        insta::assert_snapshot!(shown.join("\n\n"), @r"
        ✓
        You are logged in
        As ada@uchicago.edu. You may close this page and go back to your program.

        ✓
        You are logged in
        You may close this page and go back to your program.

        –
        The login was declined
        Your program has been told.

        –
        The login was declined
        Globus Auth says: access_denied: &lt;b&gt;so&lt;/b&gt; sorry. Your program has been told.

        !
        The login failed
        Globus Auth says: invalid_grant: &lt;b&gt;so&lt;/b&gt; sorry. Your program has been told.

        !
        The login failed
        It says: the file is full. Your program has been told.

        ?
        This page belongs to no login
        Nothing happened. Go back to your program, and open the page that it names.

        ?
        Another browser began this login
        Nothing happened. A login ends in the browser in which it began, which has to keep a cookie until then.

        ?
        This login was opened in another browser
        Its address is for one browser. Your program has been told: log in again. If you opened it only once, another user of this machine did, too.

        ?
        There is nothing here
        This is where a program waits for the end of a login.
        ");
    }
}
