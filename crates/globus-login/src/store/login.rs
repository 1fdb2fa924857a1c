//! The login of one user, and all changes to it.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::learned::{RefusedLogin, learn};
use super::record::{Listed, LoginRecord, whole_seconds};
use super::secret::Secret;
use super::{Holder, StoredToken, Tokens};
use crate::scope::Scopes;
use globus_gare::gare::AuthorizationParameters;

/// The login of one user: the tokens by resource server, and the record of the logins that brought
/// them.
///
/// Serialized, it holds the secrets. `Debug` shows none.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Login {
    /// The tokens, by resource server.
    #[serde(default)]
    pub tokens: Tokens,
    /// The record; `None` if only programs without one have written here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<LoginRecord>,
}

/// The result of a login.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) tokens: Tokens,
    /// The person; `None` for a client that acts for itself.
    pub(crate) sub: Option<String>,
    pub(crate) at: SystemTime,
    pub(crate) by: Holder,
    pub(crate) satisfied: Option<AuthorizationParameters>,
    pub(crate) scopes: Scopes,
}

/// Another person logged in than the one whose tokens are stored.
#[derive(Debug, thiserror::Error)]
#[error(
    "another person logged in: {logged_in}. The stored tokens belong to {kept}: log in as that person, \
     or log out first"
)]
pub(crate) struct AnotherPerson {
    logged_in: String,
    kept: String,
}

impl Login {
    /// The number of logins of this user so far. It never decreases.
    pub fn epoch(&self) -> u64 {
        self.record.as_ref().map_or(0, |record| record.epoch)
    }

    /// The number of logouts of this user so far. When it changes, credentials from before must not
    /// be used any longer.
    pub fn revision(&self) -> u64 {
        self.record.as_ref().map_or(0, |record| record.revision)
    }

    /// Whether a program without records made the last login: it is not known which requirement
    /// that login satisfied.
    pub(crate) fn is_unverified(&self) -> bool {
        self.record
            .as_ref()
            .is_some_and(|record| record.by.is_none())
    }

    /// Updates the record after another program has written tokens.
    ///
    /// A token that the record does not list comes from a refresh, if its refresh token or the
    /// token of another resource server is still listed. Otherwise it comes from a login. A login
    /// of another person counts as a logout and a login: the remaining tokens of the earlier person
    /// are removed. No tokens at all mean a logout.
    pub(crate) fn recognize(&mut self, now: SystemTime) {
        let Some(record) = &mut self.record else {
            if !self.tokens.is_empty() {
                let mut record = LoginRecord::empty(now);
                record.logged_in_elsewhere(&self.tokens, now);
                self.record = Some(record);
            }
            return;
        };
        let is_listed = |(server, token): (&String, &StoredToken)| {
            let listed = record.tokens.get(server);
            listed.is_some_and(|listed| listed.is_of(token))
        };
        let unlisted = self.tokens.iter().filter(|token| !is_listed(*token));
        let unlisted: Vec<(&String, &StoredToken)> = unlisted.collect();
        if unlisted.is_empty() {
            if self.tokens.is_empty() && !record.tokens.is_empty() {
                record.log_out();
            }
            record
                .tokens
                .retain(|server, _| self.tokens.contains_key(server));
            return;
        }
        let is_of = |token: &StoredToken| token.identity_id().map(str::to_owned);
        let person = unlisted.iter().find_map(|(_, token)| is_of(token));
        let is_another = match (&record.sub, &person) {
            (Some(known), Some(person)) => known != person,
            _ => false,
        };
        let has_listed_refresh = unlisted.iter().any(|(server, token)| {
            let listed = record.tokens.get(*server);
            let refresh = Listed::of(token).refresh;
            refresh.is_some() && listed.is_some_and(|listed| listed.refresh == refresh)
        });
        let others_are_listed = unlisted.len() < self.tokens.len();
        let is_refresh = !is_another && (has_listed_refresh || others_are_listed);
        if is_refresh {
            record.list(&self.tokens);
            return;
        }
        if is_another {
            // The tokens of the earlier person must not be used any longer.
            let LoginRecord {
                tokens: listed,
                unrevoked,
                ..
            } = &mut *record;
            self.tokens.retain(|server, token| {
                let is_listed = listed.get(server).is_some_and(|it| it.is_of(token));
                let is_kept = !is_listed && is_of(token) == person;
                if !is_kept {
                    unrevoked.extend(token.secrets());
                }
                is_kept
            });
            record.log_out();
        }
        record.logged_in_elsewhere(&self.tokens, now);
    }

    /// Adds the tokens of a login. Fails, and changes nothing, if another person logged in than
    /// before.
    pub(crate) fn logged_in(&mut self, given: Given) -> Result<(), AnotherPerson> {
        let mut record = self
            .record
            .take()
            .unwrap_or_else(|| LoginRecord::empty(given.at));
        if let (Some(kept), Some(logged_in)) = (&record.sub, &given.sub)
            && kept != logged_in
        {
            let (logged_in, kept) = (logged_in.clone(), kept.clone());
            self.record = Some(record);
            return Err(AnotherPerson { logged_in, kept });
        }
        self.tokens.extend(given.tokens);
        record.epoch += 1;
        record.sub = given.sub.or(record.sub);
        record.at = whole_seconds(given.at);
        record.by = Some(given.by);
        record.satisfied = given.satisfied;
        record.scopes = given.scopes;
        record.tokens.clear();
        record.list(&self.tokens);
        self.record = Some(record);
        Ok(())
    }

    /// Replaces `redeemed` by the token that its refresh token brought. If `redeemed` is gone, by a
    /// logout or a login, returns `new`, which the caller then revokes.
    pub(crate) fn refreshed(
        &mut self,
        server: &str,
        redeemed: &StoredToken,
        new: StoredToken,
    ) -> Option<StoredToken> {
        match self.tokens.get_mut(server) {
            Some(kept) if kept.is(redeemed) || kept.has_refresh_of(redeemed) => *kept = new,
            _ => return Some(new),
        }
        if let Some(record) = &mut self.record {
            record.tokens.remove(server);
            record.list(&self.tokens);
        }
        None
    }

    /// Marks a refresh token that Globus Auth rejected: it is not redeemed again. A program that
    /// redeemed it just before can still replace the token. `false` if it was marked before, or is
    /// gone.
    pub(crate) fn refused(&mut self, server: &str, redeemed: &StoredToken) -> bool {
        let is_kept = self.tokens.get(server).is_some_and(|it| it.is(redeemed));
        let record = self.record.as_mut().filter(|_| is_kept);
        let listed = record.and_then(|record| record.tokens.get_mut(server));
        listed.is_some_and(|listed| !std::mem::replace(&mut listed.is_refused, true))
    }

    /// Whether there is a refresh token for `server` that Globus Auth has not rejected.
    pub(crate) fn can_refresh(&self, server: &str) -> bool {
        let listed = self.record.as_ref().and_then(|it| it.tokens.get(server));
        let is_refused = listed.is_some_and(|listed| listed.is_refused);
        let token = self.tokens.get(server);
        !is_refused && token.is_some_and(|token| token.refresh().is_some())
    }

    /// Records the requirement of a collection or service that challenged a login.
    pub(crate) fn learned(&mut self, place: &str, refused: RefusedLogin) {
        if let Some(record) = &mut self.record {
            learn(&mut record.learned, place, refused);
        }
    }

    /// Adds scopes, with their dependencies, that the person has consented to.
    pub(crate) fn consented(&mut self, scopes: &Scopes) {
        if let Some(record) = &mut self.record
            && let Ok(all) = record.scopes.union(scopes)
        {
            record.scopes = all;
        }
    }

    /// Removes the tokens, and keeps their secrets until they are [revoked](Self::revoked). `false`
    /// if there were none.
    pub(crate) fn logged_out(&mut self) -> bool {
        let tokens = std::mem::take(&mut self.tokens);
        let Some(record) = self.record.as_mut().filter(|_| !tokens.is_empty()) else {
            return false;
        };
        let secrets = tokens.values().flat_map(StoredToken::secrets);
        record.unrevoked.extend(secrets);
        record.log_out();
        true
    }

    /// The secrets of removed tokens that are not revoked yet.
    pub(crate) fn unrevoked(&self) -> Vec<Secret> {
        let secrets = self.record.iter().flat_map(|record| &record.unrevoked);
        secrets.cloned().collect()
    }

    /// Forgets secrets that were revoked.
    pub(crate) fn revoked(&mut self, done: &[Secret]) {
        if let Some(record) = &mut self.record {
            record.unrevoked.retain(|secret| !done.contains(secret));
        }
    }
}

impl LoginRecord {
    fn empty(now: SystemTime) -> Self {
        Self {
            epoch: 0,
            revision: 0,
            sub: None,
            at: whole_seconds(now),
            by: None,
            satisfied: None,
            scopes: Scopes::default(),
            tokens: Default::default(),
            learned: Default::default(),
            unrevoked: Vec::new(),
        }
    }

    /// Lists new tokens. A token that is listed already keeps its mark.
    fn list(&mut self, tokens: &Tokens) {
        for (server, token) in tokens {
            if self.tokens.get(server).is_none_or(|it| !it.is_of(token)) {
                self.tokens.insert(server.clone(), Listed::of(token));
            }
        }
        self.tokens.retain(|server, _| tokens.contains_key(server));
    }

    fn logged_in_elsewhere(&mut self, tokens: &Tokens, now: SystemTime) {
        let mut scopes = std::mem::take(&mut self.scopes);
        for token in tokens.values() {
            // A file may hold any text: ignores what is not a scope.
            let of_token = token.scope().parse::<Scopes>();
            if let Some(both) = of_token.ok().and_then(|it| scopes.union(&it).ok()) {
                scopes = both;
            }
        }
        self.scopes = scopes;
        self.epoch += 1;
        self.sub = tokens
            .values()
            .find_map(|token| token.identity_id().map(str::to_owned));
        self.at = whole_seconds(now);
        self.by = None;
        self.satisfied = None;
        self.list(tokens);
    }

    /// Removes the person and the requirement from the record.
    fn log_out(&mut self) {
        self.revision += 1;
        self.sub = None;
        self.satisfied = None;
        self.scopes = Scopes::default();
        self.tokens.clear();
        self.learned.clear();
    }
}
