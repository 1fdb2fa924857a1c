//! Which account a principal leads to, within a bound.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::account::Account;
use super::{Credential, Identity as Principal};
use crate::runtime::{Mutex, MutexGuard};

/// How many of the values that were issued for an account lead to it: each login adds one, and
/// most are never presented.
const MAX_ISSUED: usize = 8;

type Id = u64;

/// The session's own account, which no other follows.
const OWN: Id = 0;

#[derive(Debug)]
pub(super) struct Accounts {
    own: Arc<Account>,
    others: Mutex<Others>,
    max: usize,
    idle: Duration,
}

#[derive(Debug, Default)]
struct Others {
    by_principal: HashMap<Principal, Id>,
    known: HashMap<Id, Known>,
    /// Accounts that no request uses, by when they were last used.
    idle: BTreeMap<u64, Id>,
    last_id: Id,
    last_use: u64,
}

#[derive(Debug, Default)]
struct Known {
    account: Arc<Account>,
    /// The principal that the account was made for, and whose it stays.
    principal: Option<Principal>,
    /// Values that were issued for it, the oldest first.
    issued: VecDeque<Principal>,
    /// How many requests and logins use the account.
    users: usize,
    last_use: u64,
    idle_since: Option<Instant>,
}

/// An account that is in use: it is not forgotten meanwhile.
#[derive(Debug)]
pub(super) struct InUse {
    account: Arc<Account>,
    accounts: Arc<Accounts>,
    id: Id,
}

impl InUse {
    pub(super) fn account(&self) -> &Arc<Account> {
        &self.account
    }
}

impl Clone for InUse {
    fn clone(&self) -> Self {
        if self.id != OWN
            && let Some(known) = self.accounts.lock().known.get_mut(&self.id)
        {
            known.users += 1;
        }
        Self {
            account: Arc::clone(&self.account),
            accounts: Arc::clone(&self.accounts),
            id: self.id,
        }
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        if self.id != OWN {
            self.accounts.leave(self.id);
        }
    }
}

impl Accounts {
    pub(super) fn new(max: usize, idle: Duration) -> Arc<Self> {
        let own = Arc::<Account>::default();
        let known = Known {
            account: Arc::clone(&own),
            // It never becomes idle.
            users: 1,
            ..Known::default()
        };
        let others = Others {
            known: HashMap::from([(OWN, known)]),
            ..Others::default()
        };
        Arc::new(Self {
            own,
            others: Mutex::new(others),
            max: max.max(1),
            idle,
        })
    }

    /// How many there are, beside the session's own.
    pub(super) fn count(&self) -> usize {
        self.lock().known.len() - 1
    }

    /// The session's own account.
    pub(super) fn own(self: &Arc<Self>) -> InUse {
        self.in_use(OWN, &self.own)
    }

    /// The account of `principal`, if there is one.
    pub(super) fn find(self: &Arc<Self>, principal: impl FnOnce() -> Principal) -> Option<InUse> {
        let mut others = self.lock();
        if others.by_principal.is_empty() {
            return None;
        }
        let id = *others.by_principal.get(&principal())?;
        let account = others.enter(id)?;
        Some(self.in_use(id, &account))
    }

    /// The account of `principal`, made if there is none.
    pub(super) fn find_or_make(self: &Arc<Self>, principal: &Principal) -> InUse {
        if *principal == Principal::Session {
            return self.own();
        }
        if let Some(known) = self.find(|| principal.clone()) {
            return known;
        }
        let mut others = self.lock();
        let others = &mut *others;
        // Another request may have made it since.
        let id = *others
            .by_principal
            .entry(principal.clone())
            .or_insert_with(|| {
                others.last_id += 1;
                let known = Known {
                    principal: Some(principal.clone()),
                    ..Known::default()
                };
                others.known.insert(others.last_id, known);
                others.last_id
            });
        match others.enter(id) {
            Some(account) => self.in_use(id, &account),
            None => self.own(),
        }
    }

    /// Has requests that present `credential` lead to the account that it was issued for.
    pub(super) fn note_issued(&self, account: &InUse, credential: &Credential) {
        let value = Principal::Presented(credential.clone());
        let mut others = self.lock();
        let others = &mut *others;
        if others.by_principal.contains_key(&value) {
            return;
        }
        let Some(known) = others.known.get_mut(&account.id) else {
            return;
        };
        known.issued.push_back(value.clone());
        if known.issued.len() > MAX_ISSUED
            && let Some(oldest) = known.issued.pop_front()
        {
            others.by_principal.remove(&oldest);
        }
        others.by_principal.insert(value, account.id);
    }

    fn in_use(self: &Arc<Self>, id: Id, account: &Arc<Account>) -> InUse {
        InUse {
            account: Arc::clone(account),
            accounts: Arc::clone(self),
            id,
        }
    }

    /// Ends one use of an account. Beyond the bound those that were idle longest are forgotten.
    fn leave(&self, id: Id) {
        let now = Instant::now();
        let mut others = self.lock();
        others.leave(id, now);
        while let Some(oldest) = others.idle.first_entry() {
            let id = *oldest.get();
            let since = others.known.get(&id).and_then(|known| known.idle_since);
            let is_old = since.is_some_and(|since| now.duration_since(since) >= self.idle);
            if others.idle.len() <= self.max && !is_old {
                break;
            }
            others.forget(id);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Others> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Others {
    fn enter(&mut self, id: Id) -> Option<Arc<Account>> {
        let known = self.known.get_mut(&id)?;
        known.users += 1;
        if known.idle_since.take().is_some() {
            self.idle.remove(&known.last_use);
        }
        Some(Arc::clone(&known.account))
    }

    fn leave(&mut self, id: Id, now: Instant) {
        let Some(known) = self.known.get_mut(&id) else {
            return;
        };
        known.users -= 1;
        if known.users == 0 {
            self.last_use += 1;
            known.last_use = self.last_use;
            known.idle_since = Some(now);
            self.idle.insert(self.last_use, id);
        }
    }

    fn forget(&mut self, id: Id) {
        if let Some(known) = self.known.remove(&id) {
            self.idle.remove(&known.last_use);
            for principal in known.principal.iter().chain(&known.issued) {
                self.by_principal.remove(principal);
            }
        }
    }
}
