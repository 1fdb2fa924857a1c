//! The HTTPS server of a collection on loopback, and a Globus with the collection's document.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::response::IntoResponse;
use globus_gare::layer::{GareLayer, GareService};
use globus_gare::reauth::{GareOptions, Session, Trust};
use globus_gare::reqwest::HttpService;
use globus_login::{GlobusApp, GlobusAppBuilder};
use http::Response;
use http::header::AUTHORIZATION;
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};

use super::endpoint::*;

pub(crate) const COLLECTION: &str = "6c54cade-bde5-45c1-bdea-f4bd71dba2cc";
pub(crate) const HTTPS: &str =
    "https://auth.globus.org/scopes/6c54cade-bde5-45c1-bdea-f4bd71dba2cc/https";
pub(crate) const DATA_ACCESS: &str =
    "https://auth.globus.org/scopes/6c54cade-bde5-45c1-bdea-f4bd71dba2cc/data_access";

/// A server that claims to be that of [`COLLECTION`]: it redirects a request without the
/// collection's token to a login.
pub(crate) struct Server {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&heard);
        let router = Router::new().fallback(move |request: Request| {
            let value = request.headers().get(AUTHORIZATION);
            let value = value.map_or("", |value| value.to_str().expect("text"));
            log.lock().expect("no panic").push(value.to_owned());
            let answer = match value {
                "Bearer given-https" => "the file".into_response(),
                _ => to_login().into_response(),
            };
            async move { answer }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, heard }
    }

    /// The `Authorization` of each request so far.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no panic").clone()
    }
}

fn to_login() -> Response<String> {
    let login = format!("https://auth.globus.org/v2/oauth2/authorize?client_id={COLLECTION}");
    redirected(302, &login)
}

/// The answer to a login by Ada, with a token for the collection.
pub(crate) fn login_with_https() -> Value {
    let mut answer = login("given");
    let mut others = vec![refreshed(COLLECTION, "given-https")];
    others.extend(answer["other_tokens"].as_array().cloned().expect("tokens"));
    answer["other_tokens"] = others.into();
    answer
}

/// A Globus Auth where every login succeeds (only the first brings no token for the collection),
/// and a Globus Transfer with this document of the collection.
pub(crate) async fn knowing(document: Value) -> Endpoint {
    let logins = AtomicUsize::default();
    Endpoint::start(move |request| {
        let is_ours = request.path == format!("/v0.10/endpoint/{COLLECTION}");
        let answer = match request.path.starts_with("/v0.10/") {
            true if is_ours => answer(200, &document),
            true => answer(404, &json!({"code": "EndpointNotFound"})),
            false => match logins.fetch_add(1, Ordering::Relaxed) {
                0 => answer(200, &login("given")),
                _ => answer(200, &login_with_https()),
            },
        };
        std::future::ready(answer)
    })
    .await
}

/// The document of a mapped collection with this HTTPS server.
pub(crate) fn mapped(https_server: &str) -> Value {
    json!({
        "DATA_TYPE": "endpoint", "id": COLLECTION, "entity_type": "GCSv5_mapped_collection",
        "high_assurance": false, "https_server": https_server,
    })
}

/// An app that uses the Transfer at `globus`.
pub(crate) fn app_at(globus: &Endpoint) -> GlobusAppBuilder {
    globus
        .app()
        .resource_server_for(&globus.url, TRANSFER_SERVER)
}

/// A client that trusts the server at `url`. The program does not name its collection.
pub(crate) fn client_of(app: &GlobusApp, url: &str) -> GareService<HttpService> {
    let trust = Trust::globus().origin(url).expect("an origin");
    let trust = trust.loopback();
    let session = Session::builder(app.clone()).trust(trust).build();
    let client = HttpService::from_builder(reqwest::Client::builder().no_proxy());
    GareLayer::from_session(session).layer(client.expect("a client"))
}

/// Gets the file of the server at `url`. Returns the status.
pub(crate) async fn get_file(client: &GareService<HttpService>, url: &str) -> u16 {
    get_as(client, url, GareOptions::new()).await
}

/// As [`get_file`], with these options.
pub(crate) async fn get_as(
    client: &GareService<HttpService>,
    url: &str,
    options: GareOptions,
) -> u16 {
    let request = http::Request::get(format!("{url}/file")).extension(options);
    let request = request.body(Full::<bytes::Bytes>::default());
    let response = client.clone().oneshot(request.expect("a request")).await;
    response.expect("an answer").status().as_u16()
}
