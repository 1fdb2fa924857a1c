use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use super::{Change, StoreError, StoreLock, TokenStore, Tokens, Work};

/// How many namespaces are remembered: most programs have one.
const MAX_NAMESPACES: usize = 1024;

/// Keeps tokens as long as the program runs.
///
/// It remembers 1024 users; after that, whoever was used least recently is
/// forgotten and has to log in again. Clones are the same store.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    /// The least recently used comes first.
    namespaces: Vec<(String, Tokens)>,
    locks: HashMap<(String, Work), Arc<tokio::sync::Mutex<Option<String>>>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn take(&mut self, namespace: &str) -> Tokens {
        let known = self
            .namespaces
            .iter()
            .position(|(name, _)| name == namespace);
        known
            .map(|position| self.namespaces.remove(position).1)
            .unwrap_or_default()
    }

    fn put(&mut self, namespace: &str, tokens: Tokens) {
        if tokens.is_empty() {
            return;
        }
        if self.namespaces.len() >= MAX_NAMESPACES {
            self.namespaces.remove(0);
        }
        self.namespaces.push((namespace.to_owned(), tokens));
    }
}

#[async_trait]
impl TokenStore for MemoryStore {
    async fn load(&self, namespace: &str) -> Result<Tokens, StoreError> {
        let mut shared = self.shared();
        let tokens = shared.take(namespace);
        shared.put(namespace, tokens.clone());
        Ok(tokens)
    }

    async fn update(&self, namespace: &str, mut change: Change) -> Result<(), StoreError> {
        let mut shared = self.shared();
        let mut tokens = shared.take(namespace);
        change(&mut tokens);
        shared.put(namespace, tokens);
        Ok(())
    }

    async fn lock(&self, namespace: &str, work: Work) -> Result<Box<dyn StoreLock>, StoreError> {
        let lock = {
            let mut shared = self.shared();
            if shared.locks.len() >= MAX_NAMESPACES {
                // Those that nobody holds or waits for: each is in the map alone.
                shared.locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            }
            let key = (namespace.to_owned(), work);
            Arc::clone(shared.locks.entry(key).or_default())
        };
        Ok(Box::new(Held(lock.lock_owned().await)))
    }
}

struct Held(OwnedMutexGuard<Option<String>>);

impl StoreLock for Held {
    fn note(&self) -> Option<String> {
        self.0.clone()
    }

    fn leave_note(&mut self, note: &str) -> Result<(), StoreError> {
        *self.0 = Some(note.to_owned());
        Ok(())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("namespaces", &self.shared().namespaces.len())
            .finish_non_exhaustive()
    }
}
