//! Requests that wait for one login.

use std::collections::BTreeMap;
use std::time::Duration;

use super::clients::{Client, LOGIN};
use super::measure::{Measured, measure};
use super::places::Server;
use checks::bench::{Case, instructions, table, time};

const FEW: usize = 500;
const MANY: usize = 10_000;

/// So long that all requests wait at once, whatever else the machine does.
const LONG_LOGIN: Duration = Duration::from_secs(4);

/// Instructions of a request with each client.
type Instructions = BTreeMap<String, f64>;

pub fn report() {
    let instructions = count();
    for server in [Server::InThread, Server::fake()] {
        wall(&server);
        each(&server, &instructions);
    }
}

/// In the client's own thread, for those of another would be counted too.
fn count() -> Instructions {
    let mut cases = Client::ALL.map(|client| {
        let run = move || client.batch(&Server::InThread, FEW, Duration::ZERO)();
        Case::new(client.name(), run)
    });
    let batches = instructions::count(&mut cases, 3);
    batches
        .into_iter()
        .map(|(name, batch)| (name, batch / FEW as f64))
        .collect()
}

/// One batch with each client, the clients taking turns.
fn round(server: &Server, count: usize) -> [Measured; 3] {
    Client::ALL.map(|client| measure(client.batch(server, count, LOGIN)))
}

fn wall(server: &Server) {
    let rows = [1, 100, MANY].map(|count| {
        let rounds = if count == MANY { 9 } else { 15 };
        let rounds: Vec<_> = (0..rounds).map(|_| round(server, count)).collect();
        let wall = |at: usize| {
            let walls = rounds.iter().map(|round| nanoseconds(round[at].wall));
            table::duration(time::median(walls.collect()))
        };
        let ratio = |to: usize| {
            let ratios = rounds
                .iter()
                .map(|round| nanoseconds(round[0].wall) / nanoseconds(round[to].wall));
            format!("{:.3}", time::median(ratios.collect()))
        };
        vec![
            table::whole(count as f64),
            wall(0),
            wall(1),
            ratio(1),
            wall(2),
            ratio(2),
        ]
    });
    table::print(
        &format!("Refused together, one login of 50 ms: {}", server.name()),
        &[
            "requests",
            "globus-gare",
            "by hand",
            "ratio",
            "without looking",
            "ratio",
        ],
        &rows,
    );
}

/// What a request costs, however many there are.
fn each(server: &Server, instructions: &Instructions) {
    let few: Vec<_> = (0..9).map(|_| round(server, FEW)).collect();
    let many: Vec<_> = (0..7).map(|_| round(server, MANY)).collect();
    let waiting = Client::ALL.map(|client| measure(client.batch(server, MANY, LONG_LOGIN)));
    let cpu = |rounds: &[[Measured; 3]], at: usize, count: usize| {
        let cpu = rounds.iter().map(|round| nanoseconds(round[at].cpu));
        table::duration(time::median(cpu.collect()) / count as f64)
    };
    let rows: Vec<_> = Client::ALL
        .iter()
        .enumerate()
        .map(|(at, client)| {
            let instructions = match server {
                Server::InThread => instructions.get(client.name()).copied(),
                Server::Fake(_) => None,
            };
            let each = |figure: u64| figure as f64 / MANY as f64;
            vec![
                client.name().to_owned(),
                instructions.map_or("-".into(), table::whole),
                format!("{:.1}", each(waiting[at].allocations)),
                cpu(&few, at, FEW),
                cpu(&many, at, MANY),
                format!("{} bytes", table::whole(each(waiting[at].peak))),
            ]
        })
        .collect();
    table::print(
        &format!("Each request, refused and sent again: {}", server.name()),
        &[
            "client",
            "instructions",
            "allocations",
            "CPU, of 500",
            "CPU, of 10,000",
            "memory, all waiting",
        ],
        &rows,
    );
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_nanos() as f64
}
