//! What a layer adds to a request over a real connection: client and server share one thread, so that nothing but the
//! request itself is measured; then a thread each, where the waking of threads is most of it.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

mod clients;
#[path = "../kit/mod.rs"]
#[allow(dead_code)]
mod kit;
#[path = "../good_path/request.rs"]
#[allow(dead_code)]
mod request;
#[path = "../kit/retry.rs"]
mod retry;
#[path = "../kit/server.rs"]
mod server;

use clients::Stack;
use kit::{Case, instructions, table, time};

fn main() {
    let stacks = Stack::all();
    let mut cases: Vec<Case> = stacks.iter().map(Stack::case).collect();
    let instructions = instructions::count(&mut cases, 300);
    let times = time::interleaved(&mut cases.iter_mut().collect::<Vec<_>>());
    let allocations: Vec<f64> = cases
        .iter_mut()
        .map(|case| case.mean_allocations(200))
        .collect();
    let mut rows = Vec::new();
    for (at, stack) in stacks.iter().enumerate() {
        let bare = stacks
            .iter()
            .position(|bare| bare.name == stack.over)
            .unwrap_or(at);
        let counted = |at: usize| instructions.get(&cases[at].name).copied();
        let added = counted(at).zip(counted(bare)).map(|(own, bare)| own - bare);
        rows.push(vec![
            stack.name.to_owned(),
            added.map_or("-".into(), table::added),
            table::added(allocations[at] - allocations[bare]),
            table::duration(times[at]),
            format!("{:+.1} %", (times[at] / times[bare] - 1.0) * 100.0),
        ]);
    }
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
