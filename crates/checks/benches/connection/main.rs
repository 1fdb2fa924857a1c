//! What a layer adds to a request over a real connection: client and server share one thread, so that nothing but the
//! request itself is measured; then a thread each, where the waking of threads is most of it.
//!
//! Each client is there once more, as its own twin: by how much the two differ, nothing can be told apart from nothing.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod clients;

use checks::bench::{Case, instructions, table, time};
use clients::{Stack, server_apart};

fn main() {
    let stacks = Stack::all();
    in_one_thread(&stacks);
    between_threads(&stacks);
}

fn in_one_thread(stacks: &[Stack]) {
    let mut cases: Vec<Case> = stacks.iter().map(|stack| stack.case(None)).collect();
    let instructions = instructions::count(&mut cases, 300);
    let times = time::interleaved(&mut cases.iter_mut().collect::<Vec<_>>());
    let allocations: Vec<f64> = cases
        .iter_mut()
        .map(|case| case.mean_allocations(200, count))
        .collect();
    let counted = |at: usize| instructions.get(&cases[at].name).copied();
    let rows: Vec<_> = (0..stacks.len())
        .map(|at| {
            let bare = bare(stacks, at);
            let added = counted(at).zip(counted(bare)).map(|(own, bare)| own - bare);
            vec![
                stacks[at].name.to_owned(),
                added.map_or("-".into(), table::added),
                table::added(allocations[at] - allocations[bare]),
                table::duration(times[at]),
                percent(times[at] / times[bare]),
            ]
        })
        .collect();
    table::print(
        "Good path, over a connection",
        &[
            "client",
            "instructions added",
            "allocations added",
            "median in all",
            "time added",
        ],
        &rows,
    );
}

fn between_threads(stacks: &[Stack]) {
    let server = Some(server_apart());
    let mut cases: Vec<Case> = stacks.iter().map(|stack| stack.case(server)).collect();
    // Each round is a table of its own: threads come to lie one way or another on the cores for a while.
    let rounds: Vec<_> = (0..ROUNDS)
        .map(|_| time::interleaved(&mut cases.iter_mut().collect::<Vec<_>>()))
        .collect();
    let median = |of: &dyn Fn(&Vec<f64>) -> f64| time::median(rounds.iter().map(of).collect());
    let rows: Vec<_> = (0..stacks.len())
        .map(|at| {
            let bare = bare(stacks, at);
            let added = median(&|times| times[at] - times[bare]);
            let sign = if added < 0.0 { "-" } else { "+" };
            let mut ratios: Vec<f64> = rounds.iter().map(|times| times[at] / times[bare]).collect();
            ratios.sort_by(f64::total_cmp);
            vec![
                stacks[at].name.to_owned(),
                table::duration(median(&|times| times[at])),
                format!("{sign}{}", table::duration(added.abs())),
                percent(ratios[ROUNDS / 2]),
                format!(
                    "{} to {}",
                    percent(ratios[ROUNDS / 4]),
                    percent(ratios[ROUNDS - 1 - ROUNDS / 4])
                ),
            ]
        })
        .collect();
    table::print(
        "Good path, over a connection between two threads",
        &[
            "client",
            "median in all",
            "time added",
            "in per cent",
            "in half of the rounds",
        ],
        &rows,
    );
}

const ROUNDS: usize = 21;

/// The client that the one at `at` is built on.
fn bare(stacks: &[Stack], at: usize) -> usize {
    let bare = |stack: &Stack| stack.name == stacks[at].over;
    stacks.iter().position(bare).unwrap_or(at)
}

fn percent(ratio: f64) -> String {
    format!("{:+.1} %", (ratio - 1.0) * 100.0)
}

/// Allocations of a call.
fn count(run: &mut dyn FnMut()) -> u64 {
    allocation_counter::measure(run).count_total
}
