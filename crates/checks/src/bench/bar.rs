//! The bars: how much a piece of work may cost, beside what a peer costs in the same run.
//!
//! Each bench prints its part of the table. With `--guard` it takes no times, and fails where a bar that is
//! [`Reached`](State::Reached) is missed.

use std::process::exit;

use super::cost::Cost;
use super::table;

/// Makes a bench the guard: counts alone, and a failure where a bar is missed.
const ARGUMENT: &str = "--guard";

/// Whether the guard holds a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The guard fails where the bar is missed.
    Reached,
    /// The bar is printed, and a later change is to reach it.
    Later,
}

/// The most that our figure may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// That many times the figure of the peer.
    Ratio(f64),
    /// That many, whatever the peer needs.
    Count(f64),
}

use Limit::{Count, Ratio};

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Bar {
    pub work: String,
    /// `None` if it could not be counted.
    pub ours: Option<f64>,
    /// The peer, and its figure.
    pub peer: Option<(&'static str, Option<f64>)>,
    /// Without a bar the row is printed alone.
    pub bar: Option<(Limit, State)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Held,
    Missed,
    HeldLater,
    MissedLater,
    NotCounted,
    Printed,
}

impl Bar {
    fn peer(&self) -> Option<f64> {
        self.peer.and_then(|(_, figure)| figure)
    }

    fn verdict(&self) -> Verdict {
        let Some((limit, state)) = self.bar else {
            return Verdict::Printed;
        };
        let most = match limit {
            Ratio(ratio) => self.peer().map(|peer| ratio * peer),
            Count(count) => Some(count),
        };
        let Some((ours, most)) = self.ours.zip(most) else {
            return Verdict::NotCounted;
        };
        match (ours <= most, state) {
            (true, State::Reached) => Verdict::Held,
            (true, State::Later) => Verdict::HeldLater,
            (false, State::Reached) => Verdict::Missed,
            (false, State::Later) => Verdict::MissedLater,
        }
    }

    /// Whether the guard fails because of this bar.
    fn fails(&self) -> bool {
        let is_guarded = self.bar.is_some_and(|(_, state)| state == State::Reached);
        is_guarded && matches!(self.verdict(), Verdict::Missed | Verdict::NotCounted)
    }

    fn row(&self) -> Vec<String> {
        let unknown = || "-".to_owned();
        let peer = self.peer.map(|(name, figure)| match figure {
            Some(figure) => format!("{}, {name}", table::whole(figure)),
            None => format!("-, {name}"),
        });
        let ratio = self.ours.zip(self.peer());
        let ratio = ratio.filter(|(_, peer)| *peer > 0.0);
        let bar = self.bar.map(|(limit, _)| match limit {
            Ratio(ratio) => format!("{ratio:.2}"),
            Count(count) => table::whole(count),
        });
        let verdict = match self.verdict() {
            Verdict::Held => "held",
            Verdict::Missed => "MISSED",
            Verdict::HeldLater => "held, not guarded",
            Verdict::MissedLater => "missed, not guarded",
            Verdict::NotCounted => "not counted",
            Verdict::Printed => "",
        };
        vec![
            self.work.clone(),
            self.ours.map_or_else(unknown, table::whole),
            peer.unwrap_or_else(unknown),
            ratio.map_or_else(unknown, |(ours, peer)| format!("{:.2}", ours / peer)),
            bar.unwrap_or_else(unknown),
            verdict.to_owned(),
        ]
    }
}

/// A part of the table of bars.
pub struct Bars {
    title: &'static str,
    bars: Vec<Bar>,
}

impl Bars {
    pub fn new(title: &'static str) -> Self {
        Self {
            title,
            bars: Vec::new(),
        }
    }

    pub fn add(&mut self, bar: Bar) {
        self.bars.push(bar);
    }

    /// `ours` takes at most `ratio` times the instructions of `peer`.
    pub fn instructions(
        &mut self,
        work: &str,
        ours: Cost,
        (name, peer): (&'static str, Cost),
        ratio: f64,
        state: State,
    ) {
        self.add(Bar {
            work: format!("{work}: instructions"),
            ours: ours.instructions,
            peer: Some((name, peer.instructions)),
            bar: Some((Ratio(ratio), state)),
        });
    }

    /// `ours` makes allocations up to `limit`.
    pub fn allocations(
        &mut self,
        work: &str,
        ours: Cost,
        (name, peer): (&'static str, Cost),
        limit: Limit,
        state: State,
    ) {
        self.add(Bar {
            work: format!("{work}: allocations"),
            ours: Some(ours.allocations),
            peer: Some((name, Some(peer.allocations))),
            bar: Some((limit, state)),
        });
    }

    /// Both figures of `ours` are at most `ratio` times those of `peer`.
    pub fn both(
        &mut self,
        work: &str,
        ours: Cost,
        peer: (&'static str, Cost),
        ratio: f64,
        state: State,
    ) {
        self.instructions(work, ours, peer, ratio, state);
        self.allocations(work, ours, peer, Ratio(ratio), state);
    }

    /// Prints the bars. In a guard run this ends the program, with an error if a guarded bar is missed.
    pub fn settle(self) {
        let rows: Vec<_> = self.bars.iter().map(Bar::row).collect();
        table::print(
            self.title,
            &["work", "ours", "peer", "ratio", "bar", ""],
            &rows,
        );
        let held_later = |bar: &&Bar| bar.verdict() == Verdict::HeldLater;
        for bar in self.bars.iter().filter(held_later) {
            eprintln!(
                "held: {}. Mark the bar as State::Reached, so that the guard holds it",
                bar.work
            );
        }
        if !std::env::args().any(|argument| argument == ARGUMENT) {
            return;
        }
        let failed: Vec<_> = self.bars.iter().filter(|bar| bar.fails()).collect();
        for bar in &failed {
            let why = match bar.verdict() {
                Verdict::NotCounted => "not counted (is valgrind installed?)",
                _ => "missed",
            };
            eprintln!("{why}: {}", bar.work);
        }
        exit(i32::from(!failed.is_empty()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(ours: Option<f64>, limit: Limit, state: State) -> Bar {
        Bar {
            work: "a request: instructions".into(),
            ours,
            peer: Some(("a peer", Some(100.0))),
            bar: Some((limit, state)),
        }
    }

    #[crate::test]
    fn reached_bar_fails_only_when_missed() {
        assert!(!bar(Some(250.0), Ratio(2.5), State::Reached).fails());
        assert!(bar(Some(251.0), Ratio(2.5), State::Reached).fails());
        assert!(!bar(Some(0.0), Count(0.0), State::Reached).fails());
        assert!(bar(Some(1.0), Count(0.0), State::Reached).fails());
    }

    #[crate::test]
    fn later_bar_never_fails_and_shows_when_it_is_held() {
        let missed = bar(Some(251.0), Ratio(2.5), State::Later);
        let held = bar(Some(250.0), Ratio(2.5), State::Later);
        assert_eq!(missed.verdict(), Verdict::MissedLater);
        assert_eq!(held.verdict(), Verdict::HeldLater);
        assert!(!missed.fails() && !held.fails());
    }

    #[crate::test]
    fn reached_bar_without_a_count_fails() {
        assert!(bar(None, Ratio(1.0), State::Reached).fails());
        assert!(!bar(None, Ratio(1.0), State::Later).fails());
    }

    #[crate::test]
    fn row_without_a_bar_never_fails() {
        let printed = Bar {
            bar: None,
            ..bar(Some(251.0), Ratio(1.0), State::Reached)
        };
        assert!(!printed.fails());
        assert_eq!(printed.row()[3], "2.51");
    }
}
