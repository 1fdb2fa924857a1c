//! The costs that layers add to the same request.

use super::bar::{Bars, Limit::Ratio};
use super::cost::{Cost, Costs};
use super::request::Origin;
use super::{Case, CountAllocations, table, time};

/// A client with a layer, and the name of the client without the layer. The bare client names
/// itself.
pub struct Layer {
    pub name: &'static str,
    pub over: &'static str,
    pub case: Box<dyn Fn(Origin) -> Case>,
}

/// Layers with their costs.
pub struct Layers {
    layers: Vec<Layer>,
    cases: Vec<Case>,
    costs: Costs,
}

impl Layers {
    pub fn count(layers: Vec<Layer>, count: CountAllocations) -> Self {
        let case = |layer: &Layer, origin| {
            let mut case = (layer.case)(origin);
            case.name = name(layer.name, origin);
            case
        };
        let cases = layers
            .iter()
            .flat_map(|layer| Origin::ALL.map(|origin| case(layer, origin)));
        let mut cases: Vec<Case> = cases.collect();
        let costs = Costs::count(&mut cases, 50, count);
        Self {
            layers,
            cases,
            costs,
        }
    }

    /// The cost that the layer adds to the client below it.
    fn added(&self, layer: &str, origin: Origin) -> Cost {
        let found = self.layers.iter().find(|own| own.name == layer);
        let over = found.map_or(layer, |own| own.over);
        self.costs.of(&name(layer, origin)) - self.costs.of(&name(over, origin))
    }

    /// Adds bars: for each origin of the request, `ours` adds at most the allocations of `peer`,
    /// and at most `instructions` times its instructions.
    pub fn at_most(
        &self,
        bars: &mut Bars,
        work: &str,
        ours: &str,
        peer: &'static str,
        instructions: f64,
    ) {
        for origin in Origin::ALL {
            let work = format!("{work}, {}", origin.title());
            let (ours, peer) = (self.added(ours, origin), (peer, self.added(peer, origin)));
            bars.instructions(&work, ours, peer, instructions);
            bars.allocations(&work, ours, peer, Ratio(1.0));
        }
    }

    /// Prints the time of a request with each layer, and the range of the middle half of the
    /// samples.
    pub fn print_times(&mut self) {
        for (number, origin) in Origin::ALL.into_iter().enumerate() {
            let own = self.cases.iter_mut().skip(number);
            let own = own.step_by(Origin::ALL.len());
            let times = time::interleaved(&mut own.collect::<Vec<_>>());
            let rows: Vec<_> = self
                .layers
                .iter()
                .zip(times)
                .map(|(layer, time)| {
                    vec![
                        layer.name.to_owned(),
                        table::duration(time.median),
                        time.spread(),
                    ]
                })
                .collect();
            table::print(
                &format!("Time of a request, {}", origin.title()),
                &["client", "median", "half of the samples"],
                &rows,
            );
        }
    }
}

fn name(layer: &str, origin: Origin) -> String {
    format!("{layer}, {}", origin.title())
}
