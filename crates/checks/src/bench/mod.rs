//! Measures instructions, allocations and time of the same cases in the same run.

pub mod bar;
pub mod cost;
pub mod instructions;
pub mod layers;
pub mod request;
pub mod retry;
pub mod server;
pub mod table;
pub mod time;

/// Counts the allocations of a call. A bench provides this: only a program can replace the
/// allocator.
pub type CountAllocations = fn(&mut dyn FnMut()) -> u64;

/// Code to measure, with the name for its costs.
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

    /// The mean allocations of `runs` runs, after a first run that is not counted.
    pub fn allocations(&mut self, runs: u32, count: CountAllocations) -> f64 {
        self.run();
        let all = count(&mut || (0..runs).for_each(|_| self.run()));
        all as f64 / f64::from(runs)
    }
}
