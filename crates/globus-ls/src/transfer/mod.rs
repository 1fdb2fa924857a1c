//! The Transfer service, as far as listings need it.

mod filter;
mod page;
mod walk;
mod wanted;

pub(crate) use self::walk::{Item, Walk};
pub(crate) use self::wanted::Wanted;

use bytes::Bytes;
use globus_gare::reauth::{GareOptions, GareOutcome};
use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION, RETRY_AFTER};
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;
use url::Url;

use self::page::{Page, PageError};
use crate::client::Client;
use crate::failure::{Answer, Failure, Remedy};
use crate::place::Place;
use crate::terminal::Terminal;

/// The service, and how requests get there.
pub(crate) struct Transfer {
    pub(crate) client: Client,
    pub(crate) service: Url,
    /// The token to begin with, where it is not the login's.
    pub(crate) token: Option<String>,
    /// What the user would have to do so that a login is possible; nothing where it is.
    pub(crate) remedy: Option<Remedy>,
    pub(crate) terminal: Terminal,
}

impl Transfer {
    /// Lists a directory, and those in it as deep as is wanted.
    pub(crate) fn walk<'a>(&'a self, place: &Place, wanted: &'a Wanted) -> Walk<'a> {
        Walk::new(self, place, wanted)
    }

    /// This is written as if nobody ever had to log in.
    async fn get(&self, url: &Url, place: &Place) -> Result<Page, Failure> {
        let mut request = http::Request::get(url.as_str()).header(ACCEPT, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if self.remedy.is_some() {
            request = request.extension(GareOptions::new().no_prompt());
        }
        let request = request
            .body(Full::<Bytes>::default())
            .map_err(|_| Failure::error("the token cannot be sent in a header"))?;
        let network = |error| Failure::network(&error, &self.service);
        let response = self.client.clone().oneshot(request).await;
        let (head, body) = response.map_err(network)?.into_parts();
        if head.status.is_success() {
            return Ok(Page::of(body));
        }
        let body = body.collect().await.map_err(network)?.to_bytes();
        let retry_after = head.headers.get(RETRY_AFTER);
        let answer = Answer::new(head.status, &body, place)
            .retry_after(retry_after.and_then(|value| value.to_str().ok()));
        // The layer tells beside the response why a requirement was not satisfied.
        Err(match head.extensions.get::<GareOutcome>() {
            Some(outcome) => Failure::refused(outcome, answer, &self.service, self.remedy),
            None if head.status == StatusCode::UNAUTHORIZED => Failure::DeadToken(answer),
            None => Failure::Answered(answer),
        })
    }

    /// The failure of a page that broke off.
    fn broken(&self, error: PageError, place: &Place) -> Failure {
        match error {
            PageError::Network(error) => Failure::network(&error, &self.service),
            PageError::NoListing(error) => Failure::NoListing {
                path: place.shown(),
                reason: error.to_string(),
            },
        }
    }
}
