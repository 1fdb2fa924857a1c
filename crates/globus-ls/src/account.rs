//! The subcommands: logins and help.

use std::io::{self, ErrorKind, Write};

use clap::CommandFactory;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::{Principal, printable};
use globus_login::{GlobusApp, LoginRecord};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::client;
use crate::failure::{Failure, Remedy};
use crate::help::Topic;
use crate::options::{Login, Options};
use crate::terminal::Terminal;
use crate::waiting;

pub(crate) async fn log_in(login: &Login, force: bool) -> Result<(), Failure> {
    let app = app(login)?;
    if login.no_login {
        return Err(Failure::NoToken(Some(Remedy::AllowLogin)));
    }
    let user = app.for_user(&Principal::Session);
    let waiting = waiting::of(&user).await?;
    let done = if force {
        app.login_with(AuthorizationParameters::default()).await
    } else if waiting.is_empty() {
        app.login().await
    } else {
        waiting::log_in(&user, &waiting).await
    };
    done.map_err(|error| Failure::login(&error))?;
    say(&format!(
        "You are logged in as {}.",
        name(&app).await?.unwrap_or_else(|| "somebody".to_owned())
    ))
}

pub(crate) async fn log_out(login: &Login) -> Result<(), Failure> {
    let logged_out = app(login)?
        .logout()
        .await
        .map_err(|error| Failure::logout(&error))?;
    say(if logged_out {
        "You are logged out."
    } else {
        "You were not logged in."
    })
}

pub(crate) async fn who_am_i(login: &Login) -> Result<(), Failure> {
    match name(&app(login)?).await? {
        Some(name) => say(&name),
        None => Err(Failure::Nobody),
    }
}

/// Tells who is logged in, and what the store knows of the login.
pub(crate) async fn session(login: &Login) -> Result<(), Failure> {
    let app = app(login)?;
    let info = app.for_user(&Principal::Session).info().await;
    let info = info.map_err(|error| Failure::login(&error))?;
    let identity = name(&app).await?.ok_or(Failure::Nobody)?;
    say(&format!("Identity:   {identity}"))?;
    match info {
        Some(record) => say(&since(&record)?)?,
        None => say("Logged in:  by another program, which does not tell when")?,
    }
    for group in waiting::of(&app.for_user(&Principal::Session)).await? {
        say(&format!("Waiting:    {}", group.line()))?;
    }
    Ok(())
}

/// When the login was, and by which program.
fn since(record: &LoginRecord) -> Result<String, Failure> {
    let at = Timestamp::try_from(record.at()).map_err(|error| Failure::error(error.to_string()))?;
    let minutes = Timestamp::now().duration_since(at).as_mins().max(0);
    let at = at.to_zoned_datetime(TimeZone::system());
    let by = record.by().map_or("another program".to_owned(), |by| {
        format!("{} on {}", printable(by.program()), printable(by.host()))
    });
    Ok(format!(
        "Logged in:  {}, {} ago, by {by}",
        at.strftime("%Y-%m-%d %H:%M"),
        match minutes {
            0..120 => format!("{minutes} min"),
            120..2880 => format!("{} h", minutes / 60),
            _ => format!("{} days", minutes / 1440),
        }
    ))
}

/// Explains a topic, or the command line.
pub(crate) fn help(topic: Option<Topic>) -> Result<(), Failure> {
    match topic {
        Some(topic) => write(topic.text().as_bytes()),
        None => write(Options::command().render_help().to_string().as_bytes()),
    }
}

pub(crate) fn app(login: &Login) -> Result<GlobusApp, Failure> {
    let client_id = login.client_id().ok_or(Failure::NoClient)?;
    client::app(client_id, login, &Terminal::default())
}

async fn name(app: &GlobusApp) -> Result<Option<String>, Failure> {
    let account = app
        .account()
        .await
        .map_err(|error| Failure::login(&error))?;
    Ok(account.map(|account| printable(&account.username.unwrap_or(account.id))))
}

pub(crate) fn say(line: &str) -> Result<(), Failure> {
    write(format!("{line}\n").as_bytes())
}

/// Writes to stdout.
pub(crate) fn write(text: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::error(format!(
            "the answer cannot be written: {error}"
        ))),
        _ => Ok(()),
    }
}
