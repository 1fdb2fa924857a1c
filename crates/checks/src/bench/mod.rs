//! Measuring: instructions, allocations and time of the same cases, in the same run.
#![allow(clippy::unwrap_used)]

pub mod guard;
pub mod instructions;
pub mod peer;
pub mod request;
pub mod retry;
pub mod server;
pub mod table;
pub mod time;

/// Counts the allocations of a call. A bench passes it in, since whoever counts has to be the program's allocator.
pub type CountAllocations = fn(&mut dyn FnMut()) -> u64;

/// Something to be measured, under the name that the table gives it.
pub struct Case {
    pub name: String,
    run: Box<dyn FnMut()>,
}

impl Case {
    pub fn new<T>(name: impl Into<String>, mut run: impl FnMut() -> T + 'static) -> Self {
        let run = move || {
            std::hint::black_box(run());
        };
        Self {
            name: name.into(),
            run: Box::new(run),
        }
    }

    pub fn run(&mut self) {
        (self.run)();
    }

    /// Allocations of one run, once what is made only once has been made.
    pub fn allocations(&mut self, count: CountAllocations) -> u64 {
        self.run();
        count(&mut || self.run())
    }

    /// Allocations of one of `runs`, where they are not all alike.
    pub fn mean_allocations(&mut self, runs: u32, count: CountAllocations) -> f64 {
        self.run();
        let all = count(&mut || (0..runs).for_each(|_| self.run()));
        all as f64 / f64::from(runs)
    }
}
