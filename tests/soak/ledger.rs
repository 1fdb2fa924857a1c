//! Counts the events of each request.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

/// One word for each request, allocated at the beginning of the run.
pub(crate) struct Ledger {
    entries: Vec<AtomicU32>,
    /// HTTP/2 connections that were reset, with all their requests.
    pub(crate) resets: AtomicU64,
    pub(crate) arrivals: AtomicU64,
}

const ARRIVED: u32 = 1;
const CARRIED_OUT: u32 = 1 << 8;
const ENDED: u32 = 1 << 16;
const MADE_UP: u32 = 1 << 24;
const LOST: u32 = 1 << 25;
const CHANGED: u32 = 1 << 26;

/// The events of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// How often it arrived at the proxy.
    pub(crate) arrivals: u32,
    /// How often the service carried it out.
    pub(crate) carried_out: u32,
    /// How often it ended for its caller.
    pub(crate) ends: u32,
    /// Whether the proxy made a response up.
    pub(crate) made_up: bool,
    /// Whether the request or a response was cut off.
    pub(crate) lost: bool,
    /// Whether it arrived with a wrong body.
    pub(crate) changed: bool,
}

impl Ledger {
    pub(crate) fn new(requests: u32) -> Self {
        let entries: Vec<_> = (0..requests).map(|_| AtomicU32::new(0)).collect();
        // Touches all memory now, so that it does not grow during the run.
        entries.iter().for_each(|entry| entry.store(0, SeqCst));
        Self {
            entries,
            resets: AtomicU64::new(0),
            arrivals: AtomicU64::new(0),
        }
    }

    /// Counts an arrival. Returns its number, starting at 1.
    pub(crate) fn arrived(&self, number: u32) -> u32 {
        self.arrivals.fetch_add(1, SeqCst);
        let before = self.add(number, ARRIVED);
        Entry::from(before).arrivals + 1
    }

    pub(crate) fn carried_out(&self, number: u32) {
        self.add(number, CARRIED_OUT);
    }

    pub(crate) fn ended(&self, number: u32) {
        self.add(number, ENDED);
    }

    pub(crate) fn made_up(&self, number: u32) {
        self.mark(number, MADE_UP);
    }

    pub(crate) fn lost(&self, number: u32) {
        self.mark(number, LOST);
    }

    pub(crate) fn changed(&self, number: u32) {
        self.mark(number, CHANGED);
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
            arrivals: count(ARRIVED),
            carried_out: count(CARRIED_OUT),
            ends: count(ENDED),
            made_up: word & MADE_UP != 0,
            lost: word & LOST != 0,
            changed: word & CHANGED != 0,
        }
    }
}
