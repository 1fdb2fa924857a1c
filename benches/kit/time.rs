//! Wall-clock time, as a median: on a busy machine the best that a clock can tell.

use std::time::{Duration, Instant};

use super::Case;

const SAMPLES: usize = 31;
const SAMPLE: Duration = Duration::from_millis(4);

/// Nanoseconds of one run: the median over samples of many runs.
pub fn nanoseconds(case: &mut Case) -> f64 {
    let mut runs = 1_u32;
    loop {
        let took = sample(case, runs);
        if took >= SAMPLE || runs >= 1 << 24 {
            break;
        }
        runs *= 2;
    }
    let mut samples: Vec<f64> = (0..SAMPLES)
        .map(|_| sample(case, runs).as_nanos() as f64 / f64::from(runs))
        .collect();
    samples.sort_by(f64::total_cmp);
    samples[SAMPLES / 2]
}

fn sample(case: &mut Case, runs: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..runs {
        case.run();
    }
    start.elapsed()
}
