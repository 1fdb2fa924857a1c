//! Programs of the same user that wait for a login, and have no terminal of their own.

use std::collections::HashSet;
use std::slice;
use std::time::Duration;

use globus_gare::reauth::{Principal, ReauthError};
use globus_login::{AppUser, Waiting};

use crate::account::{app, say};
use crate::failure::Failure;
use crate::options::LoginArgs;
use crate::terminal::print_note;

/// How often `login --watch` looks for waiting programs.
const POLL_INTERVAL: Duration = Duration::from_secs(3);

/// How long `login --watch` waits after a login that Globus Auth did not complete.
const RETRY_DELAY: Duration = Duration::from_secs(10);

/// Programs that wait for the same login.
pub(crate) struct Group {
    first: Waiting,
    ids: Vec<String>,
}

impl Group {
    /// One line for a person.
    pub(crate) fn line(&self) -> String {
        self.first.in_plain_words(self.ids.len())
    }
}

/// The programs that wait now, grouped by the login that they wait for.
pub(crate) async fn groups(user: &AppUser) -> Result<Vec<Group>, Failure> {
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

/// Logs in once for each group. One login for several groups would satisfy none of them: a program
/// compares the parameters of the login with its own.
pub(crate) async fn log_in(user: &AppUser, groups: &[Group]) -> Result<(), ReauthError> {
    for group in groups {
        print_note(&group.line());
        user.login_for(&group.first).await?;
    }
    Ok(())
}

/// Logs in whenever a program waits, until Ctrl-C.
pub(crate) async fn watch(login: &LoginArgs) -> Result<(), Failure> {
    if login.no_login {
        return Err(Failure::login_disallowed());
    }
    let app = app(login)?;
    let user = app.for_user(&Principal::Session);
    print_note("Looking for programs that wait for a login. Press Ctrl-C to stop.");
    // A program needs a moment to notice its login: it must not cost a second one. A login that a
    // person declined is not asked for again, until another program waits for it.
    let mut served: HashSet<String> = HashSet::new();
    loop {
        let mut groups = groups(&user).await?;
        let all: HashSet<String> = groups.iter().flat_map(|it| it.ids.clone()).collect();
        served.retain(|id| all.contains(id));
        groups.retain(|group| group.ids.iter().any(|id| !served.contains(id)));
        // One group for each look: a login takes minutes, and other programs stop waiting.
        if let Some(group) = groups.first() {
            match log_in(&user, slice::from_ref(group)).await {
                Ok(()) => say("You are logged in. The programs that waited continue.")?,
                Err(error) => {
                    let failure = Failure::login(&error);
                    if failure.is_passing() {
                        failure.print();
                        let seconds = RETRY_DELAY.as_secs();
                        print_note(&format!("The login is offered again in {seconds} seconds."));
                        tokio::time::sleep(RETRY_DELAY).await;
                        continue;
                    }
                    if !failure.is_unanswered_login() {
                        return Err(failure);
                    }
                    failure.print();
                }
            }
            served.extend(group.ids.iter().cloned());
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
