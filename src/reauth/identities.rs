//! Which slot is whose, within a bound.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::slot::{Seat, Slot};
use super::{Credential, Identity};
use crate::runtime::{Mutex, MutexGuard};

/// How many values that were issued for one slot lead to it: each login adds one, and nobody presents most of them.
const MAX_ISSUED: usize = 8;

#[derive(Debug)]
pub(super) struct Identities {
    own: Arc<Slot>,
    others: Mutex<HashMap<Identity, Known>>,
    /// How many others there are: most sessions have none, and never lock.
    count: AtomicUsize,
    max: usize,
    idle: Duration,
}

/// What an identity leads to. More than one may lead to the same slot.
#[derive(Debug)]
struct Known {
    slot: Arc<Slot>,
    /// When a request last came with it, or when it was issued.
    used: Instant,
}

impl Identities {
    pub(super) fn new(max: usize, idle: Duration) -> Self {
        let own = Arc::new(Slot::new());
        Self {
            own,
            others: Mutex::new(HashMap::new()),
            count: AtomicUsize::new(0),
            max: max.max(1),
            idle,
        }
    }

    /// How many there are, beside the session's own.
    pub(super) fn remembered(&self) -> u64 {
        u64::try_from(self.count.load(Ordering::Relaxed)).unwrap_or(u64::MAX)
    }

    /// The session's own slot.
    pub(super) fn own(&self) -> Seat {
        Seat::take(&self.own)
    }

    /// Whether there are none beside the session's own.
    pub(super) fn are_none(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// The slot of `identity`, if it has one.
    pub(super) fn find(&self, identity: &Identity) -> Option<Seat> {
        if *identity == Identity::Session {
            return Some(Seat::take(&self.own));
        }
        if self.count.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut others = self.lock();
        let known = others.get_mut(identity)?;
        known.used = Instant::now();
        Some(Seat::take(&known.slot))
    }

    /// The slot of `identity`, made if there is none.
    pub(super) fn find_or_make(&self, identity: &Identity) -> Seat {
        if let Some(seat) = self.find(identity) {
            return seat;
        }
        let mut others = self.lock();
        let known = others
            .entry(identity.clone())
            .or_insert_with(|| Known::new(Arc::new(Slot::new())));
        let seat = Seat::take(&known.slot);
        self.tidy(&mut others, identity);
        seat
    }

    /// Makes requests that present `credential` belong to `slot`: it was issued for it.
    pub(super) fn note_issued(&self, slot: &Arc<Slot>, credential: &Credential) {
        let mut others = self.lock();
        let alias = Identity::Presented(credential.clone());
        others
            .entry(alias.clone())
            .or_insert_with(|| Known::new(Arc::clone(slot)));
        // Also of a slot that is in use without end. What a request under way came with was used later than these.
        let of_slot = others
            .iter()
            .filter(|(identity, known)| **identity != alias && Arc::ptr_eq(&known.slot, slot));
        if of_slot.clone().count() >= MAX_ISSUED
            && let Some(identity) = idlest(of_slot)
        {
            others.remove(&identity);
        }
        self.tidy(&mut others, &alias);
    }

    /// Forgets the idle, and beyond the bound whatever was idle longest, save
    /// `keep` and what leads to those in use.
    fn tidy(&self, others: &mut HashMap<Identity, Known>, keep: &Identity) {
        others.retain(|identity, known| {
            identity == keep || known.slot.is_in_use() || known.used.elapsed() < self.idle
        });
        while others.len() > self.max {
            let free = others
                .iter()
                .filter(|(identity, known)| *identity != keep && !known.slot.is_in_use());
            match idlest(free) {
                Some(identity) => others.remove(&identity),
                None => break,
            };
        }
        self.count.store(others.len(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Identity, Known>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn new(slot: Arc<Slot>) -> Self {
        Self {
            slot,
            used: Instant::now(),
        }
    }
}

fn idlest<'a>(among: impl Iterator<Item = (&'a Identity, &'a Known)>) -> Option<Identity> {
    among
        .min_by_key(|(_, known)| known.used)
        .map(|(identity, _)| identity.clone())
}
