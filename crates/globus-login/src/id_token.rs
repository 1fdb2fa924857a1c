use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::Account;

/// An ID token (OpenID Connect Core 1.0, section 2), straight from the token endpoint.
///
/// Its signature is not checked: it came over a connection whose other end TLS has
/// vouched for, which section 3.1.3.7 (6) takes in its place.
#[derive(Deserialize, Serialize)]
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
    /// Whom it is about, if it is meant for `client_id`.
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
