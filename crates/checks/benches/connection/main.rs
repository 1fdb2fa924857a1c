//! The cost that a layer adds to a request over a connection on loopback. Client and server share a
//! thread, so that no time is spent on waking threads.
//!
//! Each bare client is measured twice: a difference smaller than between the two means nothing.

#![allow(missing_docs, unreachable_pub)]

mod clients;

use checks::bench::bar::{Bars, Limit::Ratio};
use checks::bench::cost::Costs;
use checks::bench::{Case, table, time};
use clients::{Client, HTTP_1, HTTP_2};

fn main() {
    let clients = clients::all();
    let mut cases: Vec<Case> = clients.iter().map(Client::case).collect();
    let costs = Costs::count(&mut cases, 300, |run| {
        allocation_counter::measure(run).count_total
    });
    bars(&costs).settle();
    print_times(&clients, &mut cases);
}

/// A bar on the instructions of a whole request: what a layer adds is less than the client's own
/// count varies, by how often it happens to poll the connection. `good_path` has the bars on what
/// is added.
fn bars(costs: &Costs) -> Bars {
    let mut bars = Bars::new("Bars: good path, over a connection");
    for (work, clients) in [("HTTP/1.1", HTTP_1), ("HTTP/2", HTTP_2)] {
        let whole = format!("{work}, whole request");
        let [bare, ours, retry] = [clients.bare, clients.ours, clients.retry].map(|c| costs.of(c));
        bars.instructions(&whole, ours, ("Retry", retry), 1.05);
        let added = ours - bare;
        bars.allocations(work, added, ("Retry", retry - bare), Ratio(1.0));
    }
    bars
}

fn print_times(clients: &[Client], cases: &mut [Case]) {
    let times = time::interleaved(&mut cases.iter_mut().collect::<Vec<_>>());
    let median = |name: &str| {
        let at = clients.iter().position(|client| client.name == name);
        at.map(|at| times[at].median)
    };
    let rows: Vec<_> = clients
        .iter()
        .zip(&times)
        .map(|(client, time)| {
            let bare = median(client.over).unwrap_or(time.median);
            vec![
                client.name.to_owned(),
                table::duration(time.median),
                format!("{:+.1} %", (time.median / bare - 1.0) * 100.0),
                time.spread(),
            ]
        })
        .collect();
    table::print(
        "Time of a request, over a connection",
        &["client", "median", "added", "half of the samples"],
        &rows,
    );
}
