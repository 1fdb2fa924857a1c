//! Wall-clock time, as a median: on a busy machine the best that a clock can tell.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use super::Case;

const SAMPLES: usize = 41;
const SAMPLE: Duration = Duration::from_millis(2);

/// Nanoseconds of one run of each case: medians over samples of many runs. The cases take turns in an order that is drawn
/// anew each time, so that whatever else the machine does, and whatever the one before has left, is shared fairly.
pub fn interleaved(cases: &mut [&mut Case]) -> Vec<f64> {
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
    samples.into_iter().map(median).collect()
}

pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// How many runs it takes to be told apart from the clock itself.
fn enough(case: &mut Case) -> u32 {
    let mut runs = 1;
    while sample(case, runs) < SAMPLE && runs < 1 << 24 {
        runs *= 2;
    }
    runs
}

fn sample(case: &mut Case, runs: u32) -> Duration {
    // Not timed: it finds caches and heap as the others left them.
    case.run();
    let start = Instant::now();
    for _ in 0..runs {
        case.run();
    }
    start.elapsed()
}
