//! Decides the next step of a challenged request: a pure function of the account and the request.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::account::{Issued, Login, State};
use super::builder::Settings;
use super::requirement::Requirement;
use super::run::Running;
use super::unmet::Place;
use super::{GareOptions, GaveUp};
use crate::gare::Gare;

/// A requirement of a challenge.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) requirement: Arc<Requirement>,
    /// Empty for a plain `401`, unless the program changed it.
    pub(super) gare: Gare,
    /// Whether it may start a login.
    pub(super) is_approved: bool,
}

/// The facts about a challenged request that decide its next step.
pub(super) struct Challenged<'a> {
    pub(super) place: &'a Place,
    pub(super) wanted: &'a [Wanted],
    pub(super) options: &'a GareOptions,
    /// The epoch of the account when the request was routed.
    pub(super) epoch: u64,
    /// The generation that the request was sent with.
    pub(super) sent: u64,
    /// The requirements of the logins before the replays of this request.
    pub(super) satisfied: &'a [Arc<Requirement>],
    pub(super) logins: u32,
    /// The requirements of the look-ups that this request made.
    pub(super) looked_up: &'a [Arc<Requirement>],
}

pub(super) enum Step {
    /// Replay the request with this newer credential.
    Replay(Issued),
    /// Look for a credential: a login elsewhere may have brought one.
    LookUp(Wanted),
    /// Wait for this login: it covers the requirement.
    Join(Login),
    /// Wait for this login, which does not cover the requirement, then start over.
    WaitFor {
        login: Running,
        wanted: Wanted,
    },
    /// Start this login, for the requirement `gare`.
    Lead {
        gare: Gare,
        login: Login,
    },
    /// Give up: a login succeeded, and the service requires the same again.
    NoProgress(Arc<Requirement>),
    GiveUp(GaveUp),
}

pub(super) fn decide(
    account: &State,
    request: &Challenged<'_>,
    settings: &Settings,
    now: Instant,
) -> Step {
    if account.epoch() != request.epoch {
        return Step::GiveUp(GaveUp::Forgotten);
    }
    let (place, audience) = (request.place, &request.place.audience);
    // 1. The request was sent with an older credential.
    if let Some(issued) = account.newer_than(request.sent, audience) {
        return Step::Replay(issued.clone());
    }
    // If no single login satisfies all requirements, each gets its own login, in order.
    let is_satisfied = |asked: &Requirement| {
        let mut given = request.satisfied.iter();
        given.any(|given| given.is_repeated_by(asked))
    };
    let mut wanted = request.wanted.iter();
    let Some(wanted) = wanted.find(|wanted| !is_satisfied(&wanted.requirement)) else {
        let repeated = request.wanted.first().map(|it| Arc::clone(&it.requirement));
        return Step::NoProgress(repeated.unwrap_or_else(|| Arc::new(Requirement::AnyCredential)));
    };
    let asked = &*wanted.requirement;
    let is_spent = request.logins >= settings.max_logins;
    let no_prompt = request.options.no_prompt
        || (*asked == Requirement::AnyCredential && !settings.login_on_401);
    let may_prompt = wanted.is_approved && !no_prompt;
    let running = account.login(now);
    // 2. A login under way covers the requirement.
    if let Some(login) = running
        && may_prompt
        && login.audience == *audience
        && login.requirement.covers(asked)
    {
        return if is_spent {
            Step::GiveUp(GaveUp::Exhausted)
        } else {
            Step::Join(login.clone())
        };
    }
    // 3. A look-up may find a credential without a person.
    if !request.looked_up.contains(&wanted.requirement) {
        return Step::LookUp(wanted.clone());
    }
    let at = account.at(audience.view());
    if *asked == Requirement::AnyCredential
        && let Some(error) = at.and_then(|at| at.unavailable(now))
    {
        return Step::GiveUp(GaveUp::Unavailable(error.clone()));
    }
    if no_prompt {
        return Step::GiveUp(GaveUp::NoPrompt);
    }
    if !wanted.is_approved {
        return Step::GiveUp(GaveUp::NotApproved);
    }
    // 4. Another login is under way: a person logs in once at a time.
    if let Some(login) = running {
        return Step::WaitFor {
            login: login.running.clone(),
            wanted: wanted.clone(),
        };
    }
    // 5. Earlier logins did not help, or failed, or were too many.
    if account.did_not_help(place, request.sent, asked) {
        return Step::NoProgress(Arc::clone(&wanted.requirement));
    }
    if let Some(reason) = backs_off(account, place, asked, settings, now) {
        return Step::GiveUp(reason);
    }
    if is_spent {
        return Step::GiveUp(GaveUp::Exhausted);
    }
    // 6. This request leads the login.
    lead(account, place, wanted, settings.login_timeout)
}

fn backs_off(
    account: &State,
    place: &Place,
    asked: &Requirement,
    settings: &Settings,
    now: Instant,
) -> Option<GaveUp> {
    if let Some(retry_after) = account.unmet_for(place, asked, now) {
        let cause = None;
        return Some(GaveUp::BackingOff { retry_after, cause });
    }
    let at = account.at(place.audience.view());
    if let Some((retry_after, error)) = at.and_then(|at| at.backs_off(now)) {
        let cause = Some(error.clone());
        return Some(GaveUp::BackingOff { retry_after, cause });
    }
    let retry_after = account.spent_for(now, settings.login_budget)?;
    Some(GaveUp::Budget { retry_after })
}

fn lead(account: &State, place: &Place, wanted: &Wanted, timeout: Duration) -> Step {
    let (gare, requirement) = match &*wanted.requirement {
        Requirement::AnyCredential => (wanted.gare.clone(), Arc::clone(&wanted.requirement)),
        Requirement::Parameters(_) => {
            let gare = account.with_waiting(&place.audience, wanted.gare.clone());
            let parameters = gare.authorization_parameters.clone();
            (gare, Arc::new(Requirement::Parameters(parameters)))
        }
    };
    let login = Login {
        audience: place.audience.clone(),
        requirement,
        running: Running::new(timeout),
    };
    Step::Lead { gare, login }
}
