use std::time::Duration;

/// How much of a response's body is read ahead, and for how long. For [`detect_in`](super::detect_in).
///
/// ```
/// use std::time::Duration;
///
/// use globus_gare::layer::InspectLimits;
///
/// let limits = InspectLimits::new().max_inspect(64 * 1024).inspect_timeout(Duration::from_secs(2));
/// # drop(limits);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct InspectLimits {
    pub(crate) max_inspect: usize,
    pub(crate) inspect_timeout: Duration,
}

impl InspectLimits {
    /// The defaults, which are those of [`GareLayer`](super::GareLayer): 256 KiB and 10 seconds.
    pub fn new() -> Self {
        Self {
            max_inspect: 256 * 1024,
            inspect_timeout: Duration::from_secs(10),
        }
    }

    /// How many bytes are read. Default: 256 KiB. Nothing is detected in a longer body.
    #[must_use]
    pub fn max_inspect(mut self, bytes: usize) -> Self {
        self.max_inspect = bytes;
        self
    }

    /// How long to wait for the end of the body. Default: 10 seconds. Nothing is detected in a body
    /// that takes longer.
    #[must_use]
    pub fn inspect_timeout(mut self, timeout: Duration) -> Self {
        self.inspect_timeout = timeout;
        self
    }
}

impl Default for InspectLimits {
    fn default() -> Self {
        Self::new()
    }
}
