//! The HTTP client for Globus Auth and Globus Transfer.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use url::Url;

use super::SetupError;
use globus_gare::reauth::{Credential, Origin, ReauthError};

/// The maximum length of a response, in bytes. A token response with a dozen resource servers has
/// about 10 KiB.
const MAX_BODY: usize = 1024 * 1024;

/// The maximum of `Retry-After`.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// An HTTP client that follows no redirect, and limits the length of a response.
#[derive(Clone, Debug)]
pub(super) struct HttpClient(reqwest::Client);

impl HttpClient {
    pub(super) fn new(auth: &Origin) -> Result<Self, SetupError> {
        let mut client = reqwest::Client::builder()
            // A redirected token request would send the code to another server.
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(60))
            .user_agent(concat!("globus-gare/", env!("CARGO_PKG_VERSION")));
        if auth.is_loopback() {
            // A proxy cannot reach this machine's loopback ports.
            client = client.no_proxy();
        }
        let client = client
            .build()
            .map_err(|error| SetupError::caused("the HTTP client cannot be set up", error))?;
        Ok(Self(client))
    }

    /// Gets a JSON document with a token. `None` if the status is one of `no_document`. `failed`
    /// begins the error's message.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        url: &Url,
        credential: &Credential,
        no_document: &[u16],
        failed: &str,
    ) -> Result<Option<T>, ReauthError> {
        let request = http::Request::get(url.as_str())
            .header(AUTHORIZATION, credential.header_value())
            .header(ACCEPT, "application/json")
            .body(Vec::new())
            .map_err(|error| ReauthError::new(failed).with_source(error))?;
        let answer = self.send(request).await;
        let answer = answer.map_err(|error| error.explained(failed))?;
        match answer.status().as_u16() {
            200 => serde_json::from_slice(answer.body())
                .map(Some)
                .map_err(|_| {
                    ReauthError::new(format!("{failed}: the answer is not the expected JSON"))
                }),
            status if no_document.contains(&status) => Ok(None),
            status => Err(answered(failed, status)),
        }
    }

    /// Sends one request. Returns a success or a client error (RFC 6749, section 5.2). Any other
    /// status, and 429, is an error.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let mut response = self.0.execute(request).await?;
        let status = response.status();
        let is_answer = status.is_success() || status.is_client_error();
        if !is_answer || status == StatusCode::TOO_MANY_REQUESTS {
            let retry_after = retry_after(response.headers());
            return Err(HttpError::Status(status, retry_after));
        }
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(HttpError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        let mut answer = HttpResponse::new(body);
        *answer.status_mut() = status;
        *answer.headers_mut() = headers;
        Ok(answer)
    }
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date. At most [`LONGEST_WAIT`].
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            let left = at.duration_since(jiff::Timestamp::now());
            Duration::try_from(left).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

/// The error for an unexpected status. `failed` begins its message.
pub(super) fn answered(failed: &str, status: u16) -> ReauthError {
    ReauthError::new(format!("{failed}: the answer has status {status}"))
}

/// An error from a request: there is no answer, or not a usable one.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("the request got no answer")]
    Network(#[from] reqwest::Error),
    #[error("the answer has status {0}")]
    Status(StatusCode, Option<Duration>),
    #[error("the answer is longer than {MAX_BODY} bytes")]
    TooLong,
}

impl HttpError {
    /// Converts this into the error of a login. `failed` is its message.
    pub(super) fn explained(self, failed: &str) -> ReauthError {
        match self.may_pass() {
            true => ReauthError::unavailable(failed).with_source(self),
            false => ReauthError::new(failed).with_source(self),
        }
    }

    /// How long to wait before the next request, if the answer says so.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(_, retry_after) => *retry_after,
            _ => None,
        }
    }

    /// Whether the same request may succeed later.
    fn may_pass(&self) -> bool {
        match self {
            Self::Network(_) => true,
            Self::Status(status, _) => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::TooLong => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn retry_after_reads_seconds_and_dates_up_to_an_hour() {
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().expect("a value"));
            retry_after(&headers).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait("99999999"), Some(3600));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:00 GMT"), Some(0));
        assert_eq!(wait("Thu, 21 Oct 2190 07:28:00 GMT"), Some(3600));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-1"), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
