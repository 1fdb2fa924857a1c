//! What happened to each request, told by its number.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

/// One word for each request. As long as the day, from its beginning.
pub(crate) struct Ledger {
    entries: Vec<AtomicU32>,
    /// Connections that were cut off together with all that was on them.
    pub(crate) shared_cuts: AtomicU64,
    pub(crate) sightings: AtomicU64,
}

const SIGHTED: u32 = 1;
const CARRIED_OUT: u32 = 1 << 8;
const ENDED: u32 = 1 << 16;
const ANSWERED_WRONG: u32 = 1 << 24;
const LOST: u32 = 1 << 25;
const GARBLED: u32 = 1 << 26;

/// What was noted of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// How often it arrived at the service.
    pub(crate) sightings: u32,
    /// How often it was let in and done.
    pub(crate) carried_out: u32,
    /// How often its caller was answered, or left.
    pub(crate) ends: u32,
    /// Whether it got an answer that was made up.
    pub(crate) answered_wrong: bool,
    /// Whether it or its answer was cut off.
    pub(crate) lost: bool,
    /// Whether it arrived with another body than it left with.
    pub(crate) garbled: bool,
}

impl Ledger {
    pub(crate) fn new(requests: u32) -> Self {
        let entries: Vec<_> = (0..requests).map(|_| AtomicU32::new(0)).collect();
        // The memory is taken now, not bit by bit.
        entries.iter().for_each(|entry| entry.store(0, SeqCst));
        Self {
            entries,
            shared_cuts: AtomicU64::new(0),
            sightings: AtomicU64::new(0),
        }
    }

    /// Which sighting this is, from 1 on.
    pub(crate) fn sighted(&self, number: u32) -> u32 {
        self.sightings.fetch_add(1, SeqCst);
        let before = self.add(number, SIGHTED);
        Entry::from(before).sightings + 1
    }

    pub(crate) fn carried_out(&self, number: u32) {
        self.add(number, CARRIED_OUT);
    }

    pub(crate) fn ended(&self, number: u32) {
        self.add(number, ENDED);
    }

    pub(crate) fn answered_wrong(&self, number: u32) {
        self.mark(number, ANSWERED_WRONG);
    }

    pub(crate) fn lost(&self, number: u32) {
        self.mark(number, LOST);
    }

    pub(crate) fn garbled(&self, number: u32) {
        self.mark(number, GARBLED);
    }

    pub(crate) fn read(&self, number: u32) -> Entry {
        self.entries[number as usize].load(SeqCst).into()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Entry> {
        self.entries.iter().map(|entry| entry.load(SeqCst).into())
    }

    fn add(&self, number: u32, what: u32) -> u32 {
        self.entries[number as usize].fetch_add(what, SeqCst)
    }

    fn mark(&self, number: u32, what: u32) {
        self.entries[number as usize].fetch_or(what, SeqCst);
    }
}

impl From<u32> for Entry {
    fn from(word: u32) -> Self {
        let count = |one: u32| word / one % 256;
        Self {
            sightings: count(SIGHTED),
            carried_out: count(CARRIED_OUT),
            ends: count(ENDED),
            answered_wrong: word & ANSWERED_WRONG != 0,
            lost: word & LOST != 0,
            garbled: word & GARBLED != 0,
        }
    }
}
