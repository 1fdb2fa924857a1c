//! Waiting for a login that somebody else runs, at a notice that people and programs can see.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use super::LoginStatus;
use super::approval::Sought;
use super::flow::Wanted;
use super::store::{Holder, Login, LoginStore, StoreError, UserKey, Versioned, Waiting, jittered};
use super::user::AppUser;
use globus_gare::reauth::{Challenge, ReauthError};

/// How long the notice of a program that has died is there.
const TTL: Duration = Duration::from_secs(60);

/// How soon somebody is told, so that programs that begin to wait together see each other.
const MUSTER: Duration = Duration::from_secs(1);

/// How long before the end of its time a program takes its notice away: it may exit right after.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// How long until a store that could not be read is read again.
const PAUSE: Duration = Duration::from_secs(5);

impl AppUser {
    /// The programs that wait for a login of this user: see
    /// [`ElsewherePrompt`](super::ElsewherePrompt). [`login_for`](Self::login_for) lets them go on.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read.
    pub async fn waiting(&self) -> Result<Vec<Waiting>, ReauthError> {
        Ok(self.store.waiting(&self.key).await?)
    }

    /// Logs in so that a program that waits, and those that wait for the same, can go on.
    ///
    /// What it waits for came from a service: show [its words](Waiting::words) to the person before.
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

    /// Waits until a login by any program of the same store will do, and gives what is kept then.
    /// Meanwhile there is a notice. An error of the store that a person has to mend ends it.
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

    /// Keeps the notice there until shortly before the end of the program's time.
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

    /// Whether a login since `before` is worth a try: it satisfies what is wanted, or may do so.
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

    /// Keeps the notice there, and has one of those who wait for the same tell somebody.
    async fn keep_notice(&self, mut waiting: Waiting) -> Infallible {
        let mut pause = MUSTER;
        loop {
            // Where it cannot be left, the program waits all the same.
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

/// The notice of this program. Taken away when it is dropped.
struct Notice {
    store: Arc<dyn LoginStore>,
    user: UserKey,
    by: Holder,
}

impl Notice {
    async fn withdraw(&self) {
        // It ends by itself where it cannot be taken away.
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
