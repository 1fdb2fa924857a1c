//! Judges the end of each request and the whole run.

use std::sync::atomic::Ordering::SeqCst;

use globus_gare::reauth::{GaveUp, ReauthError};
use http::StatusCode;

use crate::clients::{Answer, End, with_causes};
use crate::ledger::Ledger;
use crate::logins::FAILS;
use crate::plan::{Adapter, Body, Plan, USERS};
use crate::proxy::{made_up_text, says};
use crate::run::{IN_FLIGHT, REMEMBERED, ROUNDS, Results};
use crate::usage::Usage;
use checks::bench::table;

/// The end of requests whose HTTP/2 connection was reset because of another request.
const WITH_OTHERS: &str = "error: on an HTTP/2 connection that was reset";

/// How many connections to Globus Auth may be open after a round: those of the app and of the
/// browser for each login that was under way at the same time, and a few that were not free yet.
const LOGIN_CONNECTIONS: usize = 4 * USERS as usize;

/// The error of a login during which the clock advanced.
const OUTRUN: &str =
    "Globus Auth did not accept the code: it is wrong, was used before, or has expired";

/// The rounds that fill the pools and the bounded tables.
const WARM_UP: usize = 4;
/// How much more memory the later rounds may need than the earlier ones, because of the allocator
/// and the pools. A leak of 8 bytes for each of a million requests is more.
const HEAP_MARGIN: usize = 2 * 1024 * 1024;
/// `globus-login` remembers the last 16,384 tokens that it gave out, and their owners. Each login
/// adds some, with less than this many bytes.
const REMEMBERED_OF_A_LOGIN: usize = 1024;
const REMEMBERED_LOGINS: u64 = 16_384;
const RESIDENT_MARGIN: usize = 8 * 1024 * 1024;
/// Requests after which the resident memory has settled. A shorter run of 5,000 requests grows by 0
/// to 9 MiB while its live heap is constant; there only the live heap is judged.
const SETTLED: u64 = 100_000;

/// The kind of end. An error if the request should have ended otherwise.
pub(crate) fn verdict(plan: &Plan, end: &End, ledger: &Ledger) -> Result<&'static str, String> {
    let entry = ledger.read(plan.number);
    match end {
        End::Dropped => Ok("dropped by its caller"),
        End::Stalled => Err(format!("the request does not end: {entry:?}")),
        End::Failed(_) if entry.lost => Ok("error: the request or its response was cut off"),
        End::Failed(error) => {
            let with_others = plan.adapter == Adapter::TowerHttp2 && ledger.resets.load(SeqCst) > 0;
            if with_others {
                Ok(WITH_OTHERS)
            } else {
                Err(format!(
                    "failed without a known cause: {}",
                    with_causes(error)
                ))
            }
        }
        End::Answered(answer) => {
            let replays = answer
                .outcome
                .as_ref()
                .map_or(0, |outcome| outcome.replays());
            if entry.arrivals != 1 + replays {
                return Err(format!("{entry:?} after {replays} replays"));
            }
            answered(plan, answer, entry.carried_out, replays)
        }
    }
}

fn answered(
    plan: &Plan,
    answer: &Answer,
    carried_out: u32,
    replays: u32,
) -> Result<&'static str, String> {
    let text = || String::from_utf8_lossy(&answer.body).into_owned();
    if answer.is_made_up {
        return if answer.body == made_up_text(plan.number) && carried_out == 0 {
            Ok("got the 401, 502 or 503 that the proxy made up")
        } else {
            Err(format!(
                "not the response that the proxy made up: {}",
                text()
            ))
        };
    }
    let reason = answer
        .outcome
        .as_ref()
        .and_then(|outcome| outcome.gave_up());
    let Some(reason) = reason else {
        let is_done = match plan.body {
            Body::None => answer.status == StatusCode::OK && says(&answer.body, "hello.txt"),
            _ => answer.status == StatusCode::ACCEPTED || says(&answer.body, "MkdirFailed.Exists"),
        };
        return match (is_done && carried_out == 1, replays) {
            (true, 0) => Ok("done"),
            (true, _) => Ok("done after a replay"),
            (false, _) => Err(format!(
                "{carried_out} times done: {} {}",
                answer.status,
                text()
            )),
        };
    };
    if carried_out > 0 {
        return Err(format!("carried out, and the layer gave up: {reason}"));
    }
    match reason {
        GaveUp::Failed(error) => failed(error),
        GaveUp::BackingOff { cause, .. } => match cause {
            Some(error) => failed(error).map(|_| "gave up: backing off after a failed login"),
            None => Ok("gave up: backing off after a login that did not help"),
        },
        GaveUp::Budget { .. } => Ok("gave up: the login budget is spent"),
        GaveUp::NoPrompt if plan.no_prompt => Ok("gave up: no_prompt"),
        GaveUp::MaxWait if plan.max_wait.is_some() => Ok("gave up: max_wait"),
        GaveUp::NotReplayable if plan.body == Body::LongStream => {
            Ok("gave up: the stream is too long to be kept")
        }
        GaveUp::NoProgress => Ok("gave up: the new session had already expired"),
        reason => Err(format!("gave up: {reason}")),
    }
}

fn failed(error: &ReauthError) -> Result<&'static str, String> {
    match error.to_string().as_str() {
        _ if error.is_declined() => Ok("gave up: the login was declined"),
        _ if error.is_timeout() => Ok("gave up: the login hung"),
        FAILS => Ok("gave up: the login failed"),
        "the reauthenticator panicked" => Ok("gave up: the login panicked"),
        // After ten hours the code or the page has expired.
        OUTRUN | "the login page did not work" => {
            Ok("gave up: the clock advanced during the login")
        }
        _ => Err(format!("the login failed: {error:?}")),
    }
}

/// The figures of a run.
pub(crate) struct Report {
    /// Open descriptors before and after the run.
    pub(crate) descriptors: (Option<usize>, Option<usize>),
    /// Allocated bytes before and after the run.
    pub(crate) heap: (usize, usize),
    pub(crate) results: Results,
}

impl Report {
    pub(crate) fn print(&self) {
        let results = &self.results;
        let seconds = results.took.as_secs_f64();
        let requests: u64 = results
            .ledger
            .all()
            .map(|entry| u64::from(entry.ends))
            .sum();
        let figure = |figure: u64| table::whole(figure as f64);
        let row = |name: &str, number: u64| vec![name.to_owned(), figure(number)];

        let mut rows = vec![
            row("requests", requests),
            row(
                "arrived at the service",
                results.ledger.arrivals.load(SeqCst),
            ),
            row("requests a second", (requests as f64 / seconds) as u64),
            row("challenges", results.stats.challenges),
            row("logins", results.stats.logins),
            row("failed logins", results.stats.failed_logins),
            row("prompts", results.prompts.into()),
            row("look-ups", results.stats.look_ups),
            row("joined logins", results.stats.joins),
            row("replays", results.stats.replays),
            row(
                "HTTP/2 connections reset",
                results.ledger.resets.load(SeqCst),
            ),
        ];
        rows.push(vec!["took".to_owned(), format!("{seconds:.0} s")]);
        table::print("The run", &["", "figure"], &rows);

        let ends: Vec<_> = results
            .ends
            .iter()
            .map(|(end, number)| row(end, *number))
            .collect();
        table::print("How the requests ended", &["end", "requests"], &ends);

        let bytes = |bytes: usize| format!("{:.2} MiB", bytes as f64 / 1024.0 / 1024.0);
        let or_not = |figure: Option<String>| figure.unwrap_or_else(|| "-".to_owned());
        let usage: Vec<_> = results
            .usage
            .iter()
            .map(|usage| {
                vec![
                    figure(usage.requests.into()),
                    format!("{:.1} s", usage.after.as_secs_f64()),
                    bytes(usage.heap),
                    or_not(usage.resident.map(bytes)),
                    or_not(usage.descriptors.map(|number| number.to_string())),
                    usage.tasks.to_string(),
                    usage.principals.to_string(),
                ]
            })
            .collect();
        let head = [
            "after requests",
            "after",
            "live heap",
            "resident",
            "descriptors",
            "tasks",
            "principals",
        ];
        table::print("Between the rounds", &head, &usage);
        println!(
            "\nleft at the end: {:?} tasks of clients and servers; before and after: descriptors {:?}, live heap {} and {}",
            results.tasks,
            self.descriptors,
            bytes(self.heap.0),
            bytes(self.heap.1)
        );
    }

    /// The differences from a run without faults of ours.
    pub(crate) fn faults(&self) -> Vec<String> {
        let results = &self.results;
        let mut faults: Vec<String> = results.odd.iter().take(20).cloned().collect();
        if results.odd.len() > faults.len() {
            faults.push(format!("and {} more", results.odd.len() - faults.len()));
        }
        let mut note = |is_fault: bool, text: String| {
            if is_fault {
                faults.push(text);
            }
        };
        for (number, entry) in results.ledger.all().enumerate() {
            let is_odd = entry.ends != 1 || entry.carried_out > 1 || entry.changed;
            note(is_odd, format!("request {number}: {entry:?}"));
        }
        let (before, after) = self.descriptors;
        note(
            after > before,
            format!("descriptors: {before:?} before, {after:?} after"),
        );
        note(
            results.tasks != (0, 0),
            format!("tasks that do not end: {:?}", results.tasks),
        );
        let tasks = results.usage.iter().map(|usage| usage.tasks).max();
        note(
            tasks > Some(LOGIN_CONNECTIONS),
            format!("{tasks:?} tasks were left after a round"),
        );
        let together = results.ends.get(WITH_OTHERS).copied().unwrap_or(0);
        let cuts = results.ledger.resets.load(SeqCst);
        note(
            together > cuts * u64::from(IN_FLIGHT),
            format!("{together} requests ended with {cuts} reset connections"),
        );
        note(
            !results.violations.is_empty(),
            format!("the server saw {:?}", results.violations),
        );
        let most = results
            .usage
            .iter()
            .map(|usage| usage.principals)
            .max()
            .unwrap_or(0);
        let bound = (REMEMBERED + IN_FLIGHT as usize) as u64;
        note(most > bound, format!("{most} principals are remembered"));
        let resident = |usage: &Usage| usage.resident.unwrap_or(0);
        // Between the medians are half of the logins.
        let logins = results.stats.logins.min(REMEMBERED_LOGINS) as usize / 2;
        let remembered = logins * REMEMBERED_OF_A_LOGIN;
        let memory = [
            (
                "live heap",
                growth(&results.usage, |usage| usage.heap),
                HEAP_MARGIN + remembered,
            ),
            (
                "resident memory",
                growth(&results.usage, resident),
                RESIDENT_MARGIN + remembered,
            ),
        ];
        let requests: u64 = results
            .ledger
            .all()
            .map(|entry| u64::from(entry.ends))
            .sum();
        for (what, growth, margin) in memory {
            let is_judged = what == "live heap" || requests >= SETTLED;
            note(
                is_judged && growth > margin,
                format!("the {what} grew by {growth} bytes"),
            );
        }
        faults
    }
}

/// The growth of the median from the earlier half of the rounds to the later half.
fn growth(usage: &[Usage], what: impl Fn(&Usage) -> usize) -> usize {
    let median = |usage: &[Usage]| {
        let mut figures: Vec<usize> = usage.iter().map(&what).collect();
        figures.sort_unstable();
        figures[figures.len() / 2]
    };
    let (earlier, later) = usage[WARM_UP..].split_at((ROUNDS as usize - WARM_UP) / 2);
    median(later).saturating_sub(median(earlier))
}
