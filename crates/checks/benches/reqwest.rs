//! The cost that a middleware adds to a `reqwest-middleware` client. The last middleware answers
//! instead of the network.

#![allow(missing_docs, unreachable_pub)]

use async_trait::async_trait;
use bytes::Bytes;
use checks::bench::Case;
use checks::bench::bar::Bars;
use checks::bench::layers::{Layer, Layers};
use checks::bench::request::{self, Origin};
use futures_util::FutureExt;
use globus_gare::reauth::{Credential, reauth_fn};
use globus_gare::reqwest::GareMiddleware;
use http::Extensions;
use reqwest::{Body, Client, Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};
use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};

const BARE: &str = "reqwest-middleware alone";
const OURS: &str = "GareMiddleware";
const RETRY: &str = "reqwest-retry";

fn main() {
    let mut layers = Layers::count(all(), |run| allocation_counter::measure(run).count_total);
    let mut bars = Bars::new("Bars: good path, reqwest-middleware");
    layers.at_most(&mut bars, "GareMiddleware", OURS, RETRY, 1.4);
    bars.settle();
    layers.print_times();
}

fn all() -> Vec<Layer> {
    vec![
        layer(BARE, |client| client),
        layer(OURS, |client| {
            let login = reauth_fn(|_| async { Ok(Credential::bearer("never")?) });
            client.with(GareMiddleware::new(login))
        }),
        layer(RETRY, |client| {
            let policy = ExponentialBackoff::builder().build_with_max_retries(3);
            client.with(RetryTransientMiddleware::new_with_policy(policy))
        }),
    ]
}

fn layer(name: &'static str, wrap: fn(ClientBuilder) -> ClientBuilder) -> Layer {
    let case = move |origin: Origin| {
        let client = wrap(ClientBuilder::new(Client::new())).with(Answer).build();
        let template = build(&client);
        Case::new("", move || {
            let request = match origin {
                Origin::Template => template.try_clone().expect("a body in memory"),
                Origin::Afresh => build(&client),
            };
            let answer = client.execute(request).now_or_never();
            let answer = answer.expect("at once").expect("an answer");
            assert_eq!(answer.status(), 200);
        })
    };
    Layer {
        name,
        over: BARE,
        case: Box::new(case),
    }
}

fn build(client: &ClientWithMiddleware) -> Request {
    let body = Body::from(Bytes::from(vec![b'x'; request::BODY]));
    let request = client.post(request::URI).headers(request::headers(true));
    request.body(body).build().expect("a request")
}

/// A middleware that answers every request at once.
struct Answer;

#[async_trait]
impl Middleware for Answer {
    async fn handle(&self, _: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response> {
        Ok(http::Response::new("{}").into())
    }
}
