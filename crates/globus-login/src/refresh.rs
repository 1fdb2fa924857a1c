//! Credentials without a person: from the store, refreshed if they have expired.

use std::time::Duration;

use super::LoginStatus;
use super::app::Who;
use super::audience::Audience;
use super::detached::detached;
use super::flow::Wanted;
use super::lease::Lease;
use super::store::{Login, Secret, StoredToken, Work};
use super::token_response::granted;
use super::user::AppUser;
use globus_gare::reauth::{Credential, CredentialRequest, ReauthError, Why};

/// How long another program may take to store a token after it has refreshed it.
const WRITING: Duration = Duration::from_millis(500);

/// How often to try a refresh, where programs without a lease redeem the same token.
const MAX_TRIES: usize = 3;

impl AppUser {
    /// The credential that a session asks for.
    pub(super) async fn find_credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        let Some(audience) = self.shared.audience(request.target()) else {
            return Ok(None);
        };
        let server = audience.resource_server();
        let rejected = request.rejected();
        let login = if request.may_refresh() {
            self.usable(server, rejected).await?
        } else {
            let login = self.load().await?;
            Some(login).filter(|login| self.is_usable(login, server, rejected))
        };
        let Some(login) = login else {
            return Ok(None);
        };
        // A refreshed token belongs to the same session of Globus Auth.
        if matches!(request.why(), Why::Required(_))
            && !self.is_login_after(&login, server, rejected)
        {
            return Ok(None);
        }
        self.hand_out(&login, audience).await
    }

    /// Whether a login has brought the token after the rejected one.
    fn is_login_after(&self, login: &Login, server: &str, rejected: Option<&Credential>) -> bool {
        let logins = &self.shared.logins;
        match rejected {
            Some(rejected) => logins
                .epoch_of_credential(rejected)
                .is_some_and(|epoch| login.epoch() > epoch),
            None => login
                .tokens
                .get(server)
                .is_some_and(|token| logins.epoch_of(token).is_none()),
        }
    }

    /// The credential of a login for a service or a collection's server.
    pub(super) async fn hand_out(
        &self,
        login: &Login,
        audience: Audience<'_>,
    ) -> Result<Option<Credential>, ReauthError> {
        let logins = &self.shared.logins;
        let Some(token) = login.tokens.get(audience.resource_server()) else {
            return Ok(None);
        };
        self.keep_record(login).await;
        logins.remember_given(&self.key, token, login.epoch());
        self.watch_end(login);
        let credential = audience.restrict(token.credential(logins.clock.now())?);
        Ok(Some(if login.is_unverified() {
            credential.unverified()
        } else {
            credential
        }))
    }

    /// The stored login, with expired tokens refreshed. A token that cannot be refreshed stays as
    /// it is: a login replaces it. Also returns the error of the first refresh that failed.
    pub(super) async fn refreshed(&self) -> Result<(Login, Option<ReauthError>), ReauthError> {
        let login = self.load().await?;
        if matches!(self.shared.who, Who::Client) || self.is_complete(&login, true) {
            return Ok((login, None));
        }
        let (mut newest, mut failed) = (login.clone(), None);
        let servers = login.tokens.keys();
        for server in servers.filter(|server| login.can_refresh(server)) {
            match self.usable(server, None).await {
                Ok(Some(refreshed)) => newest = refreshed,
                Ok(None) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        Ok((newest, failed))
    }

    pub(super) fn is_usable(
        &self,
        login: &Login,
        server: &str,
        rejected: Option<&Credential>,
    ) -> bool {
        self.lasts(login, server, rejected, self.shared.settings.leeway)
    }

    /// Whether the token was not rejected, and is valid for longer than `leeway`.
    fn lasts(
        &self,
        login: &Login,
        server: &str,
        rejected: Option<&Credential>,
        leeway: Duration,
    ) -> bool {
        let now = self.shared.logins.clock.now();
        login.tokens.get(server).is_some_and(|token| {
            let is_rejected = rejected.is_some_and(|rejected| token.is_sent_by(rejected));
            !is_rejected && token.is_fresh(now, leeway)
        })
    }

    /// A login with a valid token for `server`. Refreshes the token if it has expired or was
    /// `rejected`. `None` if that takes a person.
    pub(super) async fn usable(
        &self,
        server: &str,
        rejected: Option<&Credential>,
    ) -> Result<Option<Login>, ReauthError> {
        let login = self.load().await?;
        if self.is_usable(&login, server, rejected) {
            return Ok(Some(login));
        }
        match self.shared.who {
            Who::Client => {
                let wanted = Wanted::Token(server, rejected);
                let login = self.log_in(wanted, login).await?;
                Ok(Some(login).filter(|login| self.lasts(login, server, rejected, Duration::ZERO)))
            }
            Who::Person(_) if login.can_refresh(server) => {
                self.refresh(login, server, rejected).await
            }
            Who::Person(_) => Ok(None),
        }
    }

    /// The credential of the token that [`usable`](Self::usable) finds.
    pub(super) async fn usable_credential(
        &self,
        server: &str,
    ) -> Result<Option<Credential>, ReauthError> {
        let login = self.usable(server, None).await?;
        let token = login.as_ref().and_then(|login| login.tokens.get(server));
        let now = self.shared.logins.clock.now();
        let credential = token.map(|token| token.credential(now));
        Ok(credential.transpose()?)
    }

    async fn refresh(
        &self,
        held: Login,
        server: &str,
        rejected: Option<&Credential>,
    ) -> Result<Option<Login>, ReauthError> {
        let still_lasts = |login: &Login| self.lasts(login, server, rejected, Duration::ZERO);
        // While another program refreshes the token, the old one is used as long as it is valid.
        let waits = |_: &_| !still_lasts(&held);
        let (store, key) = (&self.store, &self.key);
        let lease = Lease::wait(store, key, Work::Refresh, self.holder(), waits).await;
        let Some(lease) = lease else {
            return Ok(Some(held));
        };
        let user = self.clone();
        let (server, rejected) = (server.to_owned(), rejected.cloned());
        // A caller that is dropped must not lose a rotated refresh token.
        let refreshed = detached(async move {
            let refreshed = user.redeem(&server, rejected.as_ref()).await;
            lease.release().await;
            refreshed
        });
        match refreshed.await {
            // The refresh failed, but the old token is still valid.
            Err(_) if still_lasts(&held) => Ok(Some(held)),
            refreshed => refreshed,
        }
    }

    fn tell_of_the_end(&self, server: &str) {
        let user = self.key.user();
        tracing::warn!(user, server, "login cannot be refreshed any more");
        self.tell(&LoginStatus::NotRefreshable {
            user: self.key.clone(),
            resource_server: server.to_owned(),
        });
    }

    /// Redeems the stored refresh token, and commits the new token.
    async fn redeem(
        &self,
        server: &str,
        rejected: Option<&Credential>,
    ) -> Result<Option<Login>, ReauthError> {
        let shared = &*self.shared;
        let mut refused: Option<StoredToken> = None;
        for _ in 0..MAX_TRIES {
            let login = self.load().await?;
            if self.is_usable(&login, server, rejected) {
                return Ok(Some(login));
            }
            let Some(old) = login
                .tokens
                .get(server)
                .filter(|_| login.can_refresh(server))
            else {
                return Ok(None);
            };
            if refused.as_ref().is_some_and(|refused| refused.is(old)) {
                // A program without our lease may have redeemed it, and may be storing the new one.
                tokio::time::sleep(WRITING).await;
                continue;
            }
            let Some(secret) = old.refresh() else {
                return Ok(None);
            };
            let now = shared.logins.clock.now();
            let answer = shared.auth.exchange_refresh_token(secret, now);
            let Some(answer) = answer.await? else {
                refused = Some(old.clone());
                continue;
            };
            let now = shared.logins.clock.now();
            let (mut new, _) = granted(&answer, shared.auth.client_id(), now);
            let new = new.remove(server);
            let new = new.ok_or_else(|| {
                ReauthError::new(format!("the refresh brought no token for {server}"))
            })?;
            let (old, new) = (old.clone(), new.refreshing(old));
            let change = |login: &mut Login| login.refreshed(server, &old, new.clone());
            let (unused, login) = self.keep(login, change).await;
            if let Some(unused) = unused {
                // A logout or a login came first.
                let is_kept = |secret: &Secret| {
                    let mut tokens = login.tokens.values();
                    tokens.any(|token| token.secrets().any(|it| it == *secret))
                };
                self.discard(unused.secrets().filter(|it| !is_kept(it)))
                    .await;
            }
            return Ok(Some(login).filter(|it| self.lasts(it, server, rejected, Duration::ZERO)));
        }
        let Some(refused) = refused else {
            return Ok(None);
        };
        let mark = |login: &mut Login| login.refused(server, &refused);
        let (is_marked, login) = self.update(mark).await?;
        // Of all programs with this store, only the one that set the mark tells it.
        if is_marked {
            self.tell_of_the_end(server);
        }
        // Another program may have stored a token since the last try.
        Ok(Some(login).filter(|login| self.is_usable(login, server, rejected)))
    }
}
