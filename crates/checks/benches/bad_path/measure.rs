//! What a batch takes.

use std::time::{Duration, Instant};

use super::batch::Batch;

pub struct Measured {
    pub wall: Duration,
    /// Of the client's thread, where that can be told.
    pub cpu: Duration,
    /// The most memory that it took at once, in bytes.
    pub peak: u64,
    pub allocations: u64,
}

pub fn measure(batch: Batch) -> Measured {
    let (start, cpu_before) = (Instant::now(), cpu());
    let memory = allocation_counter::measure(batch);
    Measured {
        wall: start.elapsed(),
        cpu: cpu() - cpu_before,
        peak: memory.bytes_max,
        allocations: memory.count_total,
    }
}

/// The time that this thread has run for.
#[cfg(unix)]
fn cpu() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, rest) = (time.tv_sec.try_into(), time.tv_nsec.try_into());
    Duration::new(seconds.unwrap_or(0), rest.unwrap_or(0))
}

#[cfg(not(unix))]
fn cpu() -> Duration {
    Duration::ZERO
}
