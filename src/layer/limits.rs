use std::time::Duration;

/// How much of a response is read before it is passed on, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_inspect: usize,
    pub(crate) inspect_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_inspect: 256 * 1024,
            inspect_timeout: Duration::from_secs(10),
        }
    }
}
