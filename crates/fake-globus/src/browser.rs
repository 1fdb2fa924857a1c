//! [`Browser`]: a headless browser that follows redirects, keeps cookies and submits forms.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use cookie_store::CookieStore;
use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use url::{Url, form_urlencoded};

/// More redirects than a login has.
const MAX_REDIRECTS: usize = 20;

/// A headless browser for tests: for the login page of a [`FakeGlobus`](crate::FakeGlobus), and for
/// a web service that redirects its users to that page. It speaks plain `http` and uses no proxy.
///
/// With [`Person::automatic`](crate::Person::automatic) a login is one call:
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use fake_globus::{Browser, FakeGlobus, Person};
///
/// let globus = FakeGlobus::builder().person(Person::automatic()).start().await?;
/// # let page = format!(
/// #     "{}v2/oauth2/authorize?client_id={}&redirect_uri=http://127.0.0.1:1/done&response_type=code\
/// #      &scope=openid&code_challenge={}&code_challenge_method=S256",
/// #     globus.auth_url(), globus.client_id(), "a".repeat(43),
/// # );
/// let redirect = Browser::new().redirect(page).await?;
/// assert!(redirect.query().unwrap_or_default().contains("code="));
/// # Ok(())
/// # }
/// ```
///
/// # Clone
///
/// Clones share their cookies.
#[derive(Clone)]
pub struct Browser {
    http: Client<HttpConnector, Full<Bytes>>,
    cookies: Arc<Mutex<CookieStore>>,
}

/// A response to a [`Browser`].
#[derive(Clone)]
#[non_exhaustive]
pub struct Page {
    /// The URL of the request.
    pub url: Url,
    /// The status of the response.
    pub status: StatusCode,
    /// The headers of the response.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
}

/// An error from opening a page with a [`Browser`].
#[derive(Debug)]
pub struct BrowserError(Box<dyn Error + Send + Sync>);

impl Browser {
    /// A browser without cookies.
    pub fn new() -> Self {
        Self {
            http: Client::builder(TokioExecutor::new()).build_http(),
            cookies: Arc::default(),
        }
    }

    /// Opens a page and follows its redirects.
    ///
    /// # Errors
    ///
    /// If the URL is invalid, there is no response, or there are more than 20 redirects.
    pub async fn open(&self, url: impl AsRef<str>) -> Result<Page, BrowserError> {
        let mut page = self.get(url).await?;
        for _ in 0..MAX_REDIRECTS {
            match page.redirect() {
                Some(next) => page = self.get(next).await?,
                None => return Ok(page),
            }
        }
        match page.redirect() {
            Some(_) => Err(failed(format!("more than {MAX_REDIRECTS} redirects"))),
            None => Ok(page),
        }
    }

    /// Opens a page without following redirects.
    ///
    /// # Errors
    ///
    /// If the URL is invalid, or there is no response.
    pub async fn get(&self, url: impl AsRef<str>) -> Result<Page, BrowserError> {
        let url = Url::parse(url.as_ref()).map_err(failed)?;
        self.send(Method::GET, url, String::new()).await
    }

    /// The URL that a page redirects to.
    ///
    /// # Errors
    ///
    /// If the page cannot be opened, or does not redirect.
    pub async fn redirect(&self, url: impl AsRef<str>) -> Result<Url, BrowserError> {
        let page = self.get(url).await?;
        let next = page.redirect();
        next.ok_or_else(|| failed(format!("{}: {}", page.status, page.text)))
    }

    /// Submits the first form of a page, with its hidden fields and with `fields`. Does not follow
    /// redirects.
    ///
    /// # Errors
    ///
    /// If the page has no form, or there is no response.
    pub async fn submit<'a>(
        &self,
        page: &Page,
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Page, BrowserError> {
        let form = page.text.split_once("<form");
        let (_, form) = form.ok_or_else(|| failed("it has no form"))?;
        let form = form.split_once("</form>").map_or(form, |(form, _)| form);
        let action = attribute(form, "action").unwrap_or_default();
        let url = page.url.join(&action).map_err(failed)?;
        self.send(Method::POST, url, filled(form, fields)).await
    }

    /// The value of the cookie `name` in a request to `url`.
    pub fn cookie(&self, url: &Url, name: &str) -> Option<String> {
        let cookies = self.cookies();
        let mut sent = cookies.get_request_values(url);
        let cookie = sent.find(|(known, _)| *known == name);
        cookie.map(|(_, value)| value.to_owned())
    }

    async fn send(&self, method: Method, url: Url, form: String) -> Result<Page, BrowserError> {
        // The headers of a person's navigation. Services distinguish it from the request of a
        // script.
        let mut request = Request::builder()
            .method(method)
            .uri(url.as_str())
            .header(ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")
            .header("sec-fetch-mode", "navigate");
        let cookies: Vec<String> = self
            .cookies()
            .get_request_values(&url)
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        if !form.is_empty() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = request.body(Full::from(form)).map_err(failed)?;
        let (head, body) = self
            .http
            .request(request)
            .await
            .map_err(failed)?
            .into_parts();
        for cookie in head.headers.get_all(SET_COOKIE) {
            // A browser ignores a cookie that it cannot read.
            let _ = cookie
                .to_str()
                .map(|cookie| self.cookies().parse(cookie, &url));
        }
        let body = body.collect().await.map_err(failed)?.to_bytes();
        Ok(Page {
            url,
            status: head.status,
            headers: head.headers,
            text: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    fn cookies(&self) -> MutexGuard<'_, CookieStore> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Page {
    /// The URL that the page redirects to, if it does.
    pub fn redirect(&self) -> Option<Url> {
        let location = self.headers.get(LOCATION)?.to_str().ok()?;
        let redirects = self.status.is_redirection();
        redirects.then(|| self.url.join(location).ok())?
    }
}

/// The body of a form with its hidden fields and these fields.
fn filled<'a>(form: &str, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    for input in form.split("<input").skip(1) {
        let value = attribute(input, "value").unwrap_or_default();
        let is_hidden = attribute(input, "type").is_some_and(|kind| kind == "hidden");
        if let Some(name) = attribute(input, "name").filter(|_| is_hidden) {
            body.append_pair(&name, &value);
        }
    }
    body.extend_pairs(fields).finish()
}

/// The value of an attribute, unescaped.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split_once('>').map_or(tag, |(tag, _)| tag);
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| unescaped(value))
}

/// The text of HTML with the references that templates write.
fn unescaped(html: &str) -> String {
    html.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        // Last: `&amp;lt;` is the text `&lt;`.
        .replace("&amp;", "&")
}

impl Default for Browser {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Cookies are secrets.
        f.debug_struct("Browser").finish_non_exhaustive()
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The rest may hold codes and cookies.
        f.debug_struct("Page")
            .field("url", &&self.url[..url::Position::AfterPath])
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for BrowserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the page cannot be opened: {}", self.0)
    }
}

impl Error for BrowserError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

fn failed(error: impl Into<Box<dyn Error + Send + Sync>>) -> BrowserError {
    BrowserError(error.into())
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::Path;
    use axum::response::{Html, Redirect};
    use axum::routing::get;
    use http::Uri;

    use super::*;

    /// Redirects to the next lower number, until `/end`.
    async fn count_down(Path(left): Path<usize>) -> Redirect {
        match left {
            1 => Redirect::to("/end"),
            left => Redirect::to(&format!("/{}", left - 1)),
        }
    }

    /// Serves `routes`; returns the URL of the root.
    async fn serve(routes: Router) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        format!("http://{address}/")
    }

    #[checks::test]
    async fn browser_follows_twenty_redirects() {
        let routes = Router::new()
            .route("/end", get(async || "end"))
            .route("/{left}", get(count_down));
        let url = serve(routes).await;
        let browser = Browser::new();
        let page = browser.open(format!("{url}20")).await;
        assert_eq!(page.expect("a page").text, "end");
        let error = browser.open(format!("{url}21")).await;
        let error = error.expect_err("too many redirects").to_string();
        assert!(error.contains("20 redirects"), "{error}");
    }

    #[checks::test]
    async fn form_is_submitted_with_its_unescaped_values() {
        let form = r#"<form action="/?a=1&amp;b=2"><input type="hidden"
            name="x" value="&lt;&#39;&amp;amp;&quot;&gt;"></form>"#;
        let show = async |uri: Uri, body: String| format!("{uri} {body}");
        let routes = Router::new().route("/", get(Html(form)).post(show));
        let url = serve(routes).await;
        let browser = Browser::new();
        let page = browser.open(&url).await.expect("a page");
        let page = browser.submit(&page, []).await.expect("a page");
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("x", "<'&amp;\">")
            .finish();
        assert_eq!(page.text, format!("/?a=1&b=2 {body}"));
    }
}
