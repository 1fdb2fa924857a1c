//! Writes entries to stdout while they arrive.

use std::future::ready;
use std::io::{self, ErrorKind};
use std::pin::pin;

use crate::failure::Failure;
use crate::options::Options;
use crate::output::{self, Output};
use crate::place::Place;
use crate::transfer::{Item, Query, Transfer};

/// Lists `place`. A part that cannot be listed is reported on stderr; the listing continues, and
/// returns an error at its end.
pub(crate) async fn list(
    transfer: &Transfer,
    place: &Place,
    query: &Query,
    options: &Options,
) -> Result<(), Failure> {
    let mut output = output::open(options, &transfer.terminal);
    match write(transfer, place, query, &mut *output).await {
        // The reader has closed the pipe, as `head` does. This is no error.
        Err(Failure::NotWritten(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

async fn write(
    transfer: &Transfer,
    place: &Place,
    query: &Query,
    output: &mut dyn Output,
) -> Result<(), Failure> {
    let waiting = transfer.terminal.wait_for(&transfer.service);
    let mut walk = transfer.walk(place, query);
    let (mut entries, mut is_whole) = (0_u64, true);
    let end = loop {
        let mut next = pin!(walk.next());
        let item = tokio::select! {
            biased;
            item = &mut next => item,
            // The next entry has not arrived yet.
            () = ready(()) => {
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
                transfer.terminal.without_spinner(|| failure.print());
                output.failed(&failure);
            }
            Ok(None) if is_whole => break Ok(()),
            Ok(None) => break Err(Failure::Reported),
            Err(failure) => {
                // The output that has begun gets its end, with the failure in it.
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
