//! What middlewares add to a `reqwest-middleware` client whose last middleware answers in the place of the network.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

use async_trait::async_trait;
use bytes::Bytes;
use checks::bench::Case;
use checks::bench::peer::{self, Peer};
use checks::bench::request::{self, Origin};
use futures_util::FutureExt;
use globus_gare::reauth::{Credential, reauth_fn};
use globus_gare::reqwest::GareMiddleware;
use http::Extensions;
use reqwest::{Body, Client, Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};

fn main() {
    let count = |run: &mut dyn FnMut()| allocation_counter::measure(run).count_total;
    peer::report("reqwest", &[bare(), ours(), retry()], count);
}

const BARE: &str = "reqwest-middleware alone";

pub fn bare() -> Peer {
    peer(BARE, |client| client)
}

pub fn ours() -> Peer {
    let login = || reauth_fn(|_| async { Ok(Credential::bearer("never")?) });
    peer("globus-gare for reqwest-middleware", move |client| {
        client.with(GareMiddleware::new(login()))
    })
}

pub fn retry() -> Peer {
    peer("reqwest-retry", |client| {
        let policy = ExponentialBackoff::builder().build_with_max_retries(3);
        client.with(RetryTransientMiddleware::new_with_policy(policy))
    })
}

fn peer(name: &'static str, wrap: impl Fn(ClientBuilder) -> ClientBuilder + 'static) -> Peer {
    let case = move |origin: Origin, case: String| {
        let client = wrap(ClientBuilder::new(Client::new())).with(Answer).build();
        let template = build(&client);
        Case::new(case, move || {
            let request = match origin {
                Origin::Template => template.try_clone().unwrap(),
                Origin::Afresh => build(&client),
            };
            client
                .execute(request)
                .now_or_never()
                .is_some_and(|answer| answer.is_ok())
        })
    };
    Peer {
        name,
        over: BARE,
        case: Box::new(case),
    }
}

fn build(client: &ClientWithMiddleware) -> Request {
    let body = Body::from(Bytes::from(vec![b'x'; request::BODY]));
    let request = client.post(request::URI).headers(request::headers(true));
    request.body(body).build().unwrap()
}

/// Answers every request at once.
struct Answer;

#[async_trait]
impl Middleware for Answer {
    async fn handle(&self, _: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response> {
        Ok(http::Response::new("{}").into())
    }
}
