//! The second step of the tour: many requests, one login, and the result of each request. It lists
//! collections.

use bytes::Bytes;
use globus_gare::layer::GareService;
use globus_gare::reqwest::HttpService;
use globus_gare::{
    Challenge, Credential, Environment, GareLayer, GareOutcome, ReauthError, Session, reauth_fn,
};
use http::Request;
use http_body_util::{BodyExt, Full};
use tower::{BoxError, Layer, ServiceExt};

type Client = GareService<HttpService>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let session = Session::new(reauth_fn(paste));
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
