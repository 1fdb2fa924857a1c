//! Something that turns while a person logs in.

use std::fmt;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tokio::time::Instant;

/// Turns on stderr, where that is a terminal, until it is dropped. It changes
/// nothing about the terminal that an end by Ctrl-C would leave behind.
pub(super) struct Countdown(ProgressBar);

impl Countdown {
    pub(super) fn start(message: &'static str, deadline: Instant) -> Self {
        let spinner = ProgressBar::new_spinner();
        spinner.set_draw_target(ProgressDrawTarget::stderr());
        let left = move |_: &ProgressState, w: &mut dyn fmt::Write| {
            let left = deadline.saturating_duration_since(Instant::now());
            let _ = w.write_str(&clock(left));
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({left} left) ") {
            spinner.set_style(style.with_key("left", left));
        }
        spinner.set_message(message);
        spinner.enable_steady_tick(Duration::from_millis(120));
        Self(spinner)
    }
}

impl Drop for Countdown {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Minutes and seconds, `9:58`.
fn clock(left: Duration) -> String {
    let left = left.as_secs();
    format!("{}:{:02}", left / 60, left % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn time_left_is_shown_as_minutes_and_seconds() {
        for (seconds, shown) in [(0, "0:00"), (59, "0:59"), (598, "9:58"), (3600, "60:00")] {
            assert_eq!(clock(Duration::from_secs(seconds)), shown);
        }
    }
}
