//! Which slot is whose, within a bound.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::slot::{Seat, Slot};
use super::{Credential, Identity};
use crate::runtime::{Mutex, MutexGuard};

#[derive(Debug)]
pub(super) struct Identities {
    own: Arc<Slot>,
    others: Mutex<HashMap<Identity, Arc<Slot>>>,
    /// How many others there are: most sessions have none, and never lock.
    count: AtomicUsize,
    max: usize,
    idle: Duration,
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
        let seat = self.lock().get(identity).map(Seat::take)?;
        seat.slot().note_use();
        Some(seat)
    }

    /// The slot of `identity`, made if there is none.
    pub(super) fn find_or_make(&self, identity: &Identity) -> Seat {
        if let Some(seat) = self.find(identity) {
            return seat;
        }
        let mut others = self.lock();
        let slot = others
            .entry(identity.clone())
            .or_insert_with(|| Arc::new(Slot::new()));
        let seat = Seat::take(slot);
        seat.slot().note_use();
        self.tidy(&mut others, identity);
        seat
    }

    /// Makes requests that present `credential` belong to `slot`: it was issued for it.
    pub(super) fn note_issued(&self, slot: &Arc<Slot>, credential: &Credential) {
        let mut others = self.lock();
        let alias = Identity::Presented(credential.clone());
        others
            .entry(alias.clone())
            .or_insert_with(|| Arc::clone(slot));
        self.tidy(&mut others, &alias);
    }

    /// Forgets the idle, and beyond the bound whoever was idle longest, save
    /// `keep` and those in use.
    fn tidy(&self, others: &mut HashMap<Identity, Arc<Slot>>, keep: &Identity) {
        others.retain(|identity, slot| {
            identity == keep || slot.is_in_use() || slot.idle() < self.idle
        });
        while others.len() > self.max {
            let idlest = others
                .iter()
                .filter(|(identity, slot)| *identity != keep && !slot.is_in_use())
                .max_by_key(|(_, slot)| slot.idle())
                .map(|(identity, _)| identity.clone());
            match idlest {
                Some(identity) => others.remove(&identity),
                None => break,
            };
        }
        self.count.store(others.len(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Identity, Arc<Slot>>> {
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
