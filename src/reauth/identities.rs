//! Which slot is whose, within a bound.

use std::collections::HashMap;
use std::ptr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering, fence};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::slot::{Seat, Slot};
use super::{Credential, Identity};
use crate::runtime::{ArcSwap, Mutex, MutexGuard};

/// How many values that were issued for one slot lead to it: each login adds one, and nobody presents most of them.
const MAX_ISSUED: usize = 8;

type Others = HashMap<Identity, Arc<Known>>;

#[derive(Debug)]
pub(super) struct Identities {
    own: Arc<Slot>,
    /// Read without a lock, on the way of requests; replaced as a whole under `changing`.
    others: ArcSwap<Others>,
    changing: Mutex<()>,
    /// How many others there are: most sessions have none, and never look.
    count: AtomicUsize,
    max: usize,
    idle: Duration,
}

/// What an identity leads to. More than one may lead to the same slot.
#[derive(Debug)]
struct Known {
    slot: Arc<Slot>,
    made: Instant,
    /// When a request last came with it, in nanoseconds since it was made.
    used: AtomicU64,
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
    #[inline]
    pub(super) fn are_none(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    /// The slot of `identity`, if it has one.
    pub(super) fn find(&self, identity: &Identity) -> Option<Seat> {
        if self.are_none() {
            return None;
        }
        loop {
            let others = self.others.load();
            let known = others.get(identity)?;
            known.note_use();
            let seat = Seat::take(&known.slot);
            // Who forgets looks for seats once more after it has forgotten, and whoever takes
            // one looks again after that: one of the two sees the other.
            fence(Ordering::SeqCst);
            let now = self.others.load();
            let (before, others): (&Others, &Others) = (&others, &now);
            // Mostly nobody has changed anything, and there is nothing to look for twice.
            if ptr::eq(before, others) {
                return Some(seat);
            }
            let still = others.get(identity)?;
            if Arc::ptr_eq(&still.slot, seat.slot()) {
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
        let mut others = Others::clone(&self.others.load());
        let known = others
            .entry(identity.clone())
            .or_insert_with(|| Known::new(Arc::new(Slot::new())));
        let seat = Seat::take(&known.slot);
        self.replace(others, identity, &changing);
        seat
    }

    /// Makes requests that present `credential` belong to `slot`: it was issued for it.
    pub(super) fn note_issued(&self, slot: &Arc<Slot>, credential: &Credential) {
        let changing = self.lock();
        let mut others = Others::clone(&self.others.load());
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
        self.replace(others, &alias, &changing);
    }

    /// Puts `others` in place, without the idle, and beyond the bound without whatever was idle
    /// longest, save `keep` and what leads to those in use.
    fn replace(&self, mut others: Others, keep: &Identity, _changing: &MutexGuard<'_, ()>) {
        let may_go =
            |identity: &Identity, known: &Arc<Known>| identity != keep && !known.slot.is_in_use();
        let is_idle = |identity: &Identity, known: &mut Arc<Known>| {
            may_go(identity, known) && known.idle() >= self.idle
        };
        let mut forgotten: Vec<_> = others.extract_if(is_idle).collect();
        while others.len() > self.max {
            let free = others
                .iter()
                .filter(|(identity, known)| may_go(identity, known));
            match idlest(free).and_then(|identity| others.remove_entry(&identity)) {
                Some(entry) => forgotten.push(entry),
                None => break,
            }
        }
        let mut others = Arc::new(others);
        self.others.store(Arc::clone(&others));
        fence(Ordering::SeqCst);
        // Whose seat was taken meanwhile is there again before anybody else can make another.
        forgotten.retain(|(_, known)| known.slot.is_in_use());
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

impl Known {
    fn new(slot: Arc<Slot>) -> Arc<Self> {
        Arc::new(Self {
            slot,
            made: Instant::now(),
            used: AtomicU64::new(0),
        })
    }

    fn note_use(&self) {
        let since = self.made.elapsed().as_nanos();
        self.used
            .store(u64::try_from(since).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    fn used(&self) -> Instant {
        let since = Duration::from_nanos(self.used.load(Ordering::Relaxed));
        self.made.checked_add(since).unwrap_or(self.made)
    }

    fn idle(&self) -> Duration {
        self.used().elapsed()
    }
}

fn idlest<'a>(among: impl Iterator<Item = (&'a Identity, &'a Arc<Known>)>) -> Option<Identity> {
    among
        .min_by_key(|(_, known)| known.used())
        .map(|(identity, _)| identity.clone())
}
