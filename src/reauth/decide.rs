//! What to do about a challenge: a pure function of the account and the request.

use std::sync::Arc;

use tokio::time::Instant;

use super::account::{Issued, Login, State};
use super::builder::Settings;
use super::requirement::covers;
use super::run::{self, Reporter, Running};
use super::{GareOptions, GaveUp, Origin};
use crate::gare::{AuthorizationParameters, Gare};

/// A challenged request, as far as it matters here.
pub(super) struct Challenged<'a> {
    pub(super) origin: &'a Origin,
    /// What the response requires, merged.
    pub(super) required: &'a [Gare],
    pub(super) options: &'a GareOptions,
    /// The generation that the request was sent with.
    pub(super) sent: u64,
    /// The requirements of the logins that this request waited for.
    pub(super) satisfied: &'a [Arc<AuthorizationParameters>],
    pub(super) logins: u32,
    /// Whether a look-up was made for this request.
    pub(super) looked_up: bool,
}

pub(super) enum Step {
    /// Send the request again with a later credential.
    Replay(Issued),
    /// Look for a credential: a login at another service may have brought one for this service.
    LookUp,
    /// Wait for this login: it covers the requirement.
    Join(Login),
    /// Wait for this login, which asks for something else, then start over with `required`.
    WaitFor {
        login: Running,
        required: Gare,
    },
    /// Start this login, which asks for `gare`.
    Lead {
        gare: Gare,
        login: Login,
        reporter: Reporter,
    },
    /// Give up: a login succeeded, and the service requires the same again.
    NoProgress,
    GiveUp(GaveUp),
}

pub(super) fn decide(
    account: &State,
    request: &Challenged<'_>,
    settings: &Settings,
    now: Instant,
) -> Step {
    let origin = request.origin;
    // The challenge is about a credential that is no longer the current one.
    if let Some(issued) = account.newer_than(request.sent, origin) {
        return Step::Replay(issued);
    }
    let last_login = account.last_login();
    let logged_in_since = last_login.is_some_and(|login| login.generation > request.sent);
    if logged_in_since && !request.looked_up && !account.found_nothing(origin.view(), now) {
        return Step::LookUp;
    }
    // Several requirements that no single login satisfies are met one after the other.
    let is_satisfied = |parameters| {
        let mut given = request.satisfied.iter();
        given.any(|given| covers(given, parameters))
    };
    let mut unsatisfied = request.required.iter();
    let Some(gare) = unsatisfied.find(|gare| !is_satisfied(&gare.authorization_parameters)) else {
        return Step::NoProgress;
    };
    let required = &gare.authorization_parameters;
    if request.options.no_prompt {
        return Step::GiveUp(GaveUp::NoPrompt);
    }
    let spent = request.logins >= settings.max_logins;
    if let Some(login) = account.login(now) {
        return if login.origin != *origin || !covers(&login.requirement, required) {
            Step::WaitFor {
                login: login.running.clone(),
                required: gare.clone(),
            }
        } else if spent {
            Step::GiveUp(GaveUp::Exhausted)
        } else {
            Step::Join(login.clone())
        };
    }
    if account.is_unmet(required, now) {
        return Step::GiveUp(GaveUp::NoProgress);
    }
    // A login of another request asked for this a moment ago, and nobody was accepted with it yet.
    if let Some(login) = last_login
        && now.saturating_duration_since(login.ended_at) < settings.backoff
        && request.sent >= login.generation
        && !login.is_proven
        && covers(&login.requirement, required)
    {
        return Step::GiveUp(GaveUp::NoProgress);
    }
    if let Some(error) = account.backs_off(now) {
        return Step::GiveUp(GaveUp::Failed(error.clone()));
    }
    if spent {
        return Step::GiveUp(GaveUp::Exhausted);
    }
    let gare = account.with_waiting(gare.clone());
    let (reporter, running) = run::begin(settings.login_timeout);
    let login = Login {
        origin: origin.clone(),
        requirement: Arc::new(gare.authorization_parameters.clone()),
        running,
    };
    Step::Lead {
        gare,
        login,
        reporter,
    }
}
