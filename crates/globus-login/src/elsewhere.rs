//! Waits for a login with another program, with a notice in the store.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use super::LoginStatus;
use super::approval::Sought;
use super::flow::Wanted;
use super::store::{Holder, Login, LoginStore, StoreError, UserKey, Versioned, Waiting, jittered};
use super::user::AppUser;
use globus_gare::reauth::{Challenge, ReauthError};

/// How long the notice of a program stays after the program has died.
const TTL: Duration = Duration::from_secs(60);

/// How long to wait before telling a person, so that programs that begin to wait together see each
/// other's notices.
const BEFORE_TELLING: Duration = Duration::from_secs(1);

/// How long before the end of its login time a program withdraws its notice: it may exit right
/// after.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// How long to wait before reading a store again that could not be read.
const PAUSE: Duration = Duration::from_secs(5);

impl AppUser {
    /// The notices of programs that wait for a login of this user, with an
    /// [`ElsewherePrompt`](super::ElsewherePrompt). Log in for one with
    /// [`login_for`](Self::login_for).
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub async fn waiting(&self) -> Result<Vec<Waiting>, ReauthError> {
        Ok(self.store.waiting(&self.key).await?)
    }

    /// Logs in for a waiting program, and for all others that wait for the same login.
    ///
    /// The requirement came from a service: first show [its words](Waiting::words) to the person.
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login).
    pub async fn login_for(&self, waiting: &Waiting) -> Result<(), ReauthError> {
        let mut required = waiting.required.clone();
        let scopes = waiting.scopes.iter().map(ToString::to_string);
        required.required_scopes.extend(scopes);
        self.login_with(required).await
    }

    /// Waits until another program with the same store has logged in, and returns the stored login.
    /// Posts a notice in the meantime. Fails if the stored login is damaged.
    pub(super) async fn wait_elsewhere(
        &self,
        wanted: Wanted<'_>,
        before: &Login,
        sought: &Sought,
    ) -> Result<Login, StoreError> {
        self.keep_record(before).await;
        let challenge = wanted.challenge();
        let waiting = Waiting {
            by: self.holder(),
            required: wanted.required().cloned().unwrap_or_default(),
            scopes: sought.all.clone(),
            words: challenge.map(|challenge| challenge.in_plain_words()),
            is_told: false,
        };
        let notice = Notice {
            store: Arc::clone(&self.store),
            user: self.key.clone(),
            by: waiting.by.clone(),
        };
        tokio::select! {
            login = self.later_login(wanted, before) => {
                notice.withdraw().await;
                login
            }
            never = self.keep_notice_until(challenge.and_then(Challenge::time_left), waiting, &notice) => {
                match never {}
            }
        }
    }

    /// Keeps the notice posted until shortly before the end of the login time.
    async fn keep_notice_until(
        &self,
        time_left: Option<Duration>,
        waiting: Waiting,
        notice: &Notice,
    ) -> Infallible {
        let kept = self.keep_notice(waiting);
        let Some(time_left) = time_left else {
            return kept.await;
        };
        let last = LAST_MOMENT.min(time_left / 10);
        match tokio::time::timeout(time_left.saturating_sub(last), kept).await {
            Ok(never) => match never {},
            Err(_) => notice.withdraw().await,
        }
        std::future::pending().await
    }

    /// Whether there was a login since `before` that may have brought what is wanted.
    fn is_later(&self, wanted: Wanted<'_>, before: &Login, held: &Login) -> bool {
        let is_usable = match wanted {
            Wanted::Scopes => self.is_complete(held, true),
            Wanted::Forced(_) => !held.tokens.is_empty(),
            Wanted::Token(server, rejected) => self.is_usable(held, server, rejected),
            Wanted::Answer(_, audience, _) => {
                self.is_usable(held, audience.resource_server(), None)
            }
        };
        held.epoch() > before.epoch() && is_usable
    }

    async fn later_login(&self, wanted: Wanted<'_>, before: &Login) -> Result<Login, StoreError> {
        loop {
            let kept = self.load_versioned().await;
            let waited = match kept {
                Ok(Versioned { login, .. }) if self.is_later(wanted, before, &login) => {
                    return Ok(login);
                }
                Ok(Versioned { version, .. }) => self.store.changed(&self.key, &version).await,
                Err(error) => Err(error),
            };
            match waited {
                Ok(()) => {}
                Err(error) if error.is_unavailable() => tokio::time::sleep(jittered(PAUSE)).await,
                Err(error) => return Err(error),
            }
        }
    }

    /// Keeps the notice posted. Of the programs that wait for the same login, one tells a person.
    async fn keep_notice(&self, mut waiting: Waiting) -> Infallible {
        let mut pause = BEFORE_TELLING;
        loop {
            // If the notice cannot be posted, the program still waits.
            let _ = self.store.post(&self.key, &waiting, TTL).await;
            tokio::time::sleep(jittered(pause)).await;
            pause = TTL / 3;
            if waiting.is_told {
                continue;
            }
            let mut all = self.store.waiting(&self.key).await.unwrap_or_default();
            all.retain(|other| other.is_for_the_same(&waiting));
            let is_first = all.iter().all(|other| other.by.id() >= waiting.by.id());
            waiting.is_told = all.iter().any(|other| other.is_told);
            if is_first && !waiting.is_told {
                waiting.is_told = true;
                pause = Duration::ZERO;
                self.tell(&LoginStatus::WaitsElsewhere {
                    user: self.key.clone(),
                    waiting: Box::new(waiting.clone()),
                    jobs: all.len().max(1),
                });
            }
        }
    }
}

/// The notice of this program. Withdrawn on drop.
struct Notice {
    store: Arc<dyn LoginStore>,
    user: UserKey,
    by: Holder,
}

impl Notice {
    async fn withdraw(&self) {
        // If the store fails, the notice expires.
        let _ = self.store.withdraw(&self.user, &self.by).await;
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        let (store, user, by) = (Arc::clone(&self.store), self.user.clone(), self.by.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { store.withdraw(&user, &by).await });
        }
    }
}
