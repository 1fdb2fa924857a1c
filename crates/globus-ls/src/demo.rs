//! The demonstration: lists a collection of a fake Globus whose sessions last a minute.

use std::fs;
use std::io;
use std::time::Duration;

use fake_globus::{Browser, Collection, FakeGlobus, Person};
use globus_gare::reauth::{ReauthError, Trust};
use globus_login::{GlobusApp, LoginReply, LoginRequest, prompt_fn};
use tempfile::TempDir;
use url::Url;

use crate::client::client;
use crate::failure::{Failure, Remedy};
use crate::list::list;
use crate::options::Options;
use crate::place::Place;
use crate::terminal::Terminal;
use crate::transfer::{Query, Transfer};

pub(crate) async fn run(options: &Options) -> Result<(), Failure> {
    let terminal = Terminal::default();
    let files = sample_files()
        .map_err(|error| Failure::error(format!("cannot write the sample files: {error}")))?;
    let collection = Collection::new("Sample data", files.path()).session_minutes(1);
    let place = Place::default_of(collection.id());
    let query = Query::new(&options.listing, &place)?;
    let globus = FakeGlobus::builder()
        .collection(collection)
        .person(Person::automatic())
        .start()
        .await;
    let globus =
        globus.map_err(|error| Failure::error(format!("cannot start the fake Globus: {error}")))?;
    let service =
        Url::parse(globus.transfer_url()).map_err(|error| Failure::error(error.to_string()))?;
    terminal.say(&format!("A fake Globus runs at {service}"));
    terminal.say("Its collection requires a login within the last minute.");

    let person = terminal.clone();
    let app = GlobusApp::user(globus.client_id().to_string())
        .auth_url(globus.auth_url())
        .resource_server_for(globus.transfer_url(), "transfer.api.globus.org")
        .prompt(prompt_fn(move |request| log_in(person.clone(), request)))
        .build()
        .map_err(|error| Failure::setup(&error))?;
    app.login().await.map_err(|error| Failure::login(&error))?;
    let trust = Trust::none()
        .origin(&service)
        .map_err(|error| Failure::error(error.to_string()))?;
    let transfer = Transfer {
        client: client(app, trust, options, &service)?,
        service,
        token: None,
        timeout: options.timeout(),
        remedy: options.login.no_login.then_some(Remedy::AllowLogin),
        terminal: terminal.clone(),
    };

    terminal.say("\nThe first listing:");
    list(&transfer, &place, &query, options).await?;

    globus.clock().advance(Duration::from_secs(120));
    if options.decline {
        globus.set_person(Person::automatic().declines());
    }
    terminal.say("\nTwo minutes pass. The same listing again:");
    list(&transfer, &place, &query, options).await
}

fn sample_files() -> io::Result<TempDir> {
    let directory = tempfile::tempdir()?;
    let at = |name: &str| directory.path().join(name);
    fs::write(at("README.txt"), "Files of a listing.\n")?;
    fs::write(
        at("measurements.csv"),
        "minute,celsius\n".to_owned() + &"12,21.5\n".repeat(600),
    )?;
    fs::create_dir(at("figures"))?;
    fs::write(at("figures/sketch.svg"), "<svg/>\n")?;
    Ok(directory)
}

/// Plays the person and their browser: opens the login page, and replies with its redirect.
async fn log_in(terminal: Terminal, request: LoginRequest) -> Result<LoginReply, ReauthError> {
    if let Some(challenge) = request.challenge() {
        terminal.say(&format!(
            "The service answered with status {}, which is a challenge.",
            challenge.status().as_u16()
        ));
        terminal.say(&challenge.in_plain_words());
        terminal.say("The program logs in, and sends the request again.");
    }
    let redirect = Browser::new().redirect(request.authorize_url()).await;
    let redirect = redirect.map_err(ReauthError::other)?;
    Ok(LoginReply::redirect(&request, redirect))
}
