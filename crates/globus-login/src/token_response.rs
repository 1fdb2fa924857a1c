//! The response to a token request, and the account in its ID token.

use std::fmt;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::basic::BasicTokenType;
use oauth2::{ExtraTokenFields, StandardTokenResponse};
use serde::{Deserialize, Serialize};

use super::store::{StoredToken, Tokens};
use globus_gare::reauth::printable;

/// A token response of Globus Auth: the token of one resource server, and those of the others in
/// `other_tokens`.
pub(super) type TokenAnswer = StandardTokenResponse<OfGlobus, BasicTokenType>;

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct OfGlobus {
    resource_server: String,
    #[serde(default)]
    id_token: Option<IdToken>,
    #[serde(default)]
    other_tokens: Vec<StandardTokenResponse<OfOne, BasicTokenType>>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct OfOne {
    resource_server: String,
}

impl ExtraTokenFields for OfGlobus {}
impl ExtraTokenFields for OfOne {}

/// The tokens of a response by resource server, and the account in its ID token for `client_id`.
pub(super) fn granted(
    answer: &TokenAnswer,
    client_id: &str,
    now: SystemTime,
) -> (Tokens, Option<Account>) {
    let OfGlobus {
        resource_server,
        id_token,
        other_tokens,
    } = answer.extra_fields();
    let account = id_token.as_ref().and_then(|it| it.account(client_id));
    let identity = account.as_ref().map(|account| account.id.as_str());
    let first = StoredToken::of(answer, resource_server, identity, now);
    let others = other_tokens.iter().map(|other| {
        let server = &other.extra_fields().resource_server;
        (
            server.clone(),
            StoredToken::of(other, server, identity, now),
        )
    });
    let tokens = std::iter::once((resource_server.clone(), first)).chain(others);
    (tokens.collect(), account)
}

/// A person's Globus account. Returned by [`GlobusApp::account`](super::GlobusApp::account).
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The id of the primary identity.
    #[serde(rename = "sub")]
    pub id: String,
    /// The username, such as `ada@uchicago.edu`.
    #[serde(rename = "preferred_username", default)]
    pub username: Option<String>,
    /// The full name.
    #[serde(default)]
    pub name: Option<String>,
    /// The email address.
    #[serde(default)]
    pub email: Option<String>,
}

impl Account {
    /// The name to show to the person, on one line: username, email, name or id.
    pub(super) fn called(&self) -> String {
        let name = [&self.username, &self.email, &self.name];
        let name = name.into_iter().flatten().next().unwrap_or(&self.id);
        printable(name)
    }
}

/// An ID token (OpenID Connect Core 1.0, section 2) from the token endpoint.
///
/// Its signature is not checked: it came over TLS from Globus Auth itself, which section 3.1.3.7
/// (6) accepts in place of the signature.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct IdToken(String);

#[derive(Deserialize)]
struct Claims {
    aud: Audience,
    #[serde(flatten)]
    account: Account,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl IdToken {
    /// The account in the token, if the token is for `client_id`.
    pub(super) fn account(&self, client_id: &str) -> Option<Account> {
        let payload = self.0.split('.').nth(1)?;
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let claims: Claims = serde_json::from_slice(&payload).ok()?;
        let is_ours = match &claims.aud {
            Audience::One(client) => client.eq_ignore_ascii_case(client_id),
            Audience::Several(clients) => {
                let mut clients = clients.iter();
                clients.any(|client| client.eq_ignore_ascii_case(client_id))
            }
        };
        (is_ours && !claims.account.id.is_empty()).then_some(claims.account)
    }
}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdToken(..)")
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
        let tokens = granted(&answer, "client", SystemTime::now()).0;
        assert_eq!(tokens.len(), 2);
        let shown = format!("{answer:?} {tokens:?}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}
