//! The time that a batch takes.

use std::time::{Duration, Instant};

use super::batch::Batch;

/// Nanoseconds.
pub struct Measured {
    pub wall: f64,
    /// CPU time of the client's thread; zero on systems that do not report it.
    pub cpu: f64,
}

pub fn measure(batch: Batch) -> Measured {
    let (start, cpu_before) = (Instant::now(), cpu());
    batch();
    Measured {
        wall: start.elapsed().as_nanos() as f64,
        cpu: (cpu() - cpu_before).as_nanos() as f64,
    }
}

/// The CPU time of this thread.
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
