//! A collection's server over sockets. It redirects a request without a valid token to a login.

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Challenge, Credential, GareOutcome, GaveUp, ReauthError, Session, Trust, reauth_fn,
};
use globus_gare::reqwest::{GareMiddleware, HttpService, redirects};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use reqwest::ClientBuilder;
use tower::{Layer, ServiceExt};

const ID: &str = "6c54cade-bde5-45c1-bdea-f4bd71dba2cc";

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn file(State(auth): State<String>, headers: HeaderMap) -> Response {
    match headers.get("authorization") {
        Some(token) if token == "Bearer for-the-collection" => "the file".into_response(),
        _ => {
            let login = format!("{auth}/v2/oauth2/authorize?client_id={ID}&scope=openid");
            let to_login = Redirect::to(&login).into_response();
            (StatusCode::FOUND, to_login.headers().clone()).into_response()
        }
    }
}

async fn log_in(challenge: Challenge) -> Result<Credential, ReauthError> {
    let collection = challenge.target().collection();
    let collection = collection.ok_or_else(|| ReauthError::new("no collection"))?;
    Ok(Credential::bearer("for-the-collection")?.for_collection(collection))
}

/// The URL of a file, and a session that knows its collection.
async fn world() -> (String, Session) {
    let page = || async { "<html>Log in</html>" };
    let auth = serve(Router::new().route("/v2/oauth2/authorize", get(page))).await;
    let server = Router::new().route("/file", get(file));
    let server = serve(server.with_state(auth.clone())).await;
    let trust = Trust::none().collection(&server, ID).expect("an origin");
    let trust = trust.origin(&auth).expect("an origin");
    let session = Session::builder(reauth_fn(log_in)).trust(trust).build();
    (format!("{server}/file"), session)
}

fn client() -> ClientBuilder {
    reqwest::Client::builder().no_proxy()
}

#[checks::test]
async fn reqwest_client_that_stops_at_a_login_gets_the_file() {
    let (url, session) = world().await;
    let client = client().redirect(redirects()).build().expect("a client");
    let client = reqwest_middleware::ClientBuilder::new(client)
        .with(GareMiddleware::from_session(session))
        .build();
    let response = client.get(url).send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.expect("a body"), "the file");
}

#[checks::test]
async fn http_service_gets_the_file() {
    let (url, session) = world().await;
    let client = GareLayer::from_session(session)
        .layer(HttpService::from_builder(client()).expect("a client"));
    let request = Request::get(url).body(Full::<Bytes>::default());
    let response = client.oneshot(request.expect("a request")).await;
    let response = response.expect("an answer");
    assert_eq!(response.status(), 200);
    let body = response.into_body().collect().await.expect("a body");
    assert_eq!(body.to_bytes(), "the file");
}

#[checks::test]
async fn client_that_follows_to_a_login_gets_no_file() {
    let (url, session) = world().await;
    let client = client().build().expect("a client");
    let follows = HttpService::from(client.clone());
    let client = reqwest_middleware::ClientBuilder::new(client)
        .with(GareMiddleware::from_session(session.clone()))
        .build();
    let response = client.get(&url).send().await.expect("an answer");
    assert_eq!(response.status(), 401);
    let outcome = response.extensions().get::<GareOutcome>();
    let gave_up = outcome.and_then(GareOutcome::gave_up);
    assert!(matches!(gave_up, Some(GaveUp::RedirectedToLogin)));

    let client = GareLayer::from_session(session).layer(follows);
    let request = Request::get(&url).body(Full::<Bytes>::default());
    let response = client.oneshot(request.expect("a request")).await;
    assert_eq!(response.expect("an answer").status(), 401);
}
