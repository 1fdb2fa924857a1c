//! Time limits of tests: what the attribute [`macro@crate::test`] expands to.

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// The arguments of a test's attribute.
#[derive(Clone, Copy)]
pub struct Limits {
    seconds: u64,
    start_paused: bool,
    multi_thread: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            seconds: 60,
            start_paused: false,
            multi_thread: false,
        }
    }
}

impl Limits {
    pub fn seconds(mut self, seconds: u64) -> Self {
        self.seconds = seconds;
        self
    }

    pub fn start_paused(mut self, paused: bool) -> Self {
        self.start_paused = paused;
        self
    }

    pub fn flavor(mut self, flavor: &str) -> Self {
        self.multi_thread = match flavor {
            "multi_thread" => true,
            "current_thread" => false,
            unknown => panic!("no flavor {unknown}"),
        };
        self
    }

    fn runtime(self) -> Runtime {
        let mut builder = match self.multi_thread {
            true => Builder::new_multi_thread(),
            false => Builder::new_current_thread(),
        };
        if self.multi_thread {
            builder.worker_threads(2);
        } else {
            builder.start_paused(self.start_paused);
        }
        builder.enable_all().build().expect("a runtime")
    }
}

/// Runs `test` in its own thread; panics if it does not end in time. The thread of a test that
/// hangs runs on until the program ends.
pub fn run<T: Send + 'static>(
    limits: Limits,
    name: &str,
    test: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (end, ended) = channel::<()>();
    let limit = Duration::from_secs(limits.seconds);
    let running = thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            // Dropped at the end of the test, and when it panics.
            let _end = end;
            test()
        })
        .expect("a thread");
    if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
        panic!("the test {name} did not end within {} s", limits.seconds);
    }
    running.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// [`run`] for an `async fn`.
pub fn run_async<T: Send + 'static, F: Future<Output = T>>(
    limits: Limits,
    name: &str,
    test: impl FnOnce() -> F + Send + 'static,
) -> T {
    run(limits, name, move || limits.runtime().block_on(test()))
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn hanging_test_fails_with_its_name() {
        let hang = || run(Limits::default().seconds(0), "hang", thread::park);
        let panic = catch_unwind(hang).expect_err("the test hangs");
        let message = panic.downcast_ref::<String>().expect("a message");
        assert_eq!(message, "the test hang did not end within 0 s");
    }

    #[test]
    fn panic_of_a_test_is_passed_on() {
        let fail = || run_async(Limits::default(), "fail", async || panic!("for a reason"));
        let panic = catch_unwind(fail).expect_err("the test panics");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"for a reason"));
    }

    #[test]
    fn value_of_a_test_is_passed_on() {
        let paused = Limits::default().start_paused(true);
        let test = async || tokio::time::sleep(Duration::from_secs(3600)).await;
        run_async(paused, "sleep", test);
        let threads = Limits::default().flavor("multi_thread");
        assert_eq!(run_async(threads, "one", async || 1), 1);
    }
}
