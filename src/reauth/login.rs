//! Starts logins and look-ups.

use tokio::time::Instant;

use super::account::{Login, Refresh};
use super::accounts::InUse;
use super::events::EventKind;
use super::run::{self, Ended, Reporter, Running};
use super::stats::count;
use super::{Challenge, CredentialRequest, Session, Target, Why, events};

/// Starts `login`, which [`State::begin_login`](super::account::State::begin_login) has recorded.
pub(super) fn log_in(
    session: &Session,
    account: &InUse,
    login: Login,
    challenge: Challenge,
    reporter: Reporter,
) {
    count(&session.counters().logins);
    let (target, attempt) = (challenge.target().clone(), challenge.attempt());
    session.emit(&target, EventKind::LoggingIn { attempt });
    let (session, account) = (session.clone(), account.clone());
    let (limit, reauthenticator) = (
        session.settings().login_timeout,
        session.shared_reauthenticator(),
    );
    let login_of = session.login_of();
    let work = async move { reauthenticator.reauthenticate(&challenge).await };
    let work = events::during_login(&target, attempt, work);
    run::launch((login_of, limit), reporter, work, move |result| {
        let result = result.and_then(|credential| session.meant_for(&target, credential));
        let mut state = account.account().lock_current(session.reauthenticator());
        let ended = state.end_login(&login, result, session.settings());
        drop(state);
        let target = &target;
        match &ended {
            Ok(Some(issued)) => {
                session.accounts().note_issued(&account, &issued.credential);
                let generation = issued.generation;
                session.emit(target, EventKind::LoggedIn { generation });
            }
            Ok(None) => {}
            Err(error) if error.is_interaction_required() => {
                session.emit(target, EventKind::InteractionRequired { error });
            }
            Err(error) => {
                count(&session.counters().failed_logins);
                session.emit(target, EventKind::LoginFailed { error });
            }
        }
        ended
    });
}

/// Starts a look-up for a credential newer than the generation `sent`, or joins one under way.
///
/// `Err` is a result without a look-up: the session already has such a credential, or too many
/// look-ups are under way.
pub(super) fn look_up(
    session: &Session,
    account: &InUse,
    target: &Target,
    sent: u64,
    why: Why,
) -> Result<Running, Ended> {
    let (audience, settings) = (target.audience(), session.settings());
    let mut state = account.account().lock();
    let now = Instant::now();
    // Another request may have brought a newer credential since the caller released the lock.
    if let Some(issued) = state.newer_than(sent, audience)
        && !issued.credential.is_expired()
    {
        return Err(Ok(Some(issued.clone())));
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
    let refreshes = request.may_refresh();
    let counts = match request.why() {
        _ if !refreshes => Refresh::Never,
        Why::Initial => Refresh::IfFailed,
        _ => Refresh::Always,
    };
    if let Some(running) = state.look_up(audience, refreshes, now) {
        return Ok(running.clone());
    }
    // Each audience of the account may have one look-up with a refresh and one without.
    if state.count_look_ups(now) >= settings.max_origins.max(1).saturating_mul(2) {
        return Err(Ok(None));
    }
    let (reporter, running) = run::begin(settings.login_timeout);
    state.begin_look_up(audience.clone(), refreshes, running.clone());
    drop(state);

    count(&session.counters().look_ups);
    session.emit(target, EventKind::LookingUp);
    let (session, account, target) = (session.clone(), account.clone(), target.clone());
    let (limit, reauthenticator) = (settings.login_timeout, session.shared_reauthenticator());
    let (login_of, own) = (session.login_of(), running.clone());
    let work = async move { reauthenticator.credential(&request).await };
    run::launch((login_of, limit), reporter, work, move |result| {
        let meant = |credential| session.meant_for(&target, credential);
        let result = result.and_then(|found| found.map(meant).transpose());
        let mut state = account.account().lock_current(session.reauthenticator());
        let (of, at) = ((target.audience(), &own), (began, counts));
        let ended = state.end_look_up(of, at, result, session.settings());
        drop(state);
        let target = &target;
        let kind = match &ended {
            Ok(issued) => {
                let generation = issued.as_ref().map(|issued| issued.generation);
                EventKind::LookedUp { generation }
            }
            Err(error) => EventKind::LookUpFailed { error },
        };
        session.emit(target, kind);
        ended
    });
    Ok(running)
}
