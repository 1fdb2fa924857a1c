//! How the process is.

use std::fs;
use std::time::Duration;

/// What was measured while no request was under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vitals {
    pub(crate) requests: u32,
    pub(crate) after: Duration,
    /// Bytes that are allocated and not freed.
    pub(crate) heap: usize,
    /// Bytes that the system keeps in memory for it, where it tells.
    pub(crate) resident: Option<usize>,
    pub(crate) descriptors: Option<usize>,
    /// Tasks on the side of the clients, which have closed their connections: those of the logins are left.
    pub(crate) tasks: usize,
    /// Identities that the session remembers.
    pub(crate) identities: u64,
}

/// Open file descriptors, where the system tells.
pub(crate) fn descriptors() -> Option<usize> {
    // One of them reads the directory.
    Some(fs::read_dir("/proc/self/fd").ok()?.count() - 1)
}

pub(crate) fn resident() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: usize = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

pub(crate) fn heap() -> usize {
    crate::HEAP.current_usage()
}
