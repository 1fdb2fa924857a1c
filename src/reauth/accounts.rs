//! Finds the account of a principal. Their number is bounded.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::account::Account;
use super::builder::Settings;
use super::{Credential, Principal};
use crate::runtime::{Mutex, MutexGuard};

/// How many issued values of an account are remembered. Each login adds one, and most are never
/// presented.
const MAX_ISSUED: usize = 8;

type Id = u64;

/// The session's own account.
const OWN: Id = 0;

#[derive(Debug)]
pub(super) struct Accounts {
    own: Arc<Account>,
    others: Mutex<Others>,
    max_idle: usize,
    max_in_use: usize,
    idle: Duration,
}

#[derive(Debug, Default)]
struct Others {
    /// Accounts by the principal that they were made for.
    by_principal: HashMap<Principal, Id>,
    /// Accounts by an issued value: one that a login brought.
    by_issued: HashMap<Principal, LeadsTo>,
    known: HashMap<Id, Known>,
    /// Accounts that no request uses, by their last use, and its time.
    idle: BTreeMap<u64, (Id, Instant)>,
    last_id: Id,
    last_use: u64,
}

/// The account of an issued value.
#[derive(Clone, Copy, Debug)]
enum LeadsTo {
    Account(Id),
    /// No account: the value was issued for this many accounts.
    Several(usize),
}

#[derive(Debug)]
struct Known {
    account: Arc<Account>,
    /// Issued values, the oldest first.
    issued: VecDeque<Principal>,
    /// How many requests and logins use the account.
    users: usize,
    last_use: u64,
}

/// A use of an account. An account in use is not dropped.
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
        if self.id != OWN {
            self.accounts.lock().enter(self.id);
        }
        self.accounts.in_use(self.id, &self.account)
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
    pub(super) fn new(settings: &Settings) -> Arc<Self> {
        let own = Account::new(Principal::Session);
        let mut others = Others::default();
        // It never becomes idle.
        others
            .known
            .insert(OWN, Known::used_by(1, Arc::clone(&own)));
        Arc::new(Self {
            own,
            others: Mutex::new(others),
            max_idle: settings.max_principals.max(1),
            max_in_use: settings.max_principals_in_use.max(1),
            idle: settings.principal_idle,
        })
    }

    /// The number of accounts, without the session's own.
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
        if others.by_principal.is_empty() && others.by_issued.is_empty() {
            return None;
        }
        let id = others.id_of(&principal())?;
        let account = others.enter(id)?;
        Some(self.in_use(id, &account))
    }

    /// The account of `principal`, made if there is none. `None` if too many are in use.
    pub(super) fn find_or_make(self: &Arc<Self>, principal: &Principal) -> Option<InUse> {
        if *principal == Principal::Session {
            return Some(self.own());
        }
        let mut others = self.lock();
        let others = &mut *others;
        let id = match others.id_of(principal) {
            Some(id) => id,
            None if others.known.len() - others.idle.len() > self.max_in_use => return None,
            None => {
                others.last_id += 1;
                let id = others.last_id;
                let known = Known::used_by(0, Account::new(principal.clone()));
                others.known.insert(id, known);
                others.by_principal.insert(principal.clone(), id);
                id
            }
        };
        let account = others.enter(id)?;
        Some(self.in_use(id, &account))
    }

    /// The account of `principal`, if there is one. This does not count as a use.
    pub(super) fn peek(&self, principal: &Principal) -> Option<Arc<Account>> {
        if *principal == Principal::Session {
            return Some(Arc::clone(&self.own));
        }
        let others = self.lock();
        let known = others.known.get(&others.id_of(principal)?)?;
        Some(Arc::clone(&known.account))
    }

    /// Notes that a login brought `credential`: requests that present it belong to the account.
    pub(super) fn note_issued(&self, account: &InUse, credential: &Credential) {
        let value = Principal::Presented(credential.clone());
        let mut others = self.lock();
        let others = &mut *others;
        let Some(known) = others.known.get_mut(&account.id) else {
            return;
        };
        if known.account.principal == value || known.issued.contains(&value) {
            return;
        }
        known.issued.push_back(value.clone());
        let oldest = (known.issued.len() > MAX_ISSUED).then(|| known.issued.pop_front());
        let leads_to = match others.by_issued.get(&value) {
            None => LeadsTo::Account(account.id),
            Some(LeadsTo::Account(_)) => LeadsTo::Several(2),
            Some(LeadsTo::Several(accounts)) => LeadsTo::Several(accounts + 1),
        };
        others.by_issued.insert(value, leads_to);
        if let Some(oldest) = oldest.flatten() {
            others.lead_nowhere(&oldest);
        }
    }

    fn in_use(self: &Arc<Self>, id: Id, account: &Arc<Account>) -> InUse {
        InUse {
            account: Arc::clone(account),
            accounts: Arc::clone(self),
            id,
        }
    }

    /// Ends one use of an account. Beyond the bound, the accounts that were idle longest are
    /// dropped.
    fn leave(&self, id: Id) {
        let now = Instant::now();
        let mut others = self.lock();
        others.leave(id, now);
        while let Some(oldest) = others.idle.first_entry() {
            let (id, since) = *oldest.get();
            let is_old = now.duration_since(since) >= self.idle;
            if others.idle.len() <= self.max_idle && !is_old {
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
    fn id_of(&self, principal: &Principal) -> Option<Id> {
        if let Some(id) = self.by_principal.get(principal) {
            return Some(*id);
        }
        match self.by_issued.get(principal)? {
            LeadsTo::Account(id) => Some(*id),
            LeadsTo::Several(_) => None,
        }
    }

    fn enter(&mut self, id: Id) -> Option<Arc<Account>> {
        let known = self.known.get_mut(&id)?;
        if known.users == 0 {
            self.idle.remove(&known.last_use);
        }
        known.users += 1;
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
            self.idle.insert(self.last_use, (id, now));
        }
    }

    fn forget(&mut self, id: Id) {
        if let Some(known) = self.known.remove(&id) {
            self.idle.remove(&known.last_use);
            self.by_principal.remove(&known.account.principal);
            for value in &known.issued {
                self.lead_nowhere(value);
            }
        }
    }

    /// Forgets that the value was issued for one account.
    fn lead_nowhere(&mut self, value: &Principal) {
        match self.by_issued.get_mut(value) {
            Some(LeadsTo::Several(accounts)) if *accounts > 1 => *accounts -= 1,
            _ => {
                self.by_issued.remove(value);
            }
        }
    }
}

impl Known {
    fn used_by(users: usize, account: Arc<Account>) -> Self {
        Self {
            account,
            issued: VecDeque::new(),
            users,
            last_use: 0,
        }
    }
}
