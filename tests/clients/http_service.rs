//! `HttpService`: request bodies, redirects, and the recorded URL.

use std::convert::Infallible;
use std::error::Error;

use axum::Router;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get};
use bytes::Bytes;
use globus_gare::layer::{GareLayer, InspectLimits, ReplayBody, detect_in};
use globus_gare::reauth::{Credential, ResponseUrl, Session, Trust, reauth_fn};
use globus_gare::reqwest::{HttpService, stop_at_login};
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Either, Empty, Full, StreamBody};
use reqwest::Client;
use reqwest::redirect::Policy;
use tower::{Layer, ServiceExt};

type BoxError = Box<dyn Error + Send + Sync>;

const LOGIN_PAGE: &str = "/v2/oauth2/authorize?client_id=one&scope=all";

/// A service: `/` accepts the fresh token and echoes, `/moved` redirects to `/echo`, `/start` leads
/// to the login page.
async fn service() -> String {
    let echo = |body: Bytes| async move { body };
    let guarded = |headers: HeaderMap, body: Bytes| async move {
        match headers.get("authorization") {
            Some(value) if value == "Bearer fresh" => body.into_response(),
            _ => (StatusCode::FORBIDDEN, checks::mock::MFA).into_response(),
        }
    };
    let page = || async { "<html>Log in</html>" };
    let router = Router::new()
        .route("/", any(guarded))
        .route("/echo", any(echo))
        .route("/moved", any(|| async { Redirect::temporary("/echo") }))
        .route("/start", get(|| async { Redirect::to("/next") }))
        .route("/next", get(|| async { Redirect::to(LOGIN_PAGE) }))
        .route("/round", get(|| async { Redirect::to("/round") }))
        .route("/v2/oauth2/authorize", get(page));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn http() -> HttpService {
    HttpService::from_builder(Client::builder().no_proxy()).expect("a client")
}

async fn get_from(http: HttpService, url: &str) -> reqwest::Result<Response<reqwest::Body>> {
    let request = Request::get(url).body(Empty::<Bytes>::new());
    http.oneshot(request.expect("a request")).await
}

/// The recorded URL, for the layer and for reqwest.
fn recorded(response: Response<reqwest::Body>) -> (String, String) {
    let url = response.extensions().get::<ResponseUrl>();
    let url = url.expect("a recorded URL").0.to_string();
    let response = reqwest::Response::from(response);
    (url, response.url().to_string())
}

#[checks::test]
async fn redirect_to_the_login_page_is_returned() {
    let service = service().await;
    let start = format!("{service}/start");
    let response = get_from(http(), &start).await.expect("a response");
    assert_eq!(response.status(), 303);
    assert_eq!(response.headers()["location"], LOGIN_PAGE);
    let next = format!("{service}/next");
    assert_eq!(recorded(response), (next.clone(), next));
}

#[checks::test]
async fn given_client_follows_its_own_policy() {
    let service = service().await;
    let start = format!("{service}/start");
    let own = HttpService::from(checks::browser::client());
    let response = get_from(own, &start).await.expect("a response");
    assert_eq!(response.status(), 200);
    let page = format!("{service}{LOGIN_PAGE}");
    assert_eq!(recorded(response), (page.clone(), page));
}

#[checks::test]
async fn given_policy_applies_to_other_redirects() {
    let service = service().await;
    let policy = stop_at_login(Policy::none());
    let client = Client::builder().no_proxy().redirect(policy).build();
    let own = HttpService::from(client.expect("a client"));
    let start = format!("{service}/start");
    let response = get_from(own, &start).await.expect("a response");
    assert_eq!(response.headers()["location"], "/next");
}

#[checks::test]
async fn endless_redirects_are_an_error() {
    let service = service().await;
    let round = format!("{service}/round");
    let error = get_from(http(), &round).await.expect_err("an error");
    assert!(error.is_redirect(), "{error:?}");
}

#[checks::test]
async fn relative_uri_is_an_error() {
    let error = get_from(http(), "/ls").await.expect_err("an error");
    assert!(error.is_builder(), "{error:?}");
}

#[checks::test]
async fn challenge_is_detected_in_a_reqwest_response() {
    let service = service().await;
    let response = checks::browser::client().get(&service).send().await;
    let response = response.expect("a response");
    let (response, detection) = detect_in(response, InspectLimits::new()).await;
    assert_eq!(
        (response.status().as_u16(), detection.found.len()),
        (403, 1)
    );
    let response = reqwest::Response::from(response.map(reqwest::Body::wrap));
    assert_eq!(response.text().await.expect("a body"), checks::mock::MFA);
}

fn stream() -> impl Body<Data = Bytes, Error = Infallible> + Send + Sync + 'static {
    let pieces = ["one ", "two"].map(|text| Ok(Frame::data(Bytes::from(text))));
    StreamBody::new(futures_util::stream::iter(pieces))
}

/// The response to a `POST` with `body` that a 307 redirects.
async fn moved<B>(url: &str, body: B) -> (u16, Bytes)
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Sync + 'static,
{
    let request = Request::post(format!("{url}/moved")).body(body);
    let response = http().oneshot(request.expect("a request")).await;
    let response = response.expect("a response");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body");
    (status, body.to_bytes())
}

#[checks::test]
async fn body_in_memory_follows_a_redirect() {
    let url = service().await;
    let text = "one two";
    let sent = (200, Bytes::from(text));
    assert_eq!(moved(&url, Full::new(Bytes::from(text))).await, sent);
    assert_eq!(moved(&url, String::from(text)).await, sent);
    assert_eq!(moved(&url, reqwest::Body::from(text)).await, sent);
    let nothing = (200, Bytes::new());
    assert_eq!(moved(&url, Empty::new()).await, nothing);
    assert_eq!(moved(&url, Full::default()).await, nothing);
    assert_eq!(
        moved(&url, ReplayBody::new(Empty::<Bytes>::new())).await,
        nothing
    );
}

#[checks::test]
async fn stream_is_not_redirected() {
    let url = service().await;
    let not_followed = (307, Bytes::new());
    assert_eq!(moved(&url, stream()).await, not_followed);
    assert_eq!(moved(&url, stream().boxed()).await, not_followed);
}

/// Sends `body` through the layer to the service, which challenges the first attempt.
async fn echoed<B>(url: &str, body: B) -> (u16, Bytes)
where
    B: Body<Data = Bytes, Error: Into<BoxError>>
        + globus_gare::layer::ReplayableBody
        + Send
        + Sync
        + 'static,
{
    let login = reauth_fn(|_| async { Ok(Credential::bearer("fresh")?) });
    let session = Session::builder(login).trust(Trust::none().loopback());
    let client = GareLayer::from_session(session.build()).layer(http());
    let request = Request::post(url).body(body).expect("a request");
    let response = client.oneshot(request).await.expect("a response");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.expect("a body");
    (status, body.to_bytes())
}

#[checks::test]
async fn replay_sends_each_kind_of_body_whole() {
    let url = service().await;
    let text = "one two";
    let sent = (200, Bytes::from(text));
    assert_eq!(echoed(&url, Full::new(Bytes::from(text))).await, sent);
    assert_eq!(echoed(&url, String::from(text)).await, sent);
    assert_eq!(echoed(&url, reqwest::Body::from(text)).await, sent);
    assert_eq!(echoed(&url, ReplayBody::new(stream())).await, sent);
    let not_sync = ReplayBody::new(stream().boxed_unsync());
    assert_eq!(echoed(&url, not_sync).await, sent);
    let either: Either<Full<Bytes>, Empty<Bytes>> = Either::Left(Full::from(text));
    assert_eq!(echoed(&url, either).await, sent);
}
