//! Reads a line from the terminal, cancellable.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

/// Reads the next line; `None` at the end of the input. If the future is dropped before there is a
/// line, a later reader gets the line. On Windows that line is lost.
///
/// The line is read on a thread of its own, which does not keep the program from exiting.
pub(super) async fn line() -> io::Result<Option<String>> {
    let (sender, line) = oneshot::channel();
    let wanted = Wanted::default();
    let still = Arc::clone(&wanted.0);
    std::thread::spawn(move || {
        if let Some(line) = read(&still) {
            // The receiver may be gone.
            let _ = sender.send(line);
        }
    });
    line.await.unwrap_or(Ok(None))
}

/// Sets the flag on drop: nobody wants the line any longer.
#[derive(Default)]
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

fn read(is_over: &AtomicBool) -> Option<io::Result<Option<String>>> {
    while !is_ready() {
        if is_over.load(Ordering::Acquire) {
            return None;
        }
    }
    if is_over.load(Ordering::Acquire) {
        return None;
    }
    let mut line = String::new();
    let length = io::stdin().read_line(&mut line);
    Some(length.map(|length| (length > 0).then_some(line)))
}

/// Waits 50 ms for a line. A terminal delivers whole lines.
#[cfg(unix)]
fn is_ready() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    const MOMENT: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 50_000_000,
    };
    let stdin = io::stdin();
    let mut stdin = [PollFd::new(&stdin, PollFlags::IN)];
    // The read finds an error, or the end of the input.
    !matches!(
        poll(&mut stdin, Some(&MOMENT)),
        Ok(0) | Err(rustix::io::Errno::INTR)
    )
}

#[cfg(not(unix))]
fn is_ready() -> bool {
    true
}
