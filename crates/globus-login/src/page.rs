//! The HTML frame of all pages of a login.

use std::error::Error;

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::auth::AuthError;
use globus_gare::reauth::{ReauthError, printable};

const STYLE: &str = include_str!("page.css");

/// The headers of a page. It loads nothing from other sites, and no other site learns its URL,
/// which has the code.
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
    link: Option<(String, &'static str)>,
}

impl Page {
    /// Makes a page with a mark and a CSS class.
    pub(super) fn new(
        status: StatusCode,
        (mark, class): (&'static str, &'static str),
        title: &'static str,
        text: impl Into<String>,
    ) -> Self {
        Self {
            status,
            mark,
            class,
            title,
            text: text.into(),
            link: None,
        }
    }

    /// Adds a link at the end of the page.
    #[cfg(feature = "web")]
    pub(super) fn with_link(mut self, href: impl Into<String>, text: &'static str) -> Self {
        self.link = Some((href.into(), text));
        self
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
                        @if let Some((href, text)) = &self.link {
                            p.next { a href=(href) { (text) } }
                        }
                    }
                }
            }
        }
    }

    pub(super) fn response<B: From<String>>(&self) -> Response<B> {
        let mut response = Response::new(B::from(self.html().into_string()));
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

/// The reason of a failed login, as a sentence: that of Globus Auth, or that of the program. Empty
/// if the person declined without a reason.
pub(super) fn reason(error: &ReauthError) -> String {
    match error.source() {
        Some(source) if source.is::<AuthError>() => format!("Globus Auth says: {source}. "),
        None if error.is_declined() => String::new(),
        _ => format!("The reason: {}. ", printable(&error.to_string())),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The text of a page, line by line.
    pub(crate) fn text(page: &Page) -> String {
        let html = page.html().into_string();
        let body = html.split("</head>").nth(1).expect("a body");
        let pieces = body.split(['<', '>']).skip(2).step_by(2);
        let pieces: Vec<_> = pieces.filter(|piece| !piece.is_empty()).collect();
        pieces.join("\n")
    }
}
