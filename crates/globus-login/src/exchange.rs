use std::error::Error;
use std::time::SystemTime;

use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
    BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthUrl, AuthorizationCode, Client, ClientId, EndpointNotSet, EndpointSet, ExtraTokenFields,
    PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};

use super::Account;
use super::id_token::IdToken;
use super::scope::Scopes;
use super::settings::Settings;
use super::store::{StoredToken, Tokens};
use super::transport::{Transport, TransportError};
use globus_gare::reauth::{ReauthError, printable};

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

/// What Globus Auth answers a token request: the token of one resource server,
/// and beside it those of the others.
pub(super) type TokenAnswer = StandardTokenResponse<OfGlobus, BasicTokenType>;

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct OfGlobus {
    resource_server: String,
    #[serde(default)]
    id_token: Option<IdToken>,
    #[serde(default)]
    other_tokens: Vec<StandardTokenResponse<OfOne, BasicTokenType>>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct OfOne {
    resource_server: String,
}

impl ExtraTokenFields for OfGlobus {}
impl ExtraTokenFields for OfOne {}

/// The tokens of an answer, by resource server, as those of `identity`.
pub(super) fn tokens_of(answer: &TokenAnswer, identity: Option<&str>, now: SystemTime) -> Tokens {
    let server = &answer.extra_fields().resource_server;
    let first = (
        server.clone(),
        StoredToken::of(answer, server, identity, now),
    );
    let others = answer.extra_fields().other_tokens.iter();
    let others = others.map(|other| {
        let server = &other.extra_fields().resource_server;
        (
            server.clone(),
            StoredToken::of(other, server, identity, now),
        )
    });
    std::iter::once(first).chain(others).collect()
}

/// Who logged in, by the answer's ID token for `client_id`.
pub(super) fn account_of(answer: &TokenAnswer, client_id: &str) -> Option<Account> {
    answer.extra_fields().id_token.as_ref()?.account(client_id)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn debug_of_a_token_response_shows_no_secret() {
        let answer = r#"{
            "access_token": "first-secret", "token_type": "Bearer", "resource_server": "auth.globus.org",
            "other_tokens": [{
                "access_token": "second-secret", "token_type": "bearer", "refresh_token": "refresh-secret",
                "resource_server": "transfer.api.globus.org"
            }]
        }"#;
        let answer: TokenAnswer = serde_json::from_str(answer).expect("a token response");
        let tokens = tokens_of(&answer, Some("me"), SystemTime::now());
        assert_eq!(tokens.len(), 2);
        let shown = format!("{answer:?} {tokens:?}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}
