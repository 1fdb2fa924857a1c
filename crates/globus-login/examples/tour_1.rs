//! The first step of the tour: a layer around a client. It lists collections.

use bytes::Bytes;
use globus_gare::reqwest::HttpService;
use globus_gare::{Challenge, Credential, Environment, GareLayer, ReauthError, reauth_fn};
use http::Request;
use http_body_util::{BodyExt, Full};
use tower::{BoxError, Layer, ServiceExt};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let client = GareLayer::new(reauth_fn(paste)).layer(HttpService::new()?);
    for collection in std::env::args().skip(1) {
        let response = client.clone().oneshot(listing(&collection)?).await?;
        let body = response.into_body().collect().await?.to_bytes();
        println!("{collection}: {}", names(&body)?);
    }
    Ok(())
}

/// A login: the user pastes a token.
async fn paste(challenge: Challenge) -> Result<Credential, ReauthError> {
    eprintln!("{} Paste a token:", challenge.in_plain_words());
    let line = tokio::task::spawn_blocking(|| std::io::stdin().lines().next());
    match line.await.map_err(ReauthError::other)?.transpose()? {
        Some(token) => Ok(Credential::bearer(token)?),
        None => Err(ReauthError::declined()),
    }
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
