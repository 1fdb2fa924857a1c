//! Which slot is whose, within a bound.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering, fence};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::slot::{Seat, Slot};
use super::{Credential, Identity};
use crate::runtime::{Mutex, MutexGuard};

type Slots = HashMap<Identity, Arc<Slot>>;

#[derive(Debug)]
pub(super) struct Identities {
    own: Arc<Slot>,
    /// Read without a lock, on the way of requests; replaced as a whole under `changing`.
    others: ArcSwap<Slots>,
    changing: Mutex<()>,
    /// How many others there are: most sessions have none, and never look.
    count: AtomicUsize,
    max: usize,
    idle: Duration,
}

impl Identities {
    pub(super) fn new(max: usize, idle: Duration) -> Self {
        Self {
            own: Arc::new(Slot::new()),
            others: ArcSwap::default(),
            changing: Mutex::new(()),
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
    pub(super) fn own(&self) -> &Arc<Slot> {
        &self.own
    }

    /// Whether there are none beside the session's own.
    pub(super) fn are_none(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// The slot of `identity`, if it has one.
    pub(super) fn find(&self, identity: &Identity) -> Option<Seat> {
        if self.are_none() {
            return None;
        }
        loop {
            let seat = Seat::take(self.others.load().get(identity)?);
            // Who forgets looks for seats once more after it has forgotten, and whoever takes
            // one looks again after that: one of the two sees the other.
            fence(Ordering::SeqCst);
            let still = self.others.load();
            if still
                .get(identity)
                .is_some_and(|slot| Arc::ptr_eq(slot, seat.slot()))
            {
                seat.slot().note_use();
                return Some(seat);
            }
        }
    }

    /// The slot of `identity`, made if there is none; the session's own is always there.
    pub(super) fn find_or_make(&self, identity: &Identity) -> Seat {
        if *identity == Identity::Session {
            return Seat::take(&self.own);
        }
        if let Some(seat) = self.find(identity) {
            return seat;
        }
        let changing = self.lock();
        let mut others = Slots::clone(&self.others.load());
        let slot = others
            .entry(identity.clone())
            .or_insert_with(|| Arc::new(Slot::new()));
        let seat = Seat::take(slot);
        seat.slot().note_use();
        self.replace(others, identity, &changing);
        seat
    }

    /// Makes requests that present `credential` belong to `slot`: it was issued for it.
    pub(super) fn note_issued(&self, slot: &Arc<Slot>, credential: &Credential) {
        let changing = self.lock();
        let mut others = Slots::clone(&self.others.load());
        let alias = Identity::Presented(credential.clone());
        others
            .entry(alias.clone())
            .or_insert_with(|| Arc::clone(slot));
        self.replace(others, &alias, &changing);
    }

    /// Puts `others` in place, without the idle, and without whoever was idle longest beyond the
    /// bound, save `keep` and those in use.
    fn replace(&self, mut others: Slots, keep: &Identity, _changing: &MutexGuard<'_, ()>) {
        let mut forgotten = Vec::new();
        let may_go = |identity: &Identity, slot: &Arc<Slot>| identity != keep && !slot.is_in_use();
        forgotten.extend(
            others.extract_if(|identity, slot| may_go(identity, slot) && slot.idle() >= self.idle),
        );
        while others.len() > self.max {
            let idlest = others
                .iter()
                .filter(|(identity, slot)| may_go(identity, slot))
                .max_by_key(|(_, slot)| slot.idle())
                .map(|(identity, _)| identity.clone());
            match idlest.and_then(|identity| others.remove_entry(&identity)) {
                Some(entry) => forgotten.push(entry),
                None => break,
            }
        }
        let mut others = Arc::new(others);
        self.others.store(Arc::clone(&others));
        fence(Ordering::SeqCst);
        // Whose seat was taken meanwhile is there again before anybody else can make another.
        forgotten.retain(|(_, slot)| slot.is_in_use());
        if !forgotten.is_empty() {
            Arc::make_mut(&mut others).extend(forgotten);
            self.others.store(Arc::clone(&others));
        }
        self.count.store(others.len(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
