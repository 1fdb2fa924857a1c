//! One login: load, lease, load again, prompt, exchange, commit.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::app::Who;
use super::audience::Audience;
use super::authorization::Attempt;
use super::detached::detached;
use super::lease::Lease;
use super::scope::{Scope, Scopes};
use super::store::{AnotherPerson, Given, Holder, Login, Secret, StoredToken, Work};
use super::token_response::{Account, TokenAnswer, granted};
use super::user::AppUser;
use super::{LoginRequest, LoginStatus};
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::{Challenge, Credential, ReauthError, Target};

/// How long a login waits while the tokens of an earlier logout are revoked.
const REVOKING: Duration = Duration::from_secs(2);

/// The purpose of a login.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'a> {
    /// Tokens for all of the program's scopes.
    Scopes,
    /// A new login, even if there are valid tokens; it has to satisfy the requirement.
    Forced(Option<&'a AuthorizationParameters>),
    /// A fresh token for a resource server, other than the rejected one.
    Token(&'a str, Option<&'a Credential>),
    /// The answer to a challenge: a token for the audience, with the scopes that it wants itself.
    Answer(&'a Challenge, Audience<'a>, &'a Scopes),
}

/// An error from keeping the tokens of a login. The tokens were revoked.
pub(super) enum NotKept {
    AnotherPerson(AnotherPerson),
    /// There was a logout since the login was loaded.
    LoggedOut,
    Other(ReauthError),
}

impl From<ReauthError> for NotKept {
    fn from(error: ReauthError) -> Self {
        Self::Other(error)
    }
}

impl From<NotKept> for ReauthError {
    fn from(error: NotKept) -> Self {
        match error {
            NotKept::AnotherPerson(error) => Self::other(error),
            NotKept::LoggedOut => Self::new("there was a logout during the login"),
            NotKept::Other(error) => error,
        }
    }
}

impl AppUser {
    /// Logs in, unless `before` already serves the purpose, or another program has logged in for it
    /// by the time that the lease is ours. Returns the stored login.
    pub(super) async fn log_in(
        &self,
        wanted: Wanted<'_>,
        before: Login,
    ) -> Result<Login, ReauthError> {
        if self.is_met(wanted, &before, &before) {
            return Ok(before);
        }
        let lease = self.login_lease().await.map(Arc::new);
        let held = self.load().await?;
        let login = if self.is_met(wanted, &before, &held) {
            Ok(held)
        } else {
            self.ask(wanted, held, lease.clone()).await
        };
        if let Some(lease) = lease.and_then(Arc::into_inner) {
            lease.release().await;
        }
        login
    }

    /// Logs the person or the client in, and commits the result.
    async fn ask(
        &self,
        wanted: Wanted<'_>,
        held: Login,
        lease: Option<Arc<Lease>>,
    ) -> Result<Login, ReauthError> {
        let auth = &self.shared.auth;
        let required = wanted.required();
        let sought = self.sought(&held, wanted)?;
        let prompt = match &self.shared.who {
            Who::Person(prompt) => prompt,
            Who::Client => {
                sought.approve_without_a_person()?;
                let answer = auth.exchange_client_credentials(&sought.all).await?;
                let kept = self.keep_login(held, sought.kept, required, &answer);
                return Ok(kept.await?.0);
            }
        };
        let begin = {
            let (shared, scopes) = (Arc::clone(&self.shared), sought.all.clone());
            let required = self.completed(required, &held).await;
            move || Attempt::begin(&shared, &scopes, required.as_ref())
        };
        let challenge = wanted.challenge().cloned();
        let request = &LoginRequest::new(challenge, sought.new.clone(), begin);
        sought.approve(&**prompt, request).await?;
        let exchange = |reply| {
            let (user, request, lease) = (self.clone(), request.clone(), lease.clone());
            let (held, scopes, required) = (held.clone(), sought.kept.clone(), required.cloned());
            let work = async move {
                // Other programs wait until the tokens are stored.
                let _lease = lease;
                // The person approved before now. A later logout discards the tokens.
                let held = user.load().await.unwrap_or(held);
                let answer = user.shared.auth.exchange_code(request.attempt(), reply);
                let answer = answer.await?;
                let kept = user.keep_login(held, scopes, required.as_ref(), &answer);
                let (login, account) = kept.await?;
                if let Some(account) = &account {
                    let who = account.called();
                    user.tell(&LoginStatus::LoggedIn { who });
                }
                Ok((login, account))
            };
            let work: Pin<Box<dyn Future<Output = _> + Send>> = match wanted.challenge() {
                Some(challenge) => Box::pin(challenge.part_of_login(work)),
                None => Box::pin(work),
            };
            // A code can be redeemed only once: a login that is dropped must not lose the tokens.
            detached(work)
        };
        let asked = request.run(&**prompt, exchange);
        let done = if prompt.waits_elsewhere() {
            tokio::select! {
                biased;
                // First, if both are ready: then the page of this login gets its end.
                done = asked => done?,
                login = self.wait_elsewhere(wanted, &held, &sought) => return Ok(login?),
            }
        } else {
            asked.await?
        };
        match done {
            Some(login) => Ok(login),
            None => Ok(self.load().await?),
        }
    }

    /// Waits for the login lease: until no other program logs this user in.
    async fn login_lease(&self) -> Option<Lease> {
        if matches!(&self.shared.who, Who::Person(prompt) if prompt.waits_elsewhere()) {
            return None;
        }
        let mut told = None;
        let tell = |holder: &Holder| {
            if told.as_ref() != Some(holder) {
                self.tell(&LoginStatus::LoggingInElsewhere {
                    host: holder.host().to_owned(),
                    since: holder.since(),
                });
                told = Some(holder.clone());
            }
            true
        };
        Lease::wait(&self.store, &self.key, Work::Login, self.holder(), tell).await
    }

    /// Whether `held` serves the purpose. For a challenge, only a login since `before` counts.
    fn is_met(&self, wanted: Wanted<'_>, before: &Login, held: &Login) -> bool {
        match wanted {
            Wanted::Scopes => self.is_complete(held, true),
            Wanted::Forced(_) => false,
            Wanted::Token(server, rejected) => self.is_usable(held, server, rejected),
            Wanted::Answer(_, audience, own) => {
                // The challenged request cannot have been sent with this login's token.
                let given = self.shared.logins.last_epoch(&self.key);
                let is_new = held.epoch() > before.epoch()
                    || given.is_some_and(|given| held.epoch() > given);
                let satisfies = held.record.as_ref().is_some_and(|record| {
                    let mut required = wanted.required().into_iter();
                    required.all(|required| record.satisfies(required)) && record.covers(own)
                });
                is_new && satisfies && self.is_usable(held, audience.resource_server(), None)
            }
        }
    }

    /// Keeps the tokens of a login, and returns the account. Fails and revokes them if another
    /// person logged in than before, or if there was a logout since `held` was loaded.
    pub(super) async fn keep_login(
        &self,
        held: Login,
        scopes: Scopes,
        satisfied: Option<&AuthorizationParameters>,
        answer: &TokenAnswer,
    ) -> Result<(Login, Option<Account>), NotKept> {
        let shared = &*self.shared;
        let now = shared.logins.clock.now();
        let (tokens, account) = granted(answer, shared.auth.client_id(), now);
        let sub = account.as_ref().map(|account| account.id.clone());
        let secrets: Vec<Secret> = tokens.values().flat_map(StoredToken::secrets).collect();
        if matches!(shared.who, Who::Person(_)) && sub.is_none() {
            self.discard(secrets).await;
            let message = "Globus Auth did not say who logged in: its answer has no ID token";
            return Err(ReauthError::new(message).into());
        }
        if let Err(error) = self.refuse_another(sub.as_deref()).await {
            self.discard(secrets).await;
            return Err(error.into());
        }
        let given = Given {
            tokens,
            sub,
            at: now,
            by: self.holder(),
            satisfied: satisfied.cloned(),
            scopes,
        };
        let revision = held.revision();
        let keep = |login: &mut Login| match login.revision() > revision {
            true => Ok(false),
            false => login.logged_in(given.clone()).map(|()| true),
        };
        let (kept, login) = self.keep(held, keep).await;
        let error = match kept {
            Ok(true) => {
                self.revoke_earlier(&login).await;
                return Ok((login, account));
            }
            Ok(false) => NotKept::LoggedOut,
            Err(error) => NotKept::AnotherPerson(error),
        };
        self.discard(secrets).await;
        Err(error)
    }

    /// Revokes the tokens of an earlier logout that did not reach Globus Auth. Waits for a moment
    /// only: the new tokens are stored. If this fails, the next login tries again.
    async fn revoke_earlier(&self, login: &Login) {
        if !login.unrevoked().is_empty() {
            let (user, login) = (self.clone(), login.clone());
            let revoking = tokio::spawn(async move { user.revoke_removed(&login).await });
            let _ = tokio::time::timeout(REVOKING, revoking).await;
        }
    }

    /// Whether there are tokens for all of the program's scopes, with their dependencies.
    /// `is_good`: all are valid; otherwise refreshable ones count as well.
    pub(super) fn is_complete(&self, login: &Login, is_good: bool) -> bool {
        // A token does not name the dependencies of its scopes: the record does.
        let covers = |scope: &Scope| {
            let record = login.record.as_ref();
            record.is_some_and(|record| record.covers(&scope.clone().into()))
        };
        let mut scopes = self.shared.settings.scopes.iter();
        self.has_granted(login, is_good)
            && scopes.all(|scope| scope.dependencies().is_empty() || covers(scope))
    }

    /// As [`is_complete`](Self::is_complete), without the dependencies of the scopes.
    pub(super) fn has_granted(&self, login: &Login, is_good: bool) -> bool {
        let (shared, now) = (&*self.shared, self.shared.logins.clock.now());
        let is_usable = |(server, token): (&String, &StoredToken)| {
            let is_client = matches!(shared.who, Who::Client);
            token.is_fresh(now, shared.settings.leeway)
                || (!is_good && (is_client || login.can_refresh(server)))
        };
        shared.settings.scopes.iter().all(|scope| {
            let names = |token: &StoredToken| {
                token
                    .scope()
                    .split_whitespace()
                    .any(|it| it == scope.name())
            };
            let mut tokens = login.tokens.iter();
            tokens.any(|token| names(token.1) && is_usable(token))
        })
    }
}

impl<'a> Wanted<'a> {
    pub(super) fn challenge(&self) -> Option<&'a Challenge> {
        match self {
            Self::Answer(challenge, ..) => Some(challenge),
            _ => None,
        }
    }

    /// The service that challenged; `None` if the program itself wants the login.
    pub(super) fn challenger(&self) -> Option<(&'a Target, Audience<'a>)> {
        match self {
            Self::Answer(challenge, audience, _) => Some((challenge.target(), *audience)),
            _ => None,
        }
    }

    /// The scopes that the challenging service wants itself.
    pub(super) fn own(&self) -> &'a Scopes {
        static NONE: Scopes = Scopes::none();
        match self {
            Self::Answer(_, _, own) => own,
            _ => &NONE,
        }
    }

    /// The requirement that the login has to satisfy. `None` if any login will do, such as after a
    /// plain 401.
    pub(super) fn required(&self) -> Option<&'a AuthorizationParameters> {
        match self {
            Self::Forced(required) => *required,
            Self::Answer(challenge, ..) if !challenge.is_unauthenticated() => {
                Some(&challenge.gare().authorization_parameters)
            }
            _ => None,
        }
    }
}
