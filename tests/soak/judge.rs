//! Whether all is well: for each request, and for the whole day.

use std::sync::atomic::Ordering::SeqCst;

use globus_gare::reauth::{GaveUp, ReauthError};
use http::StatusCode;

use crate::clients::{Answer, End, told};
use crate::day::{Day, IN_FLIGHT, REMEMBERED, ROUNDS};
use crate::errand::{Body, Errand, USERS, Way};
use crate::gate::{made_up_text, says};
use crate::ledger::Ledger;
use crate::logins::FAILS;
use crate::vitals::Vitals;
use checks::bench::table;

/// How requests end whose connection was reset for the sake of another.
const WITH_OTHERS: &str = "error: on an HTTP/2 connection that was reset";

/// How many connections to Globus Auth may be kept: those of the app and of the browser for each login that was under way
/// at the same time, and a few that were not yet free.
const LOGIN_CONNECTIONS: usize = 4 * USERS as usize;

/// What a login says that has to begin anew.
const OUTRUN: &str =
    "Globus Auth did not accept the code: it is wrong, was used before, or has expired";

/// The rounds that fill the pools and what is remembered.
const WARM_UP: usize = 4;
/// By how much the memory of the later rounds may be over that of the earlier ones: what the allocator and the pools
/// make of chance. A leak of 8 bytes for each of a million requests is more.
const HEAP_MARGIN: usize = 2 * 1024 * 1024;
const RESIDENT_MARGIN: usize = 8 * 1024 * 1024;
/// Requests after which the resident memory has settled. In a shorter run the allocator's arenas and the program's own pages
/// still come in by chance, 0 to 9 MiB in runs of 5,000 requests whose live heap was flat; there the live heap tells of a leak.
const SETTLED: u64 = 100_000;

/// What kind of end it was; an error where it should not have been.
pub(crate) fn verdict(errand: &Errand, end: &End, ledger: &Ledger) -> Result<&'static str, String> {
    let entry = ledger.read(errand.number);
    match end {
        End::Left => Ok("left by its caller"),
        End::Stalled => Err(format!("it does not end: {entry:?}")),
        End::Failed(_) if entry.lost => Ok("error: reset, itself or its answer"),
        End::Failed(error) => {
            let with_others = errand.way == Way::TowerHttp2 && ledger.shared_cuts.load(SeqCst) > 0;
            if with_others {
                Ok(WITH_OTHERS)
            } else {
                Err(format!("failed without a cause: {}", told(error)))
            }
        }
        End::Answered(answer) => {
            let replays = answer
                .outcome
                .as_ref()
                .map_or(0, |outcome| outcome.replays());
            if entry.sightings != 1 + replays {
                return Err(format!("{entry:?} after {replays} replays"));
            }
            answered(errand, answer, entry.carried_out, replays)
        }
    }
}

fn answered(
    errand: &Errand,
    answer: &Answer,
    carried_out: u32,
    replays: u32,
) -> Result<&'static str, String> {
    let text = || String::from_utf8_lossy(&answer.body).into_owned();
    if answer.is_made_up {
        return if answer.body == made_up_text(errand.number) && carried_out == 0 {
            Ok("answered with the 401, 502 or 503 that was made up")
        } else {
            Err(format!("another answer than was made up: {}", text()))
        };
    }
    let refusal = answer
        .outcome
        .as_ref()
        .and_then(|outcome| outcome.gave_up());
    let Some(refusal) = refusal else {
        let is_done = match errand.body {
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
        return Err(format!("done, and yet refused: {refusal}"));
    }
    match refusal {
        GaveUp::Failed(error) => failed(error),
        GaveUp::BackingOff { cause, .. } => match cause {
            Some(error) => failed(error).map(|_| "refused: a login failed a moment ago"),
            None => Ok("refused: a login did not help a moment ago"),
        },
        GaveUp::Budget { .. } => Ok("refused: too many logins helped nobody"),
        GaveUp::NoPrompt if errand.no_prompt => Ok("refused: nobody was to be asked"),
        GaveUp::MaxWait if errand.deadline.is_some() => Ok("refused: its deadline passed"),
        GaveUp::NotReplayable if errand.body == Body::LongStream => {
            Ok("refused: too long to be sent again")
        }
        GaveUp::NoProgress => Ok("refused: the login was too old already"),
        refusal => Err(format!("refused: {refusal}")),
    }
}

fn failed(error: &ReauthError) -> Result<&'static str, String> {
    match error.to_string().as_str() {
        _ if error.is_declined() => Ok("refused: the login was declined"),
        _ if error.is_timeout() => Ok("refused: the login hung"),
        FAILS => Ok("refused: the login failed"),
        "the reauthenticator panicked" => Ok("refused: the login panicked"),
        // The code or the page is none any more after ten hours.
        OUTRUN | "the login page did not work" => {
            Ok("refused: too late in the middle of the login")
        }
        _ => Err(format!("the login failed: {error:?}")),
    }
}

/// What is told in the end.
pub(crate) struct Report {
    /// Open before the day and after it.
    pub(crate) descriptors: (Option<usize>, Option<usize>),
    /// Bytes that were allocated before the day and after it.
    pub(crate) heap: (usize, usize),
    pub(crate) day: Day,
}

impl Report {
    pub(crate) fn print(&self) {
        let day = &self.day;
        let seconds = day.took.as_secs_f64();
        let requests: u64 = day.ledger.all().map(|entry| u64::from(entry.ends)).sum();
        let figure = |figure: u64| table::whole(figure as f64);
        let row = |name: &str, number: u64| vec![name.to_owned(), figure(number)];

        let mut rows = vec![
            row("requests", requests),
            row("arrived at the service", day.ledger.sightings.load(SeqCst)),
            row("requests a second", (requests as f64 / seconds) as u64),
            row("challenges", day.stats.challenges),
            row("logins begun", day.stats.logins),
            row("logins that came to nothing", day.stats.failed_logins),
            row("persons asked", day.prompts.into()),
            row("silent renewals", day.stats.look_ups),
            row("waited for another's login", day.stats.joins),
            row("replays", day.stats.replays),
            row(
                "HTTP/2 connections reset",
                day.ledger.shared_cuts.load(SeqCst),
            ),
        ];
        rows.push(vec!["took".to_owned(), format!("{seconds:.0} s")]);
        table::print("The day", &["", "figure"], &rows);

        let ends: Vec<_> = day
            .ends
            .iter()
            .map(|(end, number)| row(end, *number))
            .collect();
        table::print("How the requests ended", &["end", "requests"], &ends);

        let bytes = |bytes: usize| format!("{:.2} MiB", bytes as f64 / 1024.0 / 1024.0);
        let or_not = |figure: Option<String>| figure.unwrap_or_else(|| "-".to_owned());
        let vitals: Vec<_> = day
            .vitals
            .iter()
            .map(|vitals| {
                vec![
                    figure(vitals.requests.into()),
                    format!("{:.1} s", vitals.after.as_secs_f64()),
                    bytes(vitals.heap),
                    or_not(vitals.resident.map(bytes)),
                    or_not(vitals.descriptors.map(|number| number.to_string())),
                    vitals.tasks.to_string(),
                    vitals.identities.to_string(),
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
            "identities",
        ];
        table::print("Between the rounds", &head, &vitals);
        println!(
            "\nleft at the end: {:?} tasks of clients and servers; before and after: descriptors {:?}, live heap {} and {}",
            day.tasks,
            self.descriptors,
            bytes(self.heap.0),
            bytes(self.heap.1)
        );
    }

    /// All that should not be.
    pub(crate) fn faults(&self) -> Vec<String> {
        let day = &self.day;
        let mut faults: Vec<String> = day.odd.iter().take(20).cloned().collect();
        if day.odd.len() > faults.len() {
            faults.push(format!("and {} more", day.odd.len() - faults.len()));
        }
        let mut note = |is_fault: bool, text: String| {
            if is_fault {
                faults.push(text);
            }
        };
        for (number, entry) in day.ledger.all().enumerate() {
            let is_odd = entry.ends != 1 || entry.carried_out > 1 || entry.garbled;
            note(is_odd, format!("request {number}: {entry:?}"));
        }
        let (before, after) = self.descriptors;
        note(
            after > before,
            format!("descriptors: {before:?} before, {after:?} after"),
        );
        note(
            day.tasks != (0, 0),
            format!("tasks that do not end: {:?}", day.tasks),
        );
        let tasks = day.vitals.iter().map(|vitals| vitals.tasks).max();
        note(
            tasks > Some(LOGIN_CONNECTIONS),
            format!("{tasks:?} tasks were left after a round"),
        );
        let together = day.ends.get(WITH_OTHERS).copied().unwrap_or(0);
        let cuts = day.ledger.shared_cuts.load(SeqCst);
        note(
            together > cuts * u64::from(IN_FLIGHT),
            format!("{together} requests fell with {cuts} connections"),
        );
        note(
            !day.violations.is_empty(),
            format!("the server saw {:?}", day.violations),
        );
        let most = day
            .vitals
            .iter()
            .map(|vitals| vitals.identities)
            .max()
            .unwrap_or(0);
        let bound = (REMEMBERED + IN_FLIGHT as usize) as u64;
        note(most > bound, format!("{most} identities are remembered"));
        let resident = |vitals: &Vitals| vitals.resident.unwrap_or(0);
        let memory = [
            (
                "live heap",
                growth(&day.vitals, |vitals| vitals.heap),
                HEAP_MARGIN,
            ),
            (
                "resident memory",
                growth(&day.vitals, resident),
                RESIDENT_MARGIN,
            ),
        ];
        let requests: u64 = day.ledger.all().map(|entry| u64::from(entry.ends)).sum();
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

/// By how much the median of the last rounds is over that of the rounds before.
fn growth(vitals: &[Vitals], what: impl Fn(&Vitals) -> usize) -> usize {
    let median = |vitals: &[Vitals]| {
        let mut figures: Vec<usize> = vitals.iter().map(&what).collect();
        figures.sort_unstable();
        figures[figures.len() / 2]
    };
    let (earlier, later) = vitals[WARM_UP..].split_at((ROUNDS as usize - WARM_UP) / 2);
    median(later).saturating_sub(median(earlier))
}
