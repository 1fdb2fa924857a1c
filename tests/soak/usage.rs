//! Measures the resources of the process.

use std::fs;
use std::time::Duration;

/// A measurement while no request is under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) requests: u32,
    pub(crate) after: Duration,
    /// Allocated bytes.
    pub(crate) heap: usize,
    /// Resident bytes, if the system reports them.
    pub(crate) resident: Option<usize>,
    pub(crate) descriptors: Option<usize>,
    /// Tasks of the clients, which have closed their connections. Only tasks of logins are left.
    pub(crate) tasks: usize,
    /// The principals that the session remembers.
    pub(crate) principals: u64,
}

/// The number of open file descriptors, if the system reports it.
pub(crate) fn descriptors() -> Option<usize> {
    // Reading the directory opens one of them.
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
