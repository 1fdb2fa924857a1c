//! Lists a directory of a Globus collection, and logs in when the collection requires a login.
//!
//! ```text
//! globus-ls                     # a demonstration on a fake Globus
//! globus-ls COLLECTION [PATH]   # the real Globus
//! globus-ls --help
//! ```

#![deny(clippy::indexing_slicing)]

mod account;
mod client;
mod completion;
mod demo;
mod entry;
mod failure;
mod help;
mod history;
mod list;
mod options;
mod output;
mod place;
mod readiness;
mod terminal;
mod transfer;
mod waiting;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::failure::Failure;
use crate::options::{Command, Options};
use crate::place::Place;
use crate::transfer::Query;

fn main() -> ExitCode {
    let options = Options::parse();
    options.color.write_global();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return Failure::error(format!("cannot start: {error}")).report(),
    };
    // In a task: a write to a pipe that nobody reads blocks it, but not the wait for Ctrl-C.
    let run = runtime.spawn(async move { run(&options).await });
    let done = runtime.block_on(async {
        tokio::select! {
            done = run => done.unwrap_or_else(|error| Err(Failure::error(error.to_string()))),
            _ = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
        }
    });
    // A prompt that still runs gets the time to restore the terminal.
    runtime.shutdown_timeout(Duration::from_millis(500));
    terminal::discard_typed();
    done.map_or_else(|failure| failure.report(), |()| ExitCode::SUCCESS)
}

async fn run(options: &Options) -> Result<(), Failure> {
    let login = &options.login;
    match (&options.command, &options.collection) {
        (Some(Command::Login { watch: true, .. }), _) => waiting::watch(login).await,
        (
            Some(Command::Login {
                force, collection, ..
            }),
            _,
        ) => account::log_in(login, *force, collection.as_deref()).await,
        (
            Some(Command::Check {
                collection,
                good_for,
            }),
            _,
        ) => readiness::check(login, collection, *good_for).await,
        (Some(Command::Logout), _) => account::log_out(login).await,
        (Some(Command::Whoami), _) => account::who_am_i(login).await,
        (Some(Command::Session), _) => account::session(login).await,
        (Some(Command::Help { topic }), _) => account::help(*topic),
        (Some(Command::Completion { shell }), _) => completion::write(*shell),
        (Some(Command::Collections), _) => completion::write_collections(),
        (None, Some(collection)) => list(options, collection).await,
        (None, None) => demo::run(options).await,
    }
}

/// Lists a directory of a real collection.
async fn list(options: &Options, collection: &str) -> Result<(), Failure> {
    let place = Place::parse(collection, options.path.as_deref())?;
    let query = Query::new(&options.listing, &place)?;
    let transfer = client::connect(options).await?;
    list::list(&transfer, &place, &query, options).await?;
    history::add(place.collection);
    Ok(())
}
