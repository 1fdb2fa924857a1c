//! A service that answers early, and an upload that continues during the login.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::poll;
use globus_gare::layer::{GareLayer, ReplayBody};
use globus_gare::reauth::{Credential, GareOutcome, Session, Trust, reauth_fn};
use globus_gare::reqwest::GareMiddleware;
use http::{Extensions, Request, Response};
use http_body::Body;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use reqwest::ResponseBuilderExt;
use reqwest_middleware::{ClientBuilder, Middleware, Next};
use tokio::sync::Semaphore;
use tower::{Layer, ServiceExt, service_fn};

use super::service::GARE;
use super::source::{Broken, Source, Step, data};
use crate::support::server::BoxError;

const URL: &str = "https://transfer.api.globus.org/v0.10/upload";
const LIMIT: usize = 3;

type Sent = BoxBody<Bytes, BoxError>;

/// A service that answers at once, and hands the request bodies to the test.
#[derive(Clone, Default)]
struct Early(Arc<Mutex<Vec<Sent>>>);

impl Early {
    fn answer(&self, known: bool, body: Sent) -> (u16, &'static str) {
        self.0.lock().expect("no panic").push(body);
        if known { (200, "in") } else { (403, GARE) }
    }

    fn bodies(&self) -> Vec<Sent> {
        std::mem::take(&mut self.0.lock().expect("no panic"))
    }
}

fn boxed<B>(body: B) -> Sent
where
    B: Body<Data = Bytes> + Send + Sync + 'static,
    B::Error: Into<BoxError>,
{
    BodyExt::boxed(body.map_err(Into::into))
}

#[async_trait]
impl Middleware for Early {
    async fn handle(
        &self,
        mut request: reqwest::Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let fresh = request.headers().get("authorization");
        let known = fresh.is_some_and(|value| value == "Bearer fresh");
        let body = request.body_mut().take().expect("a body");
        let (status, text) = self.answer(known, boxed(body));
        let url = request.url().clone();
        let response = http::Response::builder().status(status).url(url);
        Ok(response.body(text).expect("a response").into())
    }
}

/// The status, the reason of giving up, and the number of replays.
type Outcome = (u16, Option<&'static str>, u32);

fn outcome(status: u16, extensions: &Extensions) -> Outcome {
    let outcome = extensions.get::<GareOutcome>().expect("an outcome");
    let reason = outcome.gave_up().map(|gave_up| gave_up.name());
    (status, reason, outcome.replays())
}

fn with_layer(early: Early, session: Session, body: Source) -> BoxFuture<'static, Outcome> {
    let service = service_fn(move |request: Request<ReplayBody<Source>>| {
        let fresh = request.headers().get("authorization");
        let known = fresh.is_some_and(|value| value == "Bearer fresh");
        let (status, text) = early.answer(known, boxed(request.into_body()));
        let response = Response::builder()
            .status(status)
            .body(Full::<Bytes>::from(text));
        async move { Ok::<_, Infallible>(response.expect("a response")) }
    });
    let client = GareLayer::from_session(session).layer(service);
    let body = ReplayBody::with_limit(body, LIMIT);
    let request = Request::post(URL).body(body).expect("a request");
    Box::pin(async move {
        let response = client.oneshot(request).await.expect("a response");
        outcome(response.status().as_u16(), response.extensions())
    })
}

fn with_middleware(early: Early, session: Session, body: Source) -> BoxFuture<'static, Outcome> {
    let client = ClientBuilder::new(reqwest::Client::new())
        .with(GareMiddleware::from_session(session).replay_streams(LIMIT))
        .with(early)
        .build();
    let request = client.post(URL).body(reqwest::Body::wrap(body));
    Box::pin(async move {
        let response = request.send().await.expect("a response");
        outcome(response.status().as_u16(), response.extensions())
    })
}

type Client = fn(Early, Session, Source) -> BoxFuture<'static, Outcome>;

async fn read(body: &mut Sent) -> Result<Option<Bytes>, String> {
    let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
    match frame {
        None => Ok(None),
        Some(Ok(frame)) => Ok(frame.into_data().ok()),
        Some(Err(error)) => Err(root(&*error)),
    }
}

/// The name of the first cause: clients wrap the errors of a body.
fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut chain = std::iter::successors(Some(error), |error| error.source());
    if chain.clone().any(|error| error.is::<Broken>()) {
        return "broken".to_owned();
    }
    let is_ours = chain.any(|error| error.to_string().contains("a later attempt sends"));
    assert!(is_ours, "{error:?}");
    "overtaken".to_owned()
}

async fn assert_upload_continues(client: Client) {
    for fails in [false, true] {
        let gate = Arc::new(Semaphore::new(0));
        let held = Arc::clone(&gate);
        let session = Session::builder(reauth_fn(move |_| {
            let gate = Arc::clone(&held);
            async move {
                gate.acquire().await.expect("open").forget();
                Ok(Credential::bearer("fresh")?)
            }
        }))
        .trust(Trust::globus())
        .build();
        let early = Early::default();
        let (source, hand) = Source::in_hand();
        let mut request = pin!(client(early.clone(), session.clone(), source));
        for _ in 0..4 {
            assert!(poll!(&mut request).is_pending(), "the login is held");
            tokio::task::yield_now().await;
        }

        let mut first = early.bodies().pop().expect("the first attempt");
        hand.give(data("abc"));
        assert_eq!(read(&mut first).await, Ok(Some("abc".into())));
        if fails {
            hand.give(Step::Error);
        } else {
            hand.give(data("defg"));
            hand.end();
        }
        // Cut short: only the replay reads beyond the limit.
        assert_eq!(read(&mut first).await, Err("overtaken".to_owned()));

        gate.add_permits(1);
        let outcome = request.await;
        assert_eq!(session.stats().replays, u64::from(outcome.2));
        let replay = early.bodies().pop();
        if fails {
            assert_eq!(outcome, (403, Some("not_replayable"), 0));
            assert!(replay.is_none(), "a broken body is not sent");
        } else {
            assert_eq!(outcome, (200, None, 1));
            let mut replay = replay.expect("a replay");
            assert_eq!(read(&mut replay).await, Ok(Some("abc".into())));
            assert_eq!(read(&mut replay).await, Ok(Some("defg".into())));
            assert_eq!(read(&mut replay).await, Ok(None));
        }
    }
}

#[checks::test]
async fn upload_through_the_layer_continues_during_a_login() {
    assert_upload_continues(with_layer).await;
}

#[checks::test]
async fn upload_through_the_middleware_continues_during_a_login() {
    assert_upload_continues(with_middleware).await;
}
