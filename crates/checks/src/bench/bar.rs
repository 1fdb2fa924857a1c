//! Bars: the most that a piece of work may cost, beside the cost of a peer in the same run.
//!
//! Each bench prints its part of the table. With `--guard` it measures no times, and fails if a bar
//! is missed.

use std::process::exit;

use super::cost::Cost;
use super::table;

/// Makes a bench a guard: it only counts, and fails if a bar is missed.
const ARGUMENT: &str = "--guard";

/// The most that our figure may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    /// This many times the figure of the peer.
    Ratio(f64),
    /// This figure, independent of the peer.
    Count(f64),
}

use Limit::{Count, Ratio};

/// One row of the table.
#[derive(Clone, Debug)]
pub struct Bar {
    pub work: String,
    /// `None` if counting failed.
    pub ours: Option<f64>,
    /// The peer, and its figure.
    pub peer: Option<(&'static str, Option<f64>)>,
    /// `None`: the row is only printed.
    pub bar: Option<Limit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Held,
    Missed,
    NotCounted,
    Printed,
}

impl Bar {
    fn peer(&self) -> Option<f64> {
        self.peer.and_then(|(_, figure)| figure)
    }

    fn verdict(&self) -> Verdict {
        let Some(limit) = self.bar else {
            return Verdict::Printed;
        };
        let most = match limit {
            Ratio(ratio) => self.peer().map(|peer| ratio * peer),
            Count(count) => Some(count),
        };
        let Some((ours, most)) = self.ours.zip(most) else {
            return Verdict::NotCounted;
        };
        match ours <= most {
            true => Verdict::Held,
            false => Verdict::Missed,
        }
    }

    /// Whether the guard fails because of this bar.
    fn fails(&self) -> bool {
        matches!(self.verdict(), Verdict::Missed | Verdict::NotCounted)
    }

    fn row(&self) -> Vec<String> {
        let unknown = || "-".to_owned();
        let peer = self.peer.map(|(name, figure)| match figure {
            Some(figure) => format!("{}, {name}", table::whole(figure)),
            None => format!("-, {name}"),
        });
        let ratio = self.ours.zip(self.peer());
        let ratio = ratio.filter(|(_, peer)| *peer > 0.0);
        let bar = self.bar.map(|limit| match limit {
            Ratio(ratio) => format!("{ratio:.2}"),
            Count(count) => table::whole(count),
        });
        let verdict = match self.verdict() {
            Verdict::Held => "held",
            Verdict::Missed => "MISSED",
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
    ) {
        self.add(Bar {
            work: format!("{work}: instructions"),
            ours: ours.instructions,
            peer: Some((name, peer.instructions)),
            bar: Some(Ratio(ratio)),
        });
    }

    /// `ours` makes allocations up to `limit`.
    pub fn allocations(
        &mut self,
        work: &str,
        ours: Cost,
        (name, peer): (&'static str, Cost),
        limit: Limit,
    ) {
        self.add(Bar {
            work: format!("{work}: allocations"),
            ours: Some(ours.allocations),
            peer: Some((name, Some(peer.allocations))),
            bar: Some(limit),
        });
    }

    /// Both figures of `ours` are at most `ratio` times those of `peer`.
    pub fn both(&mut self, work: &str, ours: Cost, peer: (&'static str, Cost), ratio: f64) {
        self.instructions(work, ours, peer, ratio);
        self.allocations(work, ours, peer, Ratio(ratio));
    }

    /// Prints the bars. In a guard run, ends the program, with an error if a bar is missed.
    pub fn settle(self) {
        let rows: Vec<_> = self.bars.iter().map(Bar::row).collect();
        table::print(
            self.title,
            &["work", "ours", "peer", "ratio", "bar", ""],
            &rows,
        );
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

    fn bar(ours: Option<f64>, limit: Limit) -> Bar {
        Bar {
            work: "a request: instructions".into(),
            ours,
            peer: Some(("a peer", Some(100.0))),
            bar: Some(limit),
        }
    }

    #[crate::test]
    fn bar_fails_only_when_missed() {
        assert!(!bar(Some(250.0), Ratio(2.5)).fails());
        assert!(bar(Some(251.0), Ratio(2.5)).fails());
        assert!(!bar(Some(0.0), Count(0.0)).fails());
        assert!(bar(Some(1.0), Count(0.0)).fails());
    }

    #[crate::test]
    fn bar_without_a_count_fails() {
        assert!(bar(None, Ratio(1.0)).fails());
    }

    #[crate::test]
    fn row_without_a_bar_never_fails() {
        let printed = Bar {
            bar: None,
            ..bar(Some(251.0), Ratio(1.0))
        };
        assert!(!printed.fails());
        assert_eq!(printed.row()[3], "2.51");
    }
}
