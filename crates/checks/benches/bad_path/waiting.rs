//! Requests that wait for the same login.

use std::time::Duration;

use super::clients::{Client, LOGIN};
use super::measure::{Measured, measure};
use super::places::Server;
use checks::bench::bar::{Bar, Bars};
use checks::bench::cost::Costs;
use checks::bench::time::{Time, median};
use checks::bench::{Case, table};

const COUNTED: usize = 500;

/// With the server in the client's thread: valgrind would also count the instructions of
/// `FakeGlobus`.
pub fn cases() -> [Case; 3] {
    Client::ALL.map(|client| {
        let run = move || client.batch(&Server::InThread, COUNTED, Duration::ZERO)();
        Case::new(client.name(), run)
    })
}

/// Rows without a bar: most of the instructions are those of the connection.
pub fn bars(bars: &mut Bars, costs: &Costs) {
    let each = |client: Client| {
        costs
            .of(client.name())
            .instructions
            .map(|all| all / COUNTED as f64)
    };
    for peer in [Client::ByHand, Client::Bare] {
        bars.add(Bar {
            work: format!("one of {COUNTED} waiters, over HTTP/2: instructions"),
            ours: each(Client::Ours),
            peer: Some((peer.name(), each(peer))),
            bar: None,
        });
    }
}

pub fn print_times() {
    for server in [Server::InThread, Server::fake()] {
        let rows =
            [(1, 15), (100, 15), (10_000, 9)].map(|(count, rounds)| row(&server, count, rounds));
        table::print(
            &format!("Challenged together, one login of 50 ms: {}", server.name()),
            &[
                "requests",
                "globus-gare",
                "login + replays",
                "half of the rounds",
                "ratio",
                "by hand",
                "ratio",
                "CPU of a request",
                "by hand",
            ],
            &rows,
        );
    }
}

fn row(server: &Server, count: usize, rounds: usize) -> Vec<String> {
    let rounds: Vec<[Measured; 3]> = (0..rounds)
        .map(|_| Client::ALL.map(|client| measure(client.batch(server, count, LOGIN))))
        .collect();
    let of = |figure: &dyn Fn(&[Measured; 3]) -> f64| rounds.iter().map(figure).collect::<Vec<_>>();
    let [ours, by_hand, bare] = [0, 1, 2].map(|at| Time::of(of(&|round| round[at].wall)));
    let ratio = |to: usize| format!("{:.3}", median(of(&|round| round[0].wall / round[to].wall)));
    let cpu = |at: usize| table::duration(median(of(&|round| round[at].cpu)) / count as f64);
    vec![
        table::whole(count as f64),
        table::duration(ours.median),
        table::duration(bare.median),
        bare.spread(),
        ratio(2),
        table::duration(by_hand.median),
        ratio(1),
        cpu(0),
        cpu(1),
    ]
}
