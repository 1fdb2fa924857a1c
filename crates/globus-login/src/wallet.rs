//! Which tokens are whose.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oauth2::AccessToken;

use super::scope::{ScopeParseError, Scopes};
use super::store::{MemoryStore, StoreError, StoredToken, TokenStore, Tokens};
use globus_gare::reauth::Principal;

/// The namespace of the app's own user, as in the Python SDK.
const OWN: &str = "DEFAULT";

/// What stands before the name of a user whom the program names.
const NAMED: &str = "identity/";

/// How many identities are remembered beside the store: an app mostly serves one.
const MAX_IDENTITIES: usize = 1024;

/// The store, and what the program knows beside it.
pub(super) struct Wallet {
    store: Arc<dyn TokenStore>,
    notes: Mutex<Vec<(Principal, Notes)>>,
    /// How often the app's own user logged out.
    logouts: AtomicU64,
}

/// What is remembered of an identity as long as the program runs.
#[derive(Clone, Default)]
struct Notes {
    /// The scopes that its logins asked for, with what depends on them: a token names none of that.
    scopes: Scopes,
    /// The token that each resource server was sent last, and how many logins there had been.
    sent: HashMap<String, (AccessToken, u64)>,
    logins: u64,
    /// The tokens of whoever came with a token: that says nothing of who it will be tomorrow.
    passing: MemoryStore,
}

/// Where the tokens of one identity are kept.
#[derive(Clone)]
pub(super) struct Pocket {
    pub(super) store: Arc<dyn TokenStore>,
    pub(super) namespace: String,
}

impl Wallet {
    pub(super) fn new(store: Arc<dyn TokenStore>) -> Self {
        Self {
            store,
            notes: Mutex::default(),
            logouts: AtomicU64::new(0),
        }
    }

    pub(super) fn pocket(&self, identity: &Principal) -> Pocket {
        let (store, namespace) = match identity {
            Principal::Session => (Arc::clone(&self.store), OWN.to_owned()),
            Principal::Named(name) => (Arc::clone(&self.store), format!("{NAMED}{name}")),
            // A presented value, or an identity of a kind that is not known here: nothing of it is stored.
            _ => {
                let passing = self.with_notes(identity, |notes| notes.passing.clone());
                (Arc::new(passing) as Arc<dyn TokenStore>, OWN.to_owned())
            }
        };
        Pocket { store, namespace }
    }

    /// All that the logins of `identity` have asked for so far, as far as it is known.
    pub(super) fn scopes(
        &self,
        identity: &Principal,
        held: &Tokens,
    ) -> Result<Scopes, ScopeParseError> {
        let mut scopes = self.with_notes(identity, |notes| notes.scopes.clone());
        for token in held.values() {
            // A store may hold anything; what is no scope was granted to nobody.
            if let Ok(held) = token.scope().parse() {
                scopes = scopes.union(&held)?;
            }
        }
        Ok(scopes)
    }

    /// Notes a login that asked for `scopes`.
    pub(super) fn note_login(&self, identity: &Principal, scopes: &Scopes) {
        self.with_notes(identity, |notes| {
            notes.scopes = scopes.clone();
            notes.logins += 1;
        });
    }

    pub(super) fn note_sent(&self, identity: &Principal, server: &str, token: &StoredToken) {
        self.with_notes(identity, |notes| {
            let sent = (token.access().clone(), notes.logins);
            notes.sent.insert(server.to_owned(), sent);
        });
    }

    /// Whether `token` is another than the one that was sent last.
    pub(super) fn is_news(&self, identity: &Principal, server: &str, token: &StoredToken) -> bool {
        self.with_notes(identity, |notes| {
            notes
                .sent
                .get(server)
                .is_some_and(|(sent, _)| sent.secret() != token.access().secret())
        })
    }

    /// Whether there was a login since a token was sent last. A token that is merely
    /// renewed belongs to the same session as the one before.
    pub(super) fn has_new_login(&self, identity: &Principal, server: &str) -> bool {
        self.with_notes(identity, |notes| {
            let then = notes.sent.get(server).map_or(0, |(_, logins)| *logins);
            notes.logins > then
        })
    }

    /// Notes that the app's own user has logged out.
    pub(super) fn note_logout(&self) {
        self.logouts.fetch_add(1, SeqCst);
    }

    pub(super) fn logouts(&self) -> u64 {
        self.logouts.load(SeqCst)
    }

    pub(super) fn forget(&self, identity: &Principal) {
        self.notes().retain(|(known, _)| known != identity);
    }

    fn with_notes<T>(&self, identity: &Principal, work: impl FnOnce(&mut Notes) -> T) -> T {
        let mut all = self.notes();
        let known = all.iter().position(|(known, _)| known == identity);
        // Whoever was used last stands last; the first one goes where there are too many.
        let mut notes = match known {
            Some(position) => all.remove(position).1,
            None => Notes::default(),
        };
        let done = work(&mut notes);
        if all.len() >= MAX_IDENTITIES {
            all.remove(0);
        }
        all.push((identity.clone(), notes));
        done
    }

    fn notes(&self) -> MutexGuard<'_, Vec<(Principal, Notes)>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pocket {
    pub(super) async fn load(&self) -> Result<Tokens, StoreError> {
        self.store.load(&self.namespace).await
    }

    pub(super) async fn token(&self, server: &str) -> Result<Option<StoredToken>, StoreError> {
        Ok(self.load().await?.remove(server))
    }

    /// Keeps what a login gave, beside what there is for other resource servers.
    pub(super) async fn keep(&self, tokens: Tokens) -> Result<(), StoreError> {
        let change = move |kept: &mut Tokens| kept.extend(tokens.clone());
        self.store.update(&self.namespace, Box::new(change)).await
    }

    /// Replaces `old` by what its refresh token gave; `None` forgets it. A token
    /// that a login brought in the meantime stays.
    pub(super) async fn renew(
        &self,
        server: &str,
        old: &StoredToken,
        new: Option<StoredToken>,
    ) -> Result<(), StoreError> {
        let (server, old) = (server.to_owned(), old.clone());
        let change = move |kept: &mut Tokens| {
            if kept.get(&server).is_some_and(|token| token.is(&old)) {
                match &new {
                    Some(token) => kept.insert(server.clone(), token.clone()),
                    None => kept.remove(&server),
                };
            }
        };
        self.store.update(&self.namespace, Box::new(change)).await
    }

    pub(super) async fn clear(&self) -> Result<(), StoreError> {
        self.store
            .update(&self.namespace, Box::new(Tokens::clear))
            .await
    }
}

impl fmt::Debug for Wallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wallet").finish_non_exhaustive()
    }
}
