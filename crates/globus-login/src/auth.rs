//! All calls to Globus Auth.

use std::error::Error;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
    BasicTokenIntrospectionResponse,
};
use oauth2::{
    AuthUrl, AuthorizationCode, Client, ClientId, EndpointNotSet, EndpointSet, HttpRequest,
    PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken,
    TokenUrl,
};
use url::form_urlencoded;

use super::http::{Transport, TransportError};
use super::scope::Scopes;
use super::settings::Settings;
use super::token_response::{Account, TokenAnswer};
use globus_gare::reauth::{Credential, ReauthError, printable};

/// Globus Auth as a resource server.
pub(super) const SERVER: &str = "auth.globus.org";

/// An OAuth 2 client that knows the two endpoints of Globus Auth.
pub(super) type AuthClient = Client<
    BasicErrorResponse,
    TokenAnswer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

pub(super) fn auth_client(settings: &Settings) -> AuthClient {
    let client = Client::new(ClientId::new(settings.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(settings.endpoints.authorize.clone()))
        .set_token_uri(TokenUrl::from_url(settings.endpoints.token.clone()));
    match &settings.client_secret {
        Some(secret) => client.set_client_secret(secret.clone()),
        None => client,
    }
}

/// Exchanges the code of a login for tokens (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
pub(super) async fn exchange_code(
    settings: &Settings,
    transport: &Transport,
    code: AuthorizationCode,
    redirect_uri: RedirectUrl,
    verifier: PkceCodeVerifier,
) -> Result<TokenAnswer, ReauthError> {
    let code_sent = code.secret().clone();
    let client = auth_client(settings).set_redirect_uri(redirect_uri);
    client
        .exchange_code(code)
        .set_pkce_verifier(verifier)
        .request_async(transport)
        .await
        .map_err(|error| explain(error, &code_sent))
}

/// Gets tokens for the client itself (RFC 6749, section 4.4).
pub(super) async fn exchange_client_credentials(
    settings: &Settings,
    transport: &Transport,
    scopes: &Scopes,
) -> Result<TokenAnswer, ReauthError> {
    let scopes = scopes.iter().map(|scope| Scope::new(scope.to_string()));
    let secret = settings
        .client_secret
        .as_ref()
        .map_or("", |secret| secret.secret());
    auth_client(settings)
        .exchange_client_credentials()
        .add_scopes(scopes)
        .request_async(transport)
        .await
        .map_err(|error| explain(error, secret))
}

/// Redeems a refresh token (RFC 6749, section 6). `None` where Globus Auth refuses it for good.
pub(super) async fn exchange_refresh_token(
    settings: &Settings,
    transport: &Transport,
    token: &RefreshToken,
) -> Result<Option<TokenAnswer>, ReauthError> {
    let answer = auth_client(settings)
        .exchange_refresh_token(token)
        .request_async(transport)
        .await;
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(RequestTokenError::ServerResponse(refusal))
            if *refusal.error() == BasicErrorResponseType::InvalidGrant =>
        {
            Ok(None)
        }
        Err(error) => Err(explain(error, token.secret())),
    }
}

/// Says what went wrong, without anything that was sent.
///
/// The error itself cannot be the source: where an answer cannot be read, it
/// holds the whole of it.
fn explain(
    error: RequestTokenError<TransportError, BasicErrorResponse>,
    sent: &str,
) -> ReauthError {
    match error {
        RequestTokenError::ServerResponse(refusal) => {
            let code = refusal.error().as_ref();
            let message = match refusal.error() {
                BasicErrorResponseType::InvalidGrant => {
                    "Globus Auth did not accept the code: it is wrong, was used before, or is too old"
                }
                _ => "Globus Auth refused to give a token",
            };
            let description = refusal
                .error_description()
                .map(String::as_str)
                .filter(|text| sent.is_empty() || !text.contains(sent));
            Refusal::new(code, description).explained(message)
        }
        RequestTokenError::Request(error) => {
            ReauthError::with_source("Globus Auth could not be asked for a token", error)
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => ReauthError::new(
            "Globus Auth answered a token request with something that is no token response",
        ),
    }
}

/// The reason that Globus Auth gave (RFC 6749, sections 4.1.2.1 and 5.2): text of a stranger, on
/// one line and cut.
#[derive(Debug, thiserror::Error)]
#[error("{code}{}", description.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
pub(super) struct Refusal {
    code: String,
    description: Option<String>,
}

impl Refusal {
    pub(super) fn new(code: &str, description: Option<&str>) -> Self {
        Self {
            code: printable(code),
            description: description.map(printable).filter(|text| !text.is_empty()),
        }
    }

    /// Whether Globus Auth did not accept a code.
    pub(super) fn is_of_the_code(error: &ReauthError) -> bool {
        let refusal = error
            .source()
            .and_then(|source| source.downcast_ref::<Self>());
        refusal.is_some_and(|refusal| refusal.code == "invalid_grant")
    }

    /// The error of a login that ended with this reason.
    pub(super) fn explained(self, message: &str) -> ReauthError {
        match (self.code.as_str(), &self.description) {
            ("access_denied", None) => ReauthError::declined(),
            // By the person, or by Globus Auth itself: the reason tells.
            ("access_denied", Some(_)) => ReauthError::declined_because(self),
            _ => ReauthError::with_source(message, self),
        }
    }
}

/// Asks Globus Auth whose token it is (OpenID Connect Core 1.0, section 5.3);
/// `None` where the token is of no use any more.
pub(super) async fn ask(
    settings: &Settings,
    transport: &Transport,
    credential: &Credential,
) -> Result<Option<Account>, ReauthError> {
    let failed = "Globus Auth could not be asked who is logged in";
    let request = http::Request::get(settings.endpoints.userinfo.as_str())
        .header(AUTHORIZATION, credential.header_value())
        .header(ACCEPT, "application/json")
        .body(Vec::new())
        .map_err(|error| ReauthError::with_source(failed, error))?;
    let answer = transport.send(request).await;
    let answer = answer.map_err(|error| ReauthError::with_source(failed, error))?;
    match answer.status().as_u16() {
        401 | 403 => Ok(None),
        200 => serde_json::from_slice(answer.body())
            .map(Some)
            .map_err(|_| ReauthError::new(format!("{failed}: it answered with something else"))),
        status => Err(ReauthError::new(format!(
            "{failed}: it answered with status {status}"
        ))),
    }
}

/// Revokes an access token or a refresh token (RFC 7009).
pub(super) async fn revoke(
    settings: &Settings,
    transport: &Transport,
    token: &str,
) -> Result<(), ReauthError> {
    let failed = "Globus Auth could not be told to revoke a token";
    let request = revocation(settings, token);
    let request = request.map_err(|error| ReauthError::with_source(failed, error))?;
    let answer = transport.send(request).await;
    let answer = answer.map_err(|error| ReauthError::with_source(failed, error))?;
    if answer.status().is_success() {
        return Ok(());
    }
    let status = answer.status().as_u16();
    Err(ReauthError::new(format!(
        "{failed}: it answered with status {status}"
    )))
}

fn revocation(settings: &Settings, token: &str) -> Result<HttpRequest, http::Error> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token)
        .append_pair("client_id", &settings.client_id);
    if let Some(secret) = &settings.client_secret {
        form.append_pair("client_secret", secret.secret());
    }
    http::Request::post(settings.endpoints.revoke.as_str())
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.finish().into_bytes())
}
