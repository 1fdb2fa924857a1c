//! Starts logins and look-ups.

use tokio::time::Instant;

use super::account::{Login, LookUp, Refresh};
use super::accounts::InUse;
use super::events::EventKind;
use super::run::{self, Running};
use super::{Challenge, CredentialRequest, Session, Target, Why, events};

/// Starts `login`, which [`State::begin_login`](super::account::State::begin_login) has recorded.
pub(super) fn log_in(session: &Session, account: &InUse, login: Login, challenge: Challenge) {
    session.counters().lock().logins += 1;
    let (target, attempt) = (challenge.target().clone(), challenge.attempt());
    session.emit(&target, EventKind::LoggingIn { attempt });
    let reauthenticator = session.shared_reauthenticator();
    let work = async move { reauthenticator.reauthenticate(&challenge).await };
    let work = events::during_login(&target, attempt, work);
    let (running, account, own) = (login.running.clone(), account.clone(), session.clone());
    run::launch(session, running, work, move |result| {
        let (session, target) = (&own, &target);
        let result = result.and_then(|credential| session.meant_for(target, credential));
        let mut state = account.account().lock_current(session.reauthenticator());
        let ended = state.end_login(&login, result, session.settings());
        drop(state);
        match &ended {
            Ok(Some(issued)) => {
                session.accounts().note_issued(&account, &issued.credential);
                let generation = issued.generation;
                session.emit(target, EventKind::LoggedIn { generation });
            }
            Err(error) if error.is_interaction_required() => {
                session.emit(target, EventKind::InteractionRequired { error });
            }
            Err(error) if !error.is_forgotten() => {
                session.counters().lock().failed_logins += 1;
                session.emit(target, EventKind::LoginFailed { error });
            }
            // A logout is no failure.
            Ok(None) | Err(_) => {}
        }
        ended
    });
}

/// Starts a look-up for a credential newer than the generation `sent`, or joins one under way.
///
/// `None` if the session already has such a credential, or if too many look-ups are under way.
pub(super) fn look_up(
    session: &Session,
    account: &InUse,
    target: &Target,
    sent: u64,
    why: Why,
) -> Option<Running> {
    let (audience, settings) = (target.audience(), session.settings());
    let mut state = account.account().lock();
    let now = Instant::now();
    // Another request may have brought a newer credential since the caller released the lock.
    let newer = state.newer_than(sent, audience);
    if newer.is_some_and(|issued| !issued.credential.is_expired()) {
        return None;
    }
    let mut request = CredentialRequest::new(target.clone(), why);
    if !state.may_refresh(audience.view(), now) {
        request = request.without_refresh();
    }
    let at = state.at(audience.view());
    let current = at.and_then(|at| at.current.as_ref());
    let began = current.map_or(0, |issued| issued.generation);
    // A challenge rejects only the credential that its request was sent with.
    let is_challenged = matches!(request.why(), Why::Unauthorized | Why::Required(_));
    let rejected = current.filter(|it| !is_challenged || it.generation == sent);
    let invalidated = at.and_then(|at| at.invalidated.as_ref());
    if let Some(rejected) = rejected.map(|it| &it.credential).or(invalidated) {
        request = request.with_rejected(rejected.clone());
    }
    let counts = match request.why() {
        _ if !request.may_refresh() => Refresh::Never,
        Why::Initial if request.rejected().is_none() => Refresh::IfFailed,
        _ => Refresh::Always,
    };
    if let Some(running) = state.look_up(audience, request.may_refresh(), now) {
        return Some(running.clone());
    }
    // Each audience of the account may have one look-up with a refresh and one without.
    if state.look_ups.len() >= settings.max_origins.max(1).saturating_mul(2) {
        return None;
    }
    let running = Running::new(settings.login_timeout);
    state.look_ups.push(LookUp {
        audience: audience.clone(),
        counts,
        began,
        running: running.clone(),
    });
    drop(state);

    session.counters().lock().look_ups += 1;
    session.emit(target, EventKind::LookingUp);
    let reauthenticator = session.shared_reauthenticator();
    let work = async move { reauthenticator.credential(&request).await };
    let (account, target, own) = (account.clone(), target.clone(), session.clone());
    let ends = running.clone();
    run::launch(session, running.clone(), work, move |result| {
        let (session, target) = (&own, &target);
        let meant = |credential| session.meant_for(target, credential);
        let result = result.and_then(|found| found.map(meant).transpose());
        let mut state = account.account().lock_current(session.reauthenticator());
        let ended = state.end_look_up(&ends, result, session.settings());
        drop(state);
        match &ended {
            Ok(issued) => {
                let generation = issued.as_ref().map(|issued| issued.generation);
                session.emit(target, EventKind::LookedUp { generation });
            }
            Err(error) if !error.is_forgotten() => {
                session.emit(target, EventKind::LookUpFailed { error });
            }
            Err(_) => {}
        }
        ended
    });
    Some(running)
}
