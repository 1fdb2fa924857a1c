//! Starts logins and look-ups.

use tokio::time::Instant;

use super::account::{Backoff, Login};
use super::accounts::InUse;
use super::run::{self, Ended, Reporter, Running};
use super::stats::count;
use super::{Challenge, Credential, ReauthError, Session, Target, events};

/// Starts `login`, which the account has as the one under way.
pub(super) fn log_in(
    session: &Session,
    account: &InUse,
    login: Login,
    challenge: Challenge,
    reporter: Reporter,
) {
    count(&session.counters().logins);
    let (target, attempt) = (challenge.target().clone(), challenge.attempt());
    events::logging_in(&target, attempt);
    let (session, account) = (session.clone(), account.clone());
    let (limit, reauthenticator) = (session.settings().login_timeout, session.reauthenticator());
    let work = async move { reauthenticator.reauthenticate(&challenge).await };
    let work = events::during_login(&target, attempt, work);
    run::launch(limit, reporter, work, move |result| {
        let settings = session.settings();
        let backoff = Backoff::starting(Instant::now(), settings.backoff);
        let mut state = account.account().lock();
        let ended = state.end_login(&login, result, backoff, settings.max_origins);
        drop(state);
        match &ended {
            Ok(Some(issued)) => session.accounts().note_issued(&account, &issued.credential),
            Ok(None) => {}
            Err(_) => count(&session.counters().failed_logins),
        }
        events::logged_in(&target, &ended);
        ended
    });
}

/// Looks for a credential that is newer than the generation `sent`, or joins the look-up that does.
/// `rejected` is the credential that a service no longer accepts, though it has not expired.
///
/// `Err` is the end of a look-up that is not necessary.
pub(super) fn look_up(
    session: &Session,
    account: &InUse,
    target: &Target,
    sent: u64,
    rejected: Option<Credential>,
) -> Result<Running, Ended> {
    let origin = target.origin();
    let settings = session.settings();
    let mut state = account.account().lock();
    let now = Instant::now();
    // It may have come since it was found missing: only under the lock this is certain.
    if let Some(issued) = state.fresh(sent, origin, settings.expiry_leeway) {
        return Err(Ok(Some(issued)));
    }
    if state.found_nothing(origin.view(), now) {
        return Err(Ok(None));
    }
    if let Some(running) = state.look_up(origin, now) {
        return Ok(running.clone());
    }
    let began = state.current(origin.view());
    let began = began.map_or(0, |issued| issued.generation);
    let (reporter, running) = run::begin(settings.login_timeout);
    state.begin_look_up(origin.clone(), running.clone());
    drop(state);

    count(&session.counters().look_ups);
    events::looking_up(target);
    let (session, account, target) = (session.clone(), account.clone(), target.clone());
    let (limit, reauthenticator) = (settings.login_timeout, session.reauthenticator());
    // A login elsewhere may follow a rejection: what it brings is looked for at the next one.
    let backs_off = rejected.is_none();
    let (wanted, own) = (target.clone(), running.clone());
    let work = async move {
        match rejected {
            None => reauthenticator.credential(&wanted).await,
            Some(rejected) => reauthenticator.renew(&wanted, &rejected).await,
        }
    };
    run::launch(limit, reporter, work, move |result| {
        let settings = session.settings();
        let is_lost = result.as_ref().is_err_and(ReauthError::is_no_runtime);
        let backoff = (!is_lost && (backs_off || result.is_err()))
            .then(|| Backoff::starting(Instant::now(), settings.backoff));
        let (origin, max) = (target.origin().clone(), settings.max_origins);
        let mut state = account.account().lock();
        let ended = state.end_look_up((origin, &own), began, result, backoff, max);
        drop(state);
        if let Ok(Some(issued)) = &ended {
            session.accounts().note_issued(&account, &issued.credential);
        }
        events::looked_up(&target, &ended);
        ended
    });
    Ok(running)
}
