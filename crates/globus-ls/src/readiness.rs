//! `globus-ls check`: whether the login is enough for a collection, before a job needs it.

use std::time::Duration;

use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Challenge, Principal, Target, printable};
use globus_login::{AppUser, CheckFor, Learned, LoginRecord, Readiness};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::account::{app, say};
use crate::client::transfer_url;
use crate::failure::Failure;
use crate::options::LoginArgs;
use crate::place::Place;

/// Says whether the login is enough for `good_for`. The exit code says it, too.
pub(crate) async fn check(
    login: &LoginArgs,
    collection: &str,
    good_for: Duration,
) -> Result<(), Failure> {
    let id = Place::parse(collection, None)?.collection.to_string();
    let user = app(login)?.for_user(&Principal::Session);
    match checked(&user, &id, good_for).await? {
        Readiness::Satisfied { until } => {
            let until = Timestamp::try_from(until);
            let until = until.map_err(|error| Failure::error(error.to_string()))?;
            let until = until.to_zoned_datetime(TimeZone::system());
            let until = until.strftime("%Y-%m-%d %H:%M");
            say(&format!("Ready until {until}, as far as is known."))
        }
        Readiness::NeedsLogin { words, .. } => Err(Failure::NotReady { words, id }),
        Readiness::Unknown { words } => Err(Failure::NotKnown { words, id }),
        other => Err(Failure::error(format!("unknown result: {other:?}"))),
    }
}

/// What this collection is known to require of a login.
pub(crate) async fn requirement(
    user: &AppUser,
    collection: &str,
) -> Result<AuthorizationParameters, Failure> {
    let id = Place::parse(collection, None)?.collection.to_string();
    let record = user.info().await.map_err(|error| Failure::login(&error))?;
    let mut learned = record.iter().flat_map(LoginRecord::learned);
    let learned = learned.find(|(place, _)| *place == id);
    let mut required = learned.map(|(_, it)| it.required().clone());
    if let Readiness::NeedsLogin {
        required: missing, ..
    } = checked(user, &id, Duration::ZERO).await?
    {
        let required = required.get_or_insert_default();
        let scopes = missing.required_scopes.into_iter();
        let new = scopes.filter(|it| !required.required_scopes.contains(it));
        let new: Vec<String> = new.collect();
        required.required_scopes.extend(new);
    }
    Ok(required.unwrap_or_default())
}

async fn checked(user: &AppUser, id: &str, good_for: Duration) -> Result<Readiness, Failure> {
    let what = CheckFor::Collection(id.to_owned());
    let checked = user.check(&what, good_for).await;
    checked.map_err(|error| Failure::login(&error))
}

/// One line on what a collection is known to require.
pub(crate) fn line(place: &str, learned: &Learned) -> Result<String, Failure> {
    let transfer = transfer_url()?.as_str().parse();
    let transfer = transfer.map_err(|error| Failure::setup(&error))?;
    let gare = Gare::new("AuthorizationRequired", learned.required().clone());
    let words = Challenge::new(Target::new(transfer, Principal::Session), gare).in_plain_words();
    let mut line = format!("Found:      {}: {words}", printable(place));
    if let Some(age) = learned.refused_age() {
        line += &format!(" It did not accept a login that was {} old.", age_text(age));
    }
    Ok(line)
}

/// An age for a person, such as `24 h`.
pub(crate) fn age_text(age: Duration) -> String {
    let minutes = age.as_secs() / 60;
    match minutes {
        0..120 => format!("{minutes} min"),
        120..2880 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1440),
    }
}
