//! Readiness and the exact replayed request, poll by poll.

use std::task::Poll;

use bytes::Bytes;
use globus_gare::layer::{GareBody, GareLayer, GareService};
use globus_gare::reauth::GareOutcome;
use http::{Method, Request, Response, Version};
use http_body_util::{BodyExt, Full};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{Layer, Service};
use tower_test::mock;

use checks::mock::{Body, Login, MFA, Once, answer, authorization, get};

type Mock = mock::Mock<Request<Body>, Response<Body>>;
type Handle = mock::Handle<Request<Body>, Response<Body>>;
type Layered = GareService<Mock>;
type Answered = task::Spawn<<Layered as Service<Request<Body>>>::Future>;

fn pair(login: &Login) -> (Layered, Handle) {
    let (mock, mut handle) = mock::pair();
    handle.allow(0);
    (GareLayer::new(login.clone()).layer(mock), handle)
}

/// Sends a request to the ready service. Returns it, and the handle to respond.
async fn first_attempt(
    service: &mut Layered,
    handle: &mut Handle,
) -> (Answered, mock::SendResponse<Response<Body>>) {
    let mut ready = task::spawn(());
    assert_ready_ok!(ready.enter(|cx, _| service.poll_ready(cx)));
    let mut response = task::spawn(service.call(get("/")));
    assert_pending!(response.poll());
    tokio::task::yield_now().await;
    assert_pending!(response.poll());
    let (_, send) = handle.next_request().await.expect("the first attempt");
    (response, send)
}

#[derive(Clone, Debug, PartialEq)]
struct Marker(u8);

#[checks::test]
async fn replay_is_the_request_with_the_new_credential() {
    let login = Login::at_once();
    let (mut service, mut handle) = pair(&login);
    handle.allow(2);
    let request = Request::builder()
        .method(Method::POST)
        .uri("https://transfer.api.globus.org/v0.10/operation/endpoint/x/mkdir?a=b%20c")
        .version(Version::HTTP_2)
        .header("x-twice", "one")
        .header("x-twice", "two")
        .header("authorization", "Bearer stale")
        .header("content-type", "application/json")
        .extension(Marker(7))
        .body(Full::from("{\"path\": \"/~/new\"}"))
        .expect("a request");
    let mut ready = task::spawn(());
    assert_ready_ok!(ready.enter(|cx, _| service.poll_ready(cx)));
    let mut response = task::spawn(service.call(request));
    assert_pending!(response.poll());

    let (first, send) = handle.next_request().await.expect("the first attempt");
    assert_eq!(authorization(&first), "Bearer stale");
    send.send_response(answer(403, MFA));
    // The look-up and then the login run in tasks of their own.
    for _ in 0..2 {
        assert_pending!(response.poll());
        tokio::task::yield_now().await;
    }
    assert_pending!(response.poll());

    let (replay, send) = handle.next_request().await.expect("the replay");
    assert_eq!(replay.method(), first.method());
    assert_eq!(replay.uri(), first.uri());
    assert_eq!(replay.version(), Version::HTTP_2);
    assert_eq!(replay.extensions().get::<Marker>(), Some(&Marker(7)));
    let values: Vec<_> = replay.headers().get_all("authorization").iter().collect();
    assert_eq!(values, ["Bearer token-1"], "replaced, never appended");
    assert!(values[0].is_sensitive());
    let others = |request: &Request<Body>| {
        let mut headers = request.headers().clone();
        headers.remove("authorization");
        headers
    };
    assert_eq!(others(&replay), others(&first));
    let body = replay
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    assert_eq!(body, "{\"path\": \"/~/new\"}");

    send.send_response(answer(200, "done"));
    let response = assert_ready_ok!(response.poll());
    assert_eq!(response.status(), 200);
    let outcome = response
        .extensions()
        .get::<GareOutcome>()
        .expect("an outcome");
    assert_eq!((outcome.logins(), outcome.replays()), (1, 1));
    assert!(outcome.gave_up().is_none());
}

#[checks::test]
async fn every_attempt_waits_for_a_ready_service() {
    let login = Login::at_once();
    let (mut service, mut handle) = pair(&login);
    let mut ready = task::spawn(());
    assert_pending!(ready.enter(|cx, _| service.poll_ready(cx)));
    handle.allow(1);
    assert!(ready.is_woken());
    let (mut response, send) = first_attempt(&mut service, &mut handle).await;
    send.send_response(answer(403, MFA));
    for _ in 0..3 {
        assert_pending!(response.poll());
        tokio::task::yield_now().await;
    }
    assert_eq!(login.logins(), 1);
    assert!(
        matches!(poll_request(&mut handle), Poll::Pending),
        "a replay before the service was ready"
    );

    handle.allow(1);
    assert!(response.is_woken());
    assert_pending!(response.poll());
    let (replay, send) = handle.next_request().await.expect("the replay");
    assert_eq!(authorization(&replay), "Bearer token-1");
    send.send_response(answer(200, ""));
    assert_ready_ok!(response.poll());
}

fn poll_request<B>(handle: &mut mock::Handle<Request<B>, Response<Body>>) -> Poll<()> {
    let mut next = task::spawn(handle.next_request());
    next.poll().map(|_| ())
}

#[checks::test]
async fn service_error_is_returned_unchanged() {
    let login = Login::at_once();
    let (mut service, mut handle) = pair(&login);
    handle.allow(2);
    let (mut response, send) = first_attempt(&mut service, &mut handle).await;
    send.send_error("connection reset");
    let error = assert_ready!(response.poll()).expect_err("an error");
    assert_eq!(error.to_string(), "connection reset");
}

#[checks::test]
async fn service_error_before_the_replay_is_returned() {
    let login = Login::at_once();
    let (mut service, mut handle) = pair(&login);
    handle.allow(1);
    let (mut response, send) = first_attempt(&mut service, &mut handle).await;
    send.send_response(answer(403, MFA));
    for _ in 0..3 {
        assert_pending!(response.poll());
        tokio::task::yield_now().await;
    }
    assert_eq!(login.logins(), 1, "it waits to be ready for the replay");
    handle.send_error("closed");
    let error = assert_ready!(response.poll()).expect_err("an error");
    assert_eq!(error.to_string(), "closed");
}

#[checks::test]
async fn unreplayable_request_is_sent_once() {
    let login = Login::at_once();
    let (mock, mut handle) = mock::pair::<Request<Once>, Response<Body>>();
    handle.allow(2);
    let mut service = GareLayer::new(login.clone()).layer(mock);
    let mut ready = task::spawn(());
    assert_ready_ok!(ready.enter(|cx, _| service.poll_ready(cx)));
    let mut response = task::spawn(service.call(get("/").map(|_| Once)));
    assert_pending!(response.poll());
    tokio::task::yield_now().await;
    assert_pending!(response.poll());
    let (_, send) = handle.next_request().await.expect("the only attempt");
    send.send_response(answer(403, MFA));
    // Its login runs all the same.
    for _ in 0..2 {
        assert_eq!(login.logins(), 0);
        assert_pending!(response.poll());
        tokio::task::yield_now().await;
    }
    assert_eq!(login.logins(), 1);
    let response: Response<GareBody<Body>> = assert_ready_ok!(response.poll());
    assert!(matches!(poll_request(&mut handle), Poll::Pending));
    assert_eq!(response.status(), 403);
    let outcome = response
        .extensions()
        .get::<GareOutcome>()
        .expect("an outcome");
    assert_eq!(
        outcome.gave_up().map(|reason| reason.name()),
        Some("not_replayable")
    );
    let body: Bytes = response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    assert_eq!(body, MFA);
}
