use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use oauth2::{AccessToken, RefreshToken, TokenResponse};
use tokio::time::Instant;

use super::exchange::{TokenAnswer, tokens_of};
use super::scopes::Scopes;
use crate::reauth::{Credential, Identity, InvalidCredential};

/// How long before its end a token counts as run out: as long as a session does.
const LEEWAY: Duration = Duration::from_secs(60);

/// How many identities are remembered: an app mostly serves one.
const MAX_IDENTITIES: usize = 1024;

/// What each identity was granted, in memory.
#[derive(Debug, Default)]
pub(super) struct Grants(Vec<(Identity, Grant)>);

/// What one identity was granted by its logins.
#[derive(Debug, Default)]
struct Grant {
    scopes: Scopes,
    /// By resource server.
    tokens: HashMap<String, Token>,
}

/// What a resource server is sent, and what renews it.
#[derive(Clone)]
pub(super) struct Token {
    access: AccessToken,
    refresh: Option<RefreshToken>,
    expires_at: Option<Instant>,
}

impl Grants {
    /// The scopes that the logins of `identity` have asked for so far.
    pub(super) fn scopes(&self, identity: &Identity) -> Scopes {
        self.of(identity)
            .map(|grant| grant.scopes.clone())
            .unwrap_or_default()
    }

    pub(super) fn token(&self, identity: &Identity, resource_server: &str) -> Option<Token> {
        self.of(identity)?.tokens.get(resource_server).cloned()
    }

    /// Keeps what a login that asked for `scopes` gave.
    pub(super) fn keep(&mut self, identity: &Identity, scopes: Scopes, answer: &TokenAnswer) {
        let mut grant = self.take(identity).unwrap_or_default();
        grant.scopes = scopes;
        grant.tokens.extend(tokens_of(answer));
        if self.0.len() >= MAX_IDENTITIES {
            self.0.remove(0);
        }
        self.0.push((identity.clone(), grant));
    }

    /// Replaces a token by what its refresh token gave; `None` forgets it. A
    /// token that a login brought in the meantime stays.
    pub(super) fn renew(
        &mut self,
        identity: &Identity,
        resource_server: &str,
        old: &Token,
        new: Option<Token>,
    ) {
        let Some((_, grant)) = self.0.iter_mut().find(|(known, _)| known == identity) else {
            return;
        };
        if grant
            .tokens
            .get(resource_server)
            .is_some_and(|token| token.refresh == old.refresh)
        {
            match new {
                Some(token) => grant.tokens.insert(resource_server.to_owned(), token),
                None => grant.tokens.remove(resource_server),
            };
        }
    }

    fn of(&self, identity: &Identity) -> Option<&Grant> {
        self.0
            .iter()
            .find(|(known, _)| known == identity)
            .map(|(_, grant)| grant)
    }

    fn take(&mut self, identity: &Identity) -> Option<Grant> {
        let position = self.0.iter().position(|(known, _)| known == identity)?;
        Some(self.0.remove(position).1)
    }
}

impl Token {
    pub(super) fn of(answer: &impl TokenResponse) -> Self {
        Self {
            access: answer.access_token().clone(),
            refresh: answer.refresh_token().cloned(),
            // A lifetime beyond what the clock can express never ends.
            expires_at: answer
                .expires_in()
                .and_then(|lifetime| Instant::now().checked_add(lifetime)),
        }
    }

    /// The token that a refresh token gave; it comes with a new refresh token or none.
    pub(super) fn or_refresh_of(mut self, old: &Self) -> Self {
        self.refresh = self.refresh.or_else(|| old.refresh.clone());
        self
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.left().is_none_or(|left| left > LEEWAY)
    }

    pub(super) fn refresh(&self) -> Option<&RefreshToken> {
        self.refresh.as_ref()
    }

    pub(super) fn credential(&self) -> Result<Credential, InvalidCredential> {
        let credential = Credential::bearer(self.access.secret())?;
        Ok(match self.left() {
            Some(left) => credential.with_lifetime(left),
            None => credential,
        })
    }

    fn left(&self) -> Option<Duration> {
        self.expires_at
            .map(|end| end.saturating_duration_since(Instant::now()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("expires_in", &self.left())
            .field("renewable", &self.refresh.is_some())
            .finish_non_exhaustive()
    }
}
