//! The fourth step of the tour: a portal, whose users log in. It lists collections for them.
//!
//! `GLOBUS_CLIENT_ID` and `GLOBUS_CLIENT_SECRET` are those of a portal that is registered at
//! <https://app.globus.org/settings/developers>, with the redirect URI `http://127.0.0.1:8000/callback`.

use axum::extract::{Path, State};
use axum::{Router, routing};
use bytes::Bytes;
use globus_gare::layer::GareService;
use globus_gare::reqwest::HttpService;
use globus_gare::{Environment, GareLayer, GareOptions, Session};
use globus_login::web::{WebError, WebLogins, WebUser};
use globus_login::{GlobusApp, Sealer};
use http::Request;
use http_body_util::{BodyExt, Full};
use tokio::net::TcpListener;
use tower::{BoxError, Layer, ServiceExt};

type Client = GareService<HttpService>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "8000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let site = format!("http://{}", listener.local_addr()?);

    let app = GlobusApp::user(std::env::var("GLOBUS_CLIENT_ID")?)
        .client_secret(std::env::var("GLOBUS_CLIENT_SECRET")?)
        .redirect_uri(format!("{site}/callback"))
        .build()?;
    let logins = WebLogins::new(app, Sealer::random(), &site)?;
    let session = Session::new(logins.clone());
    let client = GareLayer::from_session(session).layer(HttpService::new()?);
    let router = Router::new()
        .route("/ls/{collection}", routing::get(list))
        .merge(logins.routes())
        .layer(logins.layer())
        .with_state(client);
    println!("Open {site}/ls/COLLECTION");
    Ok(axum::serve(listener, router).await?)
}

async fn list(
    State(client): State<Client>,
    Path(collection): Path<String>,
    user: WebUser,
) -> Result<String, WebError> {
    let mut request = listing(&collection)?;
    let options = GareOptions::new().principal(user.principal()?);
    request.extensions_mut().insert(options);
    let response = client.oneshot(request).await?;
    // Where the user has to log in, this is an error, which sends the browser there.
    WebError::check(&response)?;
    let body = response.into_body().collect().await?.to_bytes();
    Ok(names(&body)?)
}

/// The request for the files in a collection.
fn listing(collection: &str) -> Result<Request<Full<Bytes>>, BoxError> {
    let transfer = Environment::from_env().service_url("transfer")?;
    let url = format!("{transfer}v0.10/operation/endpoint/{collection}/ls");
    Ok(Request::get(url).body(Full::default())?)
}

/// The names in a listing.
fn names(body: &[u8]) -> Result<String, BoxError> {
    let listing: serde_json::Value = serde_json::from_slice(body)?;
    let files = listing["DATA"].as_array().ok_or("this is no listing")?;
    let names = files.iter().filter_map(|file| file["name"].as_str());
    Ok(names.collect::<Vec<_>>().join(" "))
}
