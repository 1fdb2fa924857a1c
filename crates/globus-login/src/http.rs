//! The HTTP client for Globus Auth.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION};
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use url::Url;

use super::SetupError;
use globus_gare::reauth::{Credential, Origin, ReauthError};

/// More than any token response: a dozen resource servers make some 10 KiB.
const MAX_BODY: usize = 1024 * 1024;

/// Follows no redirect, and reads no response without end.
#[derive(Clone, Debug)]
pub(super) struct HttpClient(reqwest::Client);

impl HttpClient {
    pub(super) fn new(auth: &Origin) -> Result<Self, SetupError> {
        let mut client = reqwest::Client::builder()
            // A redirected token request would carry the code to who knows where.
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(60))
            .user_agent(concat!("globus-gare/", env!("CARGO_PKG_VERSION")));
        if auth.is_loopback() {
            // No proxy that the environment names can reach this machine's own ports.
            client = client.no_proxy();
        }
        let client = client
            .build()
            .map_err(|error| SetupError::caused("the HTTP client cannot be set up", error))?;
        Ok(Self(client))
    }

    /// Gets a document with a token. `None` where the answer has one of the statuses that are `no_document`.
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
            .map_err(|error| ReauthError::with_source(failed, error))?;
        let answer = self.send(request).await;
        let answer = answer.map_err(|error| error.explained(failed))?;
        match answer.status().as_u16() {
            200 => serde_json::from_slice(answer.body())
                .map(Some)
                .map_err(|_| {
                    ReauthError::new(format!("{failed}: it answered with something else"))
                }),
            status if no_document.contains(&status) => Ok(None),
            status => Err(answered(failed, status)),
        }
    }

    /// Sends one request. Only an answer in OAuth 2's own terms comes back: a success, or a refusal
    /// (RFC 6749, section 5.2), but for one that says to ask later.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let mut response = self.0.execute(request).await?;
        let status = response.status();
        let is_answer = status.is_success() || status.is_client_error();
        if !is_answer || status == StatusCode::TOO_MANY_REQUESTS {
            return Err(HttpError::Status(status));
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

/// The error of what `failed` because of the status of an answer.
pub(super) fn answered(failed: &str, status: u16) -> ReauthError {
    ReauthError::new(format!("{failed}: it answered with status {status}"))
}

/// Why there is no answer to work with.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("the request did not get through")]
    Network(#[from] reqwest::Error),
    #[error("it answered with status {0}")]
    Status(StatusCode),
    #[error("its answer is too long")]
    TooLong,
}

impl HttpError {
    /// The error of what `failed` because of this.
    pub(super) fn explained(self, failed: &str) -> ReauthError {
        match self.may_pass() {
            true => ReauthError::unavailable_because(failed, self),
            false => ReauthError::with_source(failed, self),
        }
    }

    /// Whether the same request may get an answer later.
    fn may_pass(&self) -> bool {
        match self {
            Self::Network(_) => true,
            Self::Status(status) => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::TooLong => false,
        }
    }
}
