//! What a layer adds to a request that is let in, in process: over a service that answers at once.
//!
//! The request has eight headers and a body of 1 KiB, made in the same way for all. What is reported of each layer is what
//! it adds to the same request without it.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]

#[path = "../kit/mod.rs"]
#[allow(dead_code)]
mod kit;
mod peers;
mod probe;
mod request;
mod reqwest_peers;
#[path = "../kit/retry.rs"]
mod retry;

use kit::{Case, guard, instructions, table, time};
use peers::Peer;
use request::Origin;

fn main() {
    let peers = peers::all();
    let mut cases: Vec<Case> = peers.iter().flat_map(Peer::cases).collect();
    let instructions = instructions::count(&mut cases, 50);
    let counts = || {
        let ours = cases
            .iter_mut()
            .filter(|case| case.name.starts_with("globus-gare"));
        ours.filter_map(|case| {
            let allocations = case.allocations();
            Some((
                case.name.clone(),
                (*instructions.get(&case.name)?, allocations),
            ))
        })
        .collect()
    };
    if guard::was_asked(counts) {
        return;
    }
    for (number, origin) in Origin::ALL.into_iter().enumerate() {
        let mut rows = Vec::new();
        let mut own: Vec<&mut Case> = cases
            .iter_mut()
            .skip(number)
            .step_by(Origin::ALL.len())
            .collect();
        let times = time::interleaved(&mut own);
        let allocations: Vec<u64> = own.iter_mut().map(|case| case.allocations()).collect();
        for (at, peer) in peers.iter().enumerate() {
            let bare = peers
                .iter()
                .position(|bare| bare.name == peer.over)
                .unwrap_or(at);
            let counted = |at: usize| instructions.get(&own[at].name).copied();
            let added = counted(at).zip(counted(bare)).map(|(own, bare)| own - bare);
            rows.push(vec![
                peer.name.to_owned(),
                added.map_or("-".into(), table::added),
                table::added(allocations[at] as f64 - allocations[bare] as f64),
                table::duration(times[at]),
            ]);
        }
        table::print(
            &format!("Good path, in process, {}", origin.title()),
            &[
                "layer",
                "instructions added",
                "allocations added",
                "median in all",
            ],
            &rows,
        );
    }
}
