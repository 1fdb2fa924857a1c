//! A login over any client: authorize, then exchange the code.

use bytes::Bytes;
use checks::sample::TRANSFER_ALL;
use fake_globus::FakeGlobus;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::{Credential, ReauthError};
use http::Request;
use http::header::{CONTENT_TYPE, LOCATION};
use tower::{BoxError, Service};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::support::globus::{Body, send};

const REDIRECT: &str = "http://127.0.0.1:1/done";

/// Logs in as the confidential client's user, and satisfies `asked`.
pub(crate) async fn log_in<S, ResB>(
    globus: &FakeGlobus,
    client: S,
    asked: &AuthorizationParameters,
) -> Result<Credential, ReauthError>
where
    S: Service<Request<Body>, Response = http::Response<ResB>, Error = BoxError> + Clone,
    ResB: http_body::Body<Data = Bytes, Error = BoxError>,
{
    let id = globus.confidential_client_id().to_string();
    let scopes = match asked.required_scopes.join(" ") {
        none if none.is_empty() => TRANSFER_ALL.to_owned(),
        scopes => scopes,
    };
    let mut url = Url::parse(globus.auth_url()).expect("a URL");
    url.set_path("/v2/oauth2/authorize");
    url.query_pairs_mut()
        .append_pair("client_id", &id)
        .append_pair("redirect_uri", REDIRECT)
        .append_pair("response_type", "code")
        .append_pair("scope", &scopes)
        .extend_pairs(asked.to_query());
    let authorize = Request::get(url.as_str())
        .body(Body::default())
        .expect("a request");
    let answer = send(client.clone(), authorize).await;
    let location = answer
        .headers()
        .get(LOCATION)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| ReauthError::new(answer.body().clone()))?;
    let done = Url::parse(location).expect("a URL");
    let code = done.query_pairs().find(|(name, _)| name == "code");
    let Some((_, code)) = code else {
        return Err(ReauthError::declined());
    };
    let form = Serializer::new(String::new())
        .append_pair("grant_type", "authorization_code")
        .append_pair("client_id", &id)
        .append_pair("client_secret", globus.client_secret())
        .append_pair("redirect_uri", REDIRECT)
        .append_pair("code", &code)
        .finish();
    let exchange = Request::post(format!("{}v2/oauth2/token", globus.auth_url()))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .expect("a request");
    let answer = send(client, exchange).await;
    let document: serde_json::Value = serde_json::from_str(answer.body())
        .map_err(|error| ReauthError::new("the token answer is no JSON").with_source(error))?;
    let token = document["access_token"]
        .as_str()
        .ok_or_else(|| ReauthError::new(answer.body().clone()))?;
    Ok(Credential::bearer(token)?)
}
