//! Writes a listing while it arrives.

use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::task::Poll;

use crate::failure::Failure;
use crate::options::Options;
use crate::output::{self, Output};
use crate::place::Place;
use crate::transfer::{Item, Transfer, Wanted};

/// Lists `place`. Parts that cannot be listed are told on stderr, and make it fail in the end.
pub(crate) async fn list(
    transfer: &Transfer,
    place: &Place,
    wanted: &Wanted,
    options: &Options,
) -> Result<(), Failure> {
    let mut output = output::open(options, &transfer.terminal);
    match write(transfer, place, wanted, &mut *output).await {
        // Whoever reads has seen enough, as `head` does.
        Err(Failure::NotWritten(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

async fn write(
    transfer: &Transfer,
    place: &Place,
    wanted: &Wanted,
    output: &mut dyn Output,
) -> Result<(), Failure> {
    let waiting = transfer.terminal.wait_for(&transfer.service);
    let mut walk = transfer.walk(place, wanted);
    let (mut entries, mut is_whole) = (0_u64, true);
    let end = loop {
        let mut next = pin!(walk.next());
        let item = match at_once(next.as_mut()).await {
            Some(item) => item,
            None => {
                waiting.count(entries);
                output.flush().map_err(Failure::NotWritten)?;
                next.await
            }
        };
        match item {
            Ok(Some(Item::Entry(entry))) => {
                entries += 1;
                output.entry(entry).map_err(Failure::NotWritten)?;
            }
            Ok(Some(Item::Failed(failure))) => {
                is_whole = false;
                transfer.terminal.beside(|| failure.tell());
                output.failed(&failure);
            }
            Ok(None) if is_whole => break Ok(()),
            Ok(None) => break Err(Failure::Reported),
            Err(failure) => {
                // What was begun is ended, and says that it is not whole.
                output.failed(&failure);
                break Err(failure);
            }
        }
    };
    drop(waiting);
    if end.is_err() && entries == 0 && is_whole {
        return end;
    }
    let ended: io::Result<()> = output.end(walk.into_document());
    ended.map_err(Failure::NotWritten)?;
    end
}

/// The output of a future that is ready.
async fn at_once<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|context| {
        Poll::Ready(match future.as_mut().poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}
