//! Schedules of timers.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::written;

/// The schedule of a timer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Schedule {
    pub(super) start: SystemTime,
    /// In seconds. `None` for a timer that runs once.
    pub(super) interval: Option<u64>,
    pub(super) runs: Option<u64>,
    pub(super) until: Option<SystemTime>,
}

/// A schedule in a request.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum ScheduleRequest {
    Once {
        #[serde(default)]
        datetime: Option<String>,
    },
    Recurring {
        #[serde(default)]
        start: Option<String>,
        interval_seconds: u64,
        #[serde(default)]
        end: Option<End>,
    },
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct End {
    #[serde(default)]
    count: Option<u64>,
    /// The name of `count` in older programs.
    #[serde(default)]
    iterations: Option<u64>,
    #[serde(default)]
    datetime: Option<String>,
}

/// Parses a time of a request.
pub(super) fn time(text: &str) -> Result<SystemTime, String> {
    let time = text.parse::<Timestamp>();
    let time = time.and_then(SystemTime::try_from);
    time.map_err(|error| format!("\"{text}\" is not a time: {error}"))
}

impl Schedule {
    pub(super) fn of(asked: &ScheduleRequest, now: SystemTime) -> Result<Self, String> {
        let optional = |text: &Option<String>| text.as_deref().map(time).transpose();
        match asked {
            ScheduleRequest::Once { datetime } => Ok(Self {
                start: optional(datetime)?.unwrap_or(now),
                interval: None,
                runs: Some(1),
                until: None,
            }),
            ScheduleRequest::Recurring {
                interval_seconds: 0,
                ..
            } => Err("interval_seconds must be greater than 0".to_owned()),
            ScheduleRequest::Recurring {
                start,
                interval_seconds,
                end,
            } => Ok(Self {
                start: optional(start)?.unwrap_or(now),
                interval: Some(*interval_seconds),
                runs: end.as_ref().and_then(|end| end.count.or(end.iterations)),
                until: match end {
                    Some(end) => optional(&end.datetime)?,
                    None => None,
                },
            }),
        }
    }

    /// The time of the next run after `done` runs. `None` if there is no further run.
    pub(super) fn next(&self, done: u64) -> Option<SystemTime> {
        if self.runs.is_some_and(|runs| done >= runs) {
            return None;
        }
        let after = match (self.interval, done) {
            (_, 0) => Duration::ZERO,
            (Some(interval), done) => Duration::from_secs(interval.checked_mul(done)?),
            (None, _) => return None,
        };
        let next = self.start.checked_add(after)?;
        self.until.is_none_or(|until| next <= until).then_some(next)
    }

    pub(super) fn document(&self) -> Value {
        let Some(interval) = self.interval else {
            return json!({"type": "once", "datetime": written(self.start)});
        };
        let end = match (self.runs, self.until) {
            (Some(count), _) => json!({"count": count}),
            (None, Some(until)) => json!({"datetime": written(until)}),
            (None, None) => Value::Null,
        };
        json!({
            "type": "recurring",
            "start": written(self.start),
            "interval_seconds": interval,
            "end": end,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn schedule(asked: Value) -> Schedule {
        let asked = serde_json::from_value(asked).expect("a schedule");
        Schedule::of(&asked, UNIX_EPOCH).expect("times")
    }

    #[checks::test]
    fn schedule_ends_after_its_runs() {
        let at = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
        let once = schedule(json!({"type": "once"}));
        assert_eq!((once.next(0), once.next(1)), (at(0), None));
        let twice = schedule(json!({
            "type": "recurring", "interval_seconds": 60, "end": {"count": 2},
        }));
        assert_eq!((twice.next(1), twice.next(2)), (at(60), None));
        let until = schedule(json!({
            "type": "recurring", "interval_seconds": 60,
            "end": {"datetime": "1970-01-01T00:01:30+00:00"},
        }));
        assert_eq!((until.next(1), until.next(2)), (at(60), None));
    }
}
