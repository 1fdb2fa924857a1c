use std::error::Error;
use std::fmt;

use oauth2::basic::{
    BasicErrorResponse, BasicErrorResponseType, BasicRevocationErrorResponse,
    BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthUrl, AuthorizationCode, Client, ClientId, EndpointNotSet, EndpointSet, ExtraTokenFields,
    PkceCodeVerifier, RefreshToken, RequestTokenError, StandardRevocableToken,
    StandardTokenResponse, TokenUrl,
};
use serde::{Deserialize, Serialize};

use super::app::Settings;
use super::grants::Token;
use super::transport::{Transport, TransportError};
use crate::reauth::{ReauthError, printable};

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
    Client::new(ClientId::new(settings.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(settings.authorize_url.clone()))
        .set_token_uri(TokenUrl::from_url(settings.token_url.clone()))
}

/// What Globus Auth answers a token request: the token of one resource server,
/// and beside it those of the others.
pub(super) type TokenAnswer = StandardTokenResponse<OfGlobus, BasicTokenType>;

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct OfGlobus {
    resource_server: String,
    #[serde(default)]
    other_tokens: Vec<StandardTokenResponse<OfOne, BasicTokenType>>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct OfOne {
    resource_server: String,
}

impl ExtraTokenFields for OfGlobus {}
impl ExtraTokenFields for OfOne {}

/// The tokens of an answer, by resource server.
pub(super) fn tokens_of(answer: &TokenAnswer) -> impl Iterator<Item = (String, Token)> {
    let first = (
        answer.extra_fields().resource_server.clone(),
        Token::of(answer),
    );
    let others = answer.extra_fields().other_tokens.iter();
    std::iter::once(first).chain(others.map(|other| {
        (
            other.extra_fields().resource_server.clone(),
            Token::of(other),
        )
    }))
}

/// Exchanges the code of a login for tokens (RFC 6749, section 4.1.3; RFC 7636, section 4.5).
pub(super) async fn exchange_code(
    settings: &Settings,
    transport: &Transport,
    code: AuthorizationCode,
    verifier: PkceCodeVerifier,
) -> Result<TokenAnswer, ReauthError> {
    let code_sent = code.secret().clone();
    let client = auth_client(settings).set_redirect_uri(settings.redirect_uri.clone());
    client
        .exchange_code(code)
        .set_pkce_verifier(verifier)
        .request_async(transport)
        .await
        .map_err(|error| explain(error, &code_sent))
}

/// Renews a token (RFC 6749, section 6). `None` where the refresh token is of no use any more.
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
            if code == "access_denied" {
                return ReauthError::declined();
            }
            let message = match refusal.error() {
                BasicErrorResponseType::InvalidGrant => {
                    "Globus Auth did not accept the code: it is wrong, was used before, or is too old"
                }
                _ => "Globus Auth refused to give a token",
            };
            let description = refusal
                .error_description()
                .map(String::as_str)
                .filter(|text| !text.contains(sent));
            ReauthError::with_source(message, Refusal::new(code, description))
        }
        RequestTokenError::Request(error) => {
            ReauthError::with_source("Globus Auth could not be asked for a token", error)
        }
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => ReauthError::new(
            "Globus Auth answered a token request with something that is no token response",
        ),
    }
}

/// What Globus Auth gave as the reason (RFC 6749, sections 4.1.2.1 and 5.2).
#[derive(Debug)]
pub(super) struct Refusal {
    code: String,
    description: Option<String>,
}

impl Refusal {
    pub(super) fn new(code: &str, description: Option<&str>) -> Self {
        Self {
            code: printable(code),
            description: description.map(printable),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code)?;
        self.description
            .as_ref()
            .map_or(Ok(()), |description| write!(f, ": {description}"))
    }
}

impl Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = r#"{
        "access_token": "first-secret", "token_type": "Bearer", "expires_in": 172800, "scope": "openid email",
        "resource_server": "auth.globus.org", "state": "_default", "id_token": "a.b.c",
        "other_tokens": [
            {"access_token": "second-secret", "token_type": "bearer", "expires_in": 60, "scope": "t:all",
             "resource_server": "transfer.api.globus.org", "refresh_token": "refresh-secret"}
        ]
    }"#;

    #[test]
    fn an_answer_holds_a_token_for_each_resource_server_and_shows_none() {
        let answer: TokenAnswer = serde_json::from_str(ANSWER).expect("a token response");
        let tokens: Vec<_> = tokens_of(&answer).collect();
        let names: Vec<_> = tokens.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["auth.globus.org", "transfer.api.globus.org"]);
        assert!(tokens[0].1.is_fresh() && !tokens[1].1.is_fresh());
        let header = tokens[1].1.credential().expect("a token that can be sent");
        assert_eq!(header.header_value(), "Bearer second-secret");
        let shown = format!("{answer:?} {tokens:?}");
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_refusal_is_told_without_what_was_sent() {
        let refused = |json: &str| {
            explain(
                RequestTokenError::ServerResponse(serde_json::from_str(json).expect(json)),
                "c0de",
            )
        };
        let told = |error: &ReauthError| {
            format!(
                "{error} {:?} {:?}",
                error,
                error.source().map(ToString::to_string)
            )
        };
        let error = refused(r#"{"error": "invalid_grant", "error_description": "no such code"}"#);
        assert!(
            told(&error).contains("did not accept the code")
                && told(&error).contains("invalid_grant: no such code")
        );
        let error = refused(r#"{"error": "invalid_grant", "error_description": "no code c0de"}"#);
        assert!(!told(&error).contains("c0de"), "{}", told(&error));
        assert!(refused(r#"{"error": "access_denied"}"#).is_declined());
        let error =
            refused(r#"{"error": "unauthorized_client", "error_description": "\u001b[2Jpay\nus"}"#);
        assert!(
            told(&error).contains("unauthorized_client: [2Jpay us"),
            "{}",
            told(&error)
        );
    }
}
