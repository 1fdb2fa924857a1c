//! Requests to the Transfer service for listings.

mod filter;
mod page;
mod query;
mod walk;

pub(crate) use self::query::Query;
pub(crate) use self::walk::{Item, Walk};

use std::time::Duration;

use bytes::Bytes;
use globus_gare::reauth::{GareOptions, GareOutcome, printable};
use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION};
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;
use url::Url;

use self::page::{Page, PageError};
use crate::client::Client;
use crate::failure::{Answer, Failure, Remedy, Token};
use crate::place::Place;
use crate::terminal::Terminal;

/// The Transfer service, and the client for requests to it.
pub(crate) struct Transfer {
    pub(crate) client: Client,
    pub(crate) service: Url,
    /// The token of the environment, to use before any token of a login.
    pub(crate) token: Option<String>,
    /// How long the service may send nothing.
    pub(crate) timeout: Duration,
    /// What the user has to change so that a login is possible; `None` if a login is possible.
    pub(crate) remedy: Option<Remedy>,
    pub(crate) terminal: Terminal,
}

impl Transfer {
    /// Lists a directory, and the directories below to the depth of `query`.
    pub(crate) fn walk<'a>(&'a self, place: &Place, query: &'a Query) -> Walk<'a> {
        Walk::new(self, place, query)
    }

    /// Requests a page. The layer handles challenges; this function reports those it gave up on.
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
        let response = self.client.clone().oneshot(request).await;
        let response = response.map_err(|error| Failure::network(&*error, &self.service, place))?;
        let (head, body) = response.into_parts();
        if head.status.is_success() {
            return Ok(Page::of(body, self.timeout));
        }
        let body = tokio::time::timeout(self.timeout, body.collect()).await;
        let body = body
            .map_err(|_| Failure::timed_out(&self.service, place))?
            .map_err(|error| Failure::network(&error, &self.service, place))?
            .to_bytes();
        let answer = Answer::new(&head, &body, place);
        let token = match self.token {
            Some(_) => Token::Environment,
            None => Token::Login,
        };
        // The layer puts into the extensions why a requirement was not satisfied.
        Err(match head.extensions.get::<GareOutcome>() {
            Some(outcome) => {
                Failure::challenged(outcome, answer, &self.service, token, self.remedy)
            }
            None if head.status == StatusCode::UNAUTHORIZED => {
                Failure::TokenRejected { answer, token }
            }
            None => Failure::Answered(answer),
        })
    }

    /// The failure of a page that is incomplete or not a listing.
    fn broken(&self, error: PageError, place: &Place) -> Failure {
        match error {
            PageError::Network(error) => Failure::network(&error, &self.service, place),
            PageError::TimedOut => Failure::timed_out(&self.service, place),
            PageError::NoListing(error) => Failure::NoListing {
                path: place.shown(),
                reason: printable(&error.to_string()),
            },
        }
    }
}
