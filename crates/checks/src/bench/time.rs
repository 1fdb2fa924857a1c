//! Wall-clock time, as a median with its spread.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use super::{Case, table};

const SAMPLES: usize = 41;
const SAMPLE: Duration = Duration::from_millis(2);

/// Nanoseconds of one run.
#[derive(Clone, Copy)]
pub struct Time {
    low: f64,
    pub median: f64,
    high: f64,
}

impl Time {
    pub fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let quarter = samples.len() / 4;
        Self {
            low: samples[quarter],
            median: samples[samples.len() / 2],
            high: samples[samples.len() - 1 - quarter],
        }
    }

    /// The range of the middle half of the samples.
    pub fn spread(self) -> String {
        let (low, high) = (table::duration(self.low), table::duration(self.high));
        format!("{low} to {high}")
    }
}

/// The times of one run of each case, from samples of many runs. The cases take turns in a random
/// order, so that the load of the machine and the effects of the case before are shared fairly.
pub fn interleaved(cases: &mut [&mut Case]) -> Vec<Time> {
    let runs: Vec<u32> = cases.iter_mut().map(|case| enough(case)).collect();
    let mut samples = vec![Vec::new(); cases.len()];
    let mut order: Vec<usize> = (0..cases.len()).collect();
    for _ in 0..SAMPLES {
        order.sort_by_cached_key(|_| RandomState::new().hash_one(()));
        for &at in &order {
            let taken = sample(cases[at], runs[at]);
            samples[at].push(taken.as_nanos() as f64 / f64::from(runs[at]));
        }
    }
    samples.into_iter().map(Time::of).collect()
}

pub fn median(samples: Vec<f64>) -> f64 {
    Time::of(samples).median
}

/// The number of runs that makes a sample long enough for the clock.
fn enough(case: &mut Case) -> u32 {
    let mut runs = 1;
    while sample(case, runs) < SAMPLE && runs < 1 << 24 {
        runs *= 2;
    }
    runs
}

fn sample(case: &mut Case, runs: u32) -> Duration {
    // Not timed, since the other cases have changed the caches and the heap.
    case.run();
    let start = Instant::now();
    for _ in 0..runs {
        case.run();
    }
    start.elapsed()
}
