//! How an app comes by its tokens: a login, that of somebody else, or a renewal.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::LoginRequest;
use super::account;
use super::app::{GlobusApp, Who};
use super::attempt::Attempt;
use super::exchange::{
    TokenAnswer, account_of, exchange_client_credentials, exchange_refresh_token, tokens_of,
};
use super::scope::{ScopeParseError, Scopes};
use super::store::{StoreLock, StoredToken, Tokens, Work};
use super::wallet::Pocket;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::{Challenge, Credential, Principal, ReauthError};

/// How long before a challenge somebody else's login may have been, to be an answer
/// to it. Another process may have been refused, and logged in, a moment earlier.
const JUST_NOW: u64 = 30;

/// How long another program may take between renewing a token and writing it down.
const WRITING: Duration = Duration::from_millis(500);

/// What a login leaves behind for those who waited for it.
#[derive(Deserialize, Serialize)]
struct Note {
    /// When it was over, in seconds since 1970.
    at: u64,
    /// What it satisfied.
    satisfied: String,
    /// The tokens that it gave, by their [fingerprints](StoredToken::fingerprint): one
    /// that was only renewed since is no answer.
    gave: Vec<u64>,
}

impl GlobusApp {
    /// Logs in, unless somebody else has by the time that it is our turn.
    pub(super) async fn log_in_if_needed(&self, identity: &Principal) -> Result<(), ReauthError> {
        if self.has_tokens(identity).await? {
            return Ok(());
        }
        let pocket = self.shared.wallet.pocket(identity);
        let turn = pocket.store.lock(&pocket.namespace, Work::Login).await?;
        if self.has_tokens(identity).await? {
            return Ok(());
        }
        self.log_in_now(identity, None, turn).await
    }

    pub(super) async fn log_in(
        &self,
        identity: &Principal,
        challenge: Option<&Challenge>,
    ) -> Result<(), ReauthError> {
        let pocket = self.shared.wallet.pocket(identity);
        let turn = pocket.store.lock(&pocket.namespace, Work::Login).await?;
        self.log_in_now(identity, challenge, turn).await
    }

    /// The token for `server` with which to go on after `challenge`.
    pub(super) async fn answer(
        &self,
        challenge: &Challenge,
        server: &str,
    ) -> Result<StoredToken, ReauthError> {
        let identity = challenge.target().principal();
        let pocket = self.shared.wallet.pocket(identity);
        let before = pocket.token(server).await?;
        let asked_at = now();
        let turn = pocket.store.lock(&pocket.namespace, Work::Login).await?;
        if let Some(token) = pocket.token(server).await? {
            // Only a token that the refused request cannot have been sent with.
            let is_news = before.is_none_or(|before| !before.is(&token))
                || self.shared.wallet.is_news(identity, server, &token);
            let note = turn
                .note()
                .and_then(|note| serde_json::from_str::<Note>(&note).ok());
            let is_answer = note.is_some_and(|note| {
                note.gave.contains(&token.fingerprint())
                    && note.satisfied == key_of(Some(challenge))
                    && note.at.saturating_add(JUST_NOW) >= asked_at
            });
            if is_news && is_answer && token.is_fresh(self.shared.settings.leeway) {
                return Ok(token);
            }
        }
        self.log_in_now(identity, Some(challenge), turn).await?;
        pocket.token(server).await?.ok_or_else(|| {
            ReauthError::new(format!(
                "the login gave no token for {server}: ask for one of its scopes with `scopes`"
            ))
        })
    }

    async fn log_in_now(
        &self,
        identity: &Principal,
        challenge: Option<&Challenge>,
        mut turn: Box<dyn StoreLock>,
    ) -> Result<(), ReauthError> {
        let shared = &*self.shared;
        // Where the service refused the credential alone, any login will do.
        let asked = challenge.filter(|challenge| !challenge.is_unauthenticated());
        let asked = asked.map(|challenge| &challenge.gare().authorization_parameters);
        let answer = match &shared.who {
            Who::Person(prompt) => {
                let (attempt, scopes) = self.attempt(identity, asked).await?;
                let request = LoginRequest::new(challenge.cloned(), attempt.page().clone());
                let (attempt, scopes) = (&attempt, &scopes);
                let exchange = move |reply| async move {
                    let answer = attempt.finish(&shared.settings, &shared.transport, reply);
                    let answer = answer.await?;
                    self.keep(identity, scopes, &answer).await?;
                    let account = account_of(&answer, &shared.settings.client_id);
                    Ok((answer, account))
                };
                match request.run(&**prompt, exchange).await? {
                    Some(answer) => answer,
                    None => return Ok(()),
                }
            }
            Who::Client => {
                let scopes = self.scopes(identity, asked).await?;
                let answer =
                    exchange_client_credentials(&shared.settings, &shared.transport, &scopes);
                let answer = answer.await?;
                self.keep(identity, &scopes, &answer).await?;
                answer
            }
        };
        let note = Note {
            at: now(),
            satisfied: key_of(challenge),
            gave: tokens_of(&answer, None)
                .values()
                .map(StoredToken::fingerprint)
                .collect(),
        };
        if let Ok(note) = serde_json::to_string(&note) {
            turn.leave_note(&note)?;
        }
        Ok(())
    }

    /// A login on its way, and the scopes that it asks for.
    pub(super) async fn attempt(
        &self,
        identity: &Principal,
        asked: Option<&AuthorizationParameters>,
    ) -> Result<(Attempt, Scopes), ReauthError> {
        let scopes = self.scopes(identity, asked).await?;
        Ok((
            Attempt::begin(&self.shared.settings, &scopes, asked),
            scopes,
        ))
    }

    /// All scopes that are held, wanted by the program, or asked for.
    async fn scopes(
        &self,
        identity: &Principal,
        asked: Option<&AuthorizationParameters>,
    ) -> Result<Scopes, ReauthError> {
        let wallet = &self.shared.wallet;
        let held = wallet.pocket(identity).load().await?;
        let unite = || -> Result<Scopes, ScopeParseError> {
            let settings = &self.shared.settings;
            let known = wallet.scopes(identity, &held)?;
            let required = asked.map(|asked| asked.required_scopes.as_slice());
            let required = required.unwrap_or_default().iter();
            let required = required.map(|text| text.parse());
            let required: Vec<Scopes> = required.collect::<Result<_, _>>()?;
            let own = [&settings.scopes, &settings.extra_scopes, &known];
            Scopes::united(own.into_iter().chain(&required))
        };
        unite().map_err(|error| {
            ReauthError::with_source("the login cannot ask for what is required", error)
        })
    }

    /// Keeps what a login gave, if it is the login of the same person as before.
    pub(super) async fn keep(
        &self,
        identity: &Principal,
        scopes: &Scopes,
        answer: &TokenAnswer,
    ) -> Result<(), ReauthError> {
        let shared = &*self.shared;
        let pocket = shared.wallet.pocket(identity);
        let who = account_of(answer, &shared.settings.client_id).map(|account| account.id);
        let tokens = tokens_of(answer, who.as_deref());
        let held = pocket.load().await?;
        let known = held.values().find_map(StoredToken::identity_id);
        let problem = match (&shared.who, known, who.as_deref()) {
            (Who::Person(_), _, None) => Some("Globus Auth did not tell who logged in".to_owned()),
            (_, Some(known), Some(who)) if known != who => Some(format!(
                "somebody else logged in: {who}, and the tokens here belong to {known}; \
                 log in as that one, or log out first"
            )),
            _ => None,
        };
        if let Some(problem) = problem {
            self.discard(&tokens).await;
            return Err(ReauthError::new(problem));
        }
        pocket.keep(tokens).await?;
        shared.wallet.note_login(identity, scopes);
        Ok(())
    }

    /// Ends tokens that nobody will use.
    async fn discard(&self, tokens: &Tokens) {
        for token in tokens.values() {
            // They end by themselves where Globus Auth cannot be told.
            let _ = account::revoke(&self.shared.settings, &self.shared.transport, token).await;
        }
    }

    /// The token for `server` as it is, if it is fresh and was not refused.
    pub(super) async fn held_token(
        &self,
        identity: &Principal,
        server: &str,
        refused: Option<&Credential>,
    ) -> Result<Option<StoredToken>, ReauthError> {
        let held = self.shared.wallet.pocket(identity).token(server).await?;
        let leeway = self.shared.settings.leeway;
        Ok(held.filter(|token| {
            token.is_fresh(leeway) && !refused.is_some_and(|refused| token.is_sent_by(refused))
        }))
    }

    /// The token for `server`, renewed where it has run out or was `refused`; `None` where that takes a person.
    pub(super) async fn usable_token(
        &self,
        identity: &Principal,
        server: &str,
        refused: Option<&Credential>,
    ) -> Result<Option<StoredToken>, ReauthError> {
        let pocket = self.shared.wallet.pocket(identity);
        let is_refused =
            |token: &StoredToken| refused.is_some_and(|refused| token.is_sent_by(refused));
        let is_fresh =
            |token: &StoredToken| token.is_fresh(self.shared.settings.leeway) && !is_refused(token);
        let held = pocket.token(server).await?;
        if held.as_ref().is_some_and(is_fresh) {
            return Ok(held);
        }
        match (&self.shared.who, held) {
            (Who::Person(_), Some(token)) if token.refresh().is_some() => {
                self.renew(&pocket, server, token).await
            }
            (Who::Person(_), _) => Ok(None),
            (Who::Client, _) => {
                let turn = pocket.store.lock(&pocket.namespace, Work::Login).await?;
                let held = pocket.token(server).await?;
                if held.as_ref().is_some_and(is_fresh) {
                    return Ok(held);
                }
                self.log_in_now(identity, None, turn).await?;
                Ok(pocket.token(server).await?)
            }
        }
    }

    async fn renew(
        &self,
        pocket: &Pocket,
        server: &str,
        mut old: StoredToken,
    ) -> Result<Option<StoredToken>, ReauthError> {
        let shared = &*self.shared;
        let _turn = pocket.store.lock(&pocket.namespace, Work::Renewal).await?;
        // While we waited, somebody else may have renewed it; or else does so now,
        // without our lock, and spoils our refresh token by it.
        let mut is_refused = false;
        for last_try in [false, false, true] {
            match pocket.token(server).await? {
                None => return Ok(None),
                Some(token) if token.is(&old) => {}
                Some(token) if token.is_fresh(shared.settings.leeway) => return Ok(Some(token)),
                Some(token) => {
                    is_refused = false;
                    old = token;
                }
            }
            let Some(refresh) = old.refresh() else {
                return Ok(None);
            };
            if is_refused {
                if last_try {
                    break;
                }
                tokio::time::sleep(WRITING).await;
                continue;
            }
            let answer = exchange_refresh_token(&shared.settings, &shared.transport, refresh).await;
            match answer {
                Ok(Some(answer)) => {
                    let new = tokens_of(&answer, None).remove(server);
                    let new = new.map(|token| token.renewing(&old));
                    pocket.renew(server, &old, new).await?;
                    return Ok(pocket.token(server).await?);
                }
                Ok(None) => is_refused = true,
                // Nothing is lost yet: it is good for another moment.
                Err(_) if old.is_fresh(Duration::ZERO) => return Ok(Some(old)),
                Err(error) => return Err(error),
            }
        }
        pocket.renew(server, &old, None).await?;
        Ok(None)
    }
}

/// What a challenge asks for, as a text that is the same for the same.
fn key_of(challenge: Option<&Challenge>) -> String {
    let Some(challenge) = challenge else {
        return String::new();
    };
    let asked = &challenge.gare().authorization_parameters;
    let mut pairs = asked.to_query();
    pairs.retain(|(name, _)| *name != "session_message");
    let scopes = asked.required_scopes.join(" ");
    format!("{pairs:?} {scopes}")
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
