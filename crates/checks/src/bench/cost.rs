//! Instructions and allocations of one run. Neither depends on the load of the machine.

use std::collections::BTreeMap;
use std::ops::{Div, Sub};

use super::{Case, CountAllocations, instructions};

/// The cost of one run of a case.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// `None` without valgrind.
    pub instructions: Option<f64>,
    pub allocations: f64,
}

/// The cost that a layer adds to the client below it.
impl Sub for Cost {
    type Output = Self;

    fn sub(self, bare: Self) -> Self {
        Self {
            instructions: self
                .instructions
                .zip(bare.instructions)
                .map(|(own, bare)| own - bare),
            allocations: self.allocations - bare.allocations,
        }
    }
}

/// One request's share of the cost of `count` requests.
impl Div<f64> for Cost {
    type Output = Self;

    fn div(self, count: f64) -> Self {
        Self {
            instructions: self.instructions.map(|all| all / count),
            allocations: self.allocations / count,
        }
    }
}

/// Costs by the names of the cases.
pub struct Costs(BTreeMap<String, Cost>);

impl Costs {
    /// The mean costs of `runs` runs. Under callgrind this does not return: see
    /// [`instructions::count`].
    pub fn count(cases: &mut [Case], runs: u32, count: CountAllocations) -> Self {
        let instructions = instructions::count(cases, runs);
        let cost = |case: &mut Case| Cost {
            instructions: instructions.get(&case.name).copied(),
            allocations: case.allocations(runs, count),
        };
        Self(
            cases
                .iter_mut()
                .map(|case| (case.name.clone(), cost(case)))
                .collect(),
        )
    }

    /// # Panics
    ///
    /// If no case has this name.
    pub fn of(&self, name: &str) -> Cost {
        *self.0.get(name).unwrap_or_else(|| panic!("no case {name}"))
    }
}
