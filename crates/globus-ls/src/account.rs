//! The subcommands for logins and help.

use std::io::{self, ErrorKind, Write};
use std::time::Duration;

use clap::CommandFactory;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::{Principal, printable};
use globus_login::{GlobusApp, LoginRecord};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::client;
use crate::failure::Failure;
use crate::help::Topic;
use crate::options::{LoginArgs, Options};
use crate::readiness;
use crate::terminal::{Terminal, print_note};
use crate::waiting;

pub(crate) async fn log_in(
    login: &LoginArgs,
    force: bool,
    collection: Option<&str>,
) -> Result<(), Failure> {
    if login.no_login {
        return Err(Failure::login_disallowed());
    }
    let app = app_at(&Terminal::of_login(), login)?;
    let user = app.for_user(&Principal::Session);
    let waiting = waiting::groups(&user).await?;
    let done = if let Some(collection) = collection {
        let required = readiness::requirement(&user, collection).await?;
        app.login_with(required).await
    } else if force {
        app.login_with(AuthorizationParameters::default()).await
    } else if waiting.is_empty() {
        app.login().await
    } else {
        waiting::log_in(&user, &waiting).await
    };
    if let Err(error) = done {
        // Of several logins, an earlier one may have succeeded.
        if waiting.len() > 1
            && let Ok(Some(name)) = name(&app).await
        {
            print_note(&format!("You are logged in as {name}."));
        }
        return Err(Failure::login(&error));
    }
    match name(&app).await? {
        Some(name) => say(&format!("You are logged in as {name}.")),
        None => say("You are logged in."),
    }
}

pub(crate) async fn log_out(login: &LoginArgs) -> Result<(), Failure> {
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

pub(crate) async fn who_am_i(login: &LoginArgs) -> Result<(), Failure> {
    match name(&app(login)?).await? {
        Some(name) => say(&name),
        None => Err(Failure::LoggedOut),
    }
}

/// Prints who is logged in, when and by which program, what collections are known to require, and
/// which programs wait for a login. Programs can wait although nobody is logged in.
pub(crate) async fn session(login: &LoginArgs) -> Result<(), Failure> {
    let app = app(login)?;
    let user = app.for_user(&Principal::Session);
    let info = user.info().await;
    let info = info.map_err(|error| Failure::login(&error))?;
    let identity = name(&app).await?;
    if let Some(identity) = &identity {
        say(&format!("Identity:   {identity}"))?;
        match &info {
            Some(record) => say(&since(record)?)?,
            None => say("Logged in:  by another program, at an unknown time")?,
        }
        for (place, learned) in info.iter().flat_map(LoginRecord::learned) {
            say(&readiness::line(place, learned)?)?;
        }
    }
    for group in waiting::groups(&user).await? {
        say(&format!("Waiting:    {}", group.line()))?;
    }
    identity.map(drop).ok_or(Failure::LoggedOut)
}

/// One line on when the login was, and which program ran it.
fn since(record: &LoginRecord) -> Result<String, Failure> {
    let at = Timestamp::try_from(record.at()).map_err(|error| Failure::error(error.to_string()))?;
    let age = Timestamp::now().duration_since(at);
    let age = Duration::try_from(age).unwrap_or_default();
    let at = at.to_zoned_datetime(TimeZone::system());
    let by = record.by().map_or("another program".to_owned(), |by| {
        format!("{} on {}", printable(by.program()), printable(by.host()))
    });
    Ok(format!(
        "Logged in:  {}, {} ago, by {by}",
        at.strftime("%Y-%m-%d %H:%M"),
        readiness::age_text(age)
    ))
}

/// Prints the text on a topic, or the help on the command line.
pub(crate) fn help(topic: Option<Topic>) -> Result<(), Failure> {
    match topic {
        Some(topic) => write(topic.text().as_bytes()),
        None => write(Options::command().render_help().to_string().as_bytes()),
    }
}

pub(crate) fn app(login: &LoginArgs) -> Result<GlobusApp, Failure> {
    app_at(&Terminal::default(), login)
}

fn app_at(terminal: &Terminal, login: &LoginArgs) -> Result<GlobusApp, Failure> {
    let client_id = login.client_id().ok_or(Failure::NoClient)?;
    client::app(client_id, login, terminal)
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

/// Writes to stdout. A closed pipe is no error.
pub(crate) fn write(text: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::error(format!(
            "the output cannot be written: {error}"
        ))),
        _ => Ok(()),
    }
}
