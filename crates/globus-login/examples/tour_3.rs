//! The third step of the tour: a real login, which is kept. It lists collections.
//!
//! `GLOBUS_CLIENT_ID` is the id of a program that is registered at <https://app.globus.org/settings/developers>.

use bytes::Bytes;
use globus_gare::layer::GareService;
use globus_gare::reqwest::HttpService;
use globus_gare::{Environment, GareLayer, GareOutcome, Session};
use globus_login::{GlobusApp, JsonStore};
use http::Request;
use http_body_util::{BodyExt, Full};
use tower::{BoxError, Layer, ServiceExt};

type Client = GareService<HttpService>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let client_id = std::env::var("GLOBUS_CLIENT_ID")?;
    let store = JsonStore::for_app(&client_id, "tour")?;
    let app = GlobusApp::user(client_id).store(store).build()?;
    let session = Session::new(app);
    let client = GareLayer::from_session(session.clone()).layer(HttpService::new()?);
    let mut lists = Vec::new();
    for collection in std::env::args().skip(1) {
        let request = listing(&collection)?;
        lists.push((collection, tokio::spawn(list(client.clone(), request))));
    }
    for (collection, list) in lists {
        match list.await? {
            Ok(names) => println!("{collection}: {names}"),
            Err(error) => println!("{collection}: {error}"),
        }
    }
    println!("Logins: {}", session.stats().logins);
    Ok(())
}

async fn list(client: Client, request: Request<Full<Bytes>>) -> Result<String, BoxError> {
    let response = client.oneshot(request).await?;
    let outcome = response.extensions().get::<GareOutcome>();
    if let Some(reason) = outcome.and_then(GareOutcome::gave_up) {
        return Err(reason.clone().into());
    }
    let body = response.into_body().collect().await?.to_bytes();
    names(&body)
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
