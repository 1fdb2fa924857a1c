//! A line from the terminal, which nobody need wait for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::oneshot;

/// The next line; `None` at the end. Dropped before there is one, it leaves what is
/// typed to whoever reads next.
///
/// It is read on a thread of its own, which would not keep a program from ending.
pub(super) async fn line() -> io::Result<Option<String>> {
    let (sender, line) = oneshot::channel();
    let wanted = Wanted::default();
    let still = Arc::clone(&wanted.0);
    std::thread::spawn(move || {
        if let Some(line) = read(&still) {
            // Nobody waits any more.
            let _ = sender.send(line);
        }
    });
    line.await.unwrap_or(Ok(None))
}

/// Until this is dropped, somebody wants a line. Ours tells `true` once it is.
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

/// Waits a moment for a line. A terminal hands out whole ones.
#[cfg(unix)]
fn is_ready() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    const MOMENT: Timespec = Timespec {
        tv_sec: 0,
        tv_nsec: 50_000_000,
    };
    let stdin = io::stdin();
    let mut stdin = [PollFd::new(&stdin, PollFlags::IN)];
    // An error, or the end, is for the reading to find.
    !matches!(
        poll(&mut stdin, Some(&MOMENT)),
        Ok(0) | Err(rustix::io::Errno::INTR)
    )
}

#[cfg(not(unix))]
fn is_ready() -> bool {
    true
}
