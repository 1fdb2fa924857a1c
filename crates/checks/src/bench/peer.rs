//! What layers add to the same request without them.

use super::request::Origin;
use super::{Case, CountAllocations, guard, instructions, table, time};

/// A layer, and the name of the peer that it is added to.
pub struct Peer {
    pub name: &'static str,
    pub over: &'static str,
    pub case: Box<dyn Fn(Origin, String) -> Case>,
}

impl Peer {
    pub fn cases(&self) -> [Case; 2] {
        Origin::ALL.map(|origin| (self.case)(origin, format!("{} / {}", self.name, origin.title())))
    }
}

/// Prints what each peer adds to the one that it is built over.
pub fn report(bench: &str, peers: &[Peer], count: CountAllocations) {
    let mut cases: Vec<Case> = peers.iter().flat_map(Peer::cases).collect();
    let instructions = instructions::count(&mut cases, 50);
    let allocations: Vec<u64> = cases
        .iter_mut()
        .map(|case| case.allocations(count))
        .collect();
    // Each case, less the one that its peer is added to.
    let added = |case: usize| {
        let (at, origin) = (case / Origin::ALL.len(), case % Origin::ALL.len());
        let bare = peers.iter().position(|bare| bare.name == peers[at].over);
        let bare = bare.unwrap() * Origin::ALL.len() + origin;
        let counted = |case: usize| instructions.get(&cases[case].name);
        let instructions = counted(case).zip(counted(bare));
        let instructions = instructions.map(|(own, bare)| own - bare);
        (
            instructions,
            allocations[case] as i64 - allocations[bare] as i64,
        )
    };
    let added: Vec<_> = (0..cases.len()).map(added).collect();
    let counts = || {
        let all = cases.iter().zip(&added);
        let ours = all.filter(|(case, _)| case.name.starts_with("globus-gare"));
        ours.filter_map(|(case, (instructions, allocations))| {
            Some((case.name.clone(), ((*instructions)?, *allocations)))
        })
        .collect()
    };
    if guard::was_asked(bench, counts) {
        return;
    }
    for (number, origin) in Origin::ALL.into_iter().enumerate() {
        let of_this = |case: &usize| case % Origin::ALL.len() == number;
        let own = cases.iter_mut().enumerate();
        let own = own.filter_map(|(case, own)| of_this(&case).then_some(own));
        let times = time::interleaved(&mut own.collect::<Vec<_>>());
        let added = (0..added.len()).filter(of_this).map(|case| added[case]);
        let rows: Vec<_> = peers
            .iter()
            .zip(added)
            .zip(times)
            .map(|((peer, (instructions, allocations)), time)| {
                vec![
                    peer.name.to_owned(),
                    instructions.map_or("-".into(), table::added),
                    table::added(allocations as f64),
                    table::duration(time),
                ]
            })
            .collect();
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
