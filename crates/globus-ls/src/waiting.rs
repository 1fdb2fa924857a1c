//! Programs of the same user, without a terminal, that wait for a login.

use std::collections::HashSet;
use std::time::Duration;

use globus_gare::reauth::{Principal, ReauthError};
use globus_login::{AppUser, Waiting};

use crate::account::{app, say};
use crate::failure::{Failure, Remedy};
use crate::options::Login;
use crate::terminal::note;

/// How often somebody who watches looks.
const PAUSE: Duration = Duration::from_secs(3);

/// Programs that one login lets go on.
pub(crate) struct Group {
    first: Waiting,
    ids: Vec<String>,
}

impl Group {
    pub(crate) fn line(&self) -> String {
        self.first.in_plain_words(self.ids.len())
    }
}

/// The programs that wait now, those that wait for the same together.
pub(crate) async fn of(user: &AppUser) -> Result<Vec<Group>, Failure> {
    let mut all = user
        .waiting()
        .await
        .map_err(|error| Failure::login(&error))?;
    all.sort_by_key(|waiting| waiting.by.since());
    let mut groups: Vec<Group> = Vec::new();
    for waiting in all {
        let id = waiting.by.id().to_owned();
        let same = groups
            .iter_mut()
            .find(|group| group.first.is_for_the_same(&waiting));
        match same {
            Some(group) => group.ids.push(id),
            None => groups.push(Group {
                first: waiting,
                ids: vec![id],
            }),
        }
    }
    Ok(groups)
}

/// Logs in for each of these, one after another: a login that asked for all at once would satisfy
/// none that compares it with its own.
pub(crate) async fn log_in(user: &AppUser, groups: &[Group]) -> Result<(), ReauthError> {
    for group in groups {
        note(&group.line());
        user.login_for(&group.first).await?;
    }
    Ok(())
}

/// Logs in whenever a program waits, until it is interrupted.
pub(crate) async fn watch(login: &Login) -> Result<(), Failure> {
    if login.no_login {
        return Err(Failure::NoToken(Some(Remedy::AllowLogin)));
    }
    let app = app(login)?;
    let user = app.for_user(&Principal::Session);
    note("Looking for programs that wait for a login. Ctrl-C ends it.");
    // A program needs a moment to see that it can go on.
    let mut served: HashSet<String> = HashSet::new();
    loop {
        let mut groups = of(&user).await?;
        let all: HashSet<String> = groups.iter().flat_map(|it| it.ids.clone()).collect();
        served.retain(|id| all.contains(id));
        groups.retain(|group| group.ids.iter().any(|id| !served.contains(id)));
        if !groups.is_empty() {
            let done = log_in(&user, &groups).await;
            done.map_err(|error| Failure::login(&error))?;
            served = all;
            say("Logged in: they go on.")?;
        }
        tokio::time::sleep(PAUSE).await;
    }
}
