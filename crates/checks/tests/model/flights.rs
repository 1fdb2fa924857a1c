use shuttle::future::{block_on, spawn};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};

use crate::reauth::{GareOptions, Refusal, Session};
use crate::runtime::{self, let_alarms_ring};
use crate::world::{
    DOMAIN, End, Login, MFA, POLICY, Way, begun, perhaps_dropped, request, request_with,
};

const RUNS: usize = 3_000;

fn has_mfa(token: &str) -> bool {
    token.contains("mfa")
}

fn has_policy(token: &str) -> bool {
    token.contains("-p")
}

fn has_domain(token: &str) -> bool {
    token.contains("a.edu")
}

fn never(_: &str) -> bool {
    false
}

/// Runs under random schedules, and under those that a bug of few ordering
/// constraints is most likely to show in.
fn explore(run: impl Fn() + Send + Sync + Clone + 'static) {
    runtime::explore();
    Runner::new(RandomScheduler::new(RUNS), config()).run(run.clone());
    Runner::new(PctScheduler::new(3, RUNS), config()).run(run);
}

fn config() -> Config {
    let mut config = Config::new();
    // An unoptimised future with its formatting does not fit in the default.
    config.stack_size = 256 * 1024;
    config
}

fn refusal(end: &End) -> &str {
    end.outcome
        .as_ref()
        .and_then(|outcome| outcome.refusal())
        .map_or("", Refusal::name)
}

async fn all(requests: Vec<shuttle::future::JoinHandle<End>>) -> Vec<End> {
    let mut ends = Vec::new();
    for request in requests {
        ends.push(request.await.expect("no panic"));
    }
    ends
}

/// How so many requests for [`MFA`] end that are sent at once.
async fn together(count: usize, session: &Session, admits: fn(&str) -> bool) -> Vec<End> {
    let requests = (0..count).map(|_| spawn(request(session.clone(), MFA, admits)));
    all(requests.collect()).await
}

#[checks::test(seconds = 600)]
fn requests_challenged_together_cost_one_login() {
    explore(|| {
        block_on(async {
            let login = Login::that(Way::Succeeds);
            let session = Session::new(login.clone());
            for end in together(4, &session, has_mfa).await {
                assert!(end.admitted && end.sent <= 2, "{end:?}");
            }
            assert_eq!(login.started(), 1);
        });
    });
}

#[checks::test(seconds = 600)]
fn dropped_caller_leaves_the_login_to_the_others() {
    explore(|| {
        block_on(async {
            let login = Login::that(Way::Succeeds);
            let session = Session::new(login.clone());
            let dropped =
                (0..3).map(|_| spawn(perhaps_dropped(request(session.clone(), MFA, has_mfa))));
            let dropped: Vec<_> = dropped.collect();
            let kept = (0..2)
                .map(|_| spawn(request(session.clone(), MFA, has_mfa)))
                .collect();
            for end in all(kept).await {
                assert!(end.admitted, "{end:?}");
            }
            for request in dropped {
                let _ = request.await;
            }
            assert_eq!(
                login.started(),
                1,
                "the login outlives whoever asked for it"
            );
        });
    });
}

fn a_failure_is_everybodys(way: Way, alarms: bool) {
    let run = move || {
        let_alarms_ring(alarms);
        block_on(async move {
            let login = Login::that(way);
            let session = Session::new(login.clone());
            for end in together(4, &session, has_mfa).await {
                assert!(!end.admitted, "{end:?}");
                assert_eq!(refusal(&end), "failed", "{end:?}");
            }
            assert_eq!(
                login.started(),
                1,
                "one failure, told to all; then it cools down"
            );
        });
        let_alarms_ring(false);
    };
    Runner::new(RandomScheduler::new(RUNS), config()).run(run);
}

#[checks::test(seconds = 600)]
fn declined_login_fails_all_waiters() {
    a_failure_is_everybodys(Way::Declines, false);
}

#[checks::test(seconds = 600)]
fn panicking_login_fails_all_waiters() {
    a_failure_is_everybodys(Way::Panics, false);
}

#[checks::test(seconds = 600)]
fn hanging_login_times_out_for_all_waiters() {
    a_failure_is_everybodys(Way::Hangs, true);
}

#[checks::test(seconds = 600)]
fn login_with_the_same_credential_is_no_progress() {
    explore(|| {
        block_on(async {
            let login = Login::that(Way::GivesTheSame);
            let session = Session::new(login.clone());
            for end in together(3, &session, has_mfa).await {
                assert_eq!(refusal(&end), "no_progress", "{end:?}");
            }
            assert_eq!(login.started(), 1);
        });
    });
}

#[checks::test(seconds = 600)]
fn three_requirements_at_once_cost_at_most_three_logins() {
    explore(|| {
        block_on(async {
            let login = Login::that(Way::Succeeds);
            let session = Session::new(login.clone());
            let mut requests = Vec::new();
            for (demand, admits) in [
                (MFA, has_mfa as fn(&str) -> bool),
                (POLICY, has_policy),
                (DOMAIN, has_domain),
            ] {
                for _ in 0..2 {
                    requests.push(spawn(request(session.clone(), demand, admits)));
                }
            }
            for end in all(requests).await {
                assert!(end.admitted, "{end:?}");
            }
            assert!(login.started() <= 3, "{} logins", login.started());
        });
    });
}

#[checks::test(seconds = 600)]
fn deadline_ends_the_wait_and_not_the_login() {
    Runner::new(RandomScheduler::new(RUNS), config()).run(|| {
        let_alarms_ring(true);
        block_on(async {
            let login = Login::that(Way::Succeeds);
            let session = Session::new(login.clone());
            let hurried = GareOptions::new().deadline(std::time::Duration::from_secs(1));
            let hurried = spawn(request_with(session.clone(), hurried, MFA, has_mfa));
            let hurried = hurried.await.expect("no panic");
            // The login itself may have been timed out as well: alarms ring at random.
            assert!(
                hurried.admitted || ["deadline_elapsed", "failed"].contains(&refusal(&hurried)),
                "{hurried:?}"
            );
            assert!(login.started() <= 1);
        });
        let_alarms_ring(false);
    });
}

#[checks::test(seconds = 600)]
fn service_that_always_challenges_causes_bounded_logins() {
    explore(|| {
        block_on(async {
            let login = Login::that(Way::Succeeds);
            let session = Session::new(login.clone());
            for end in together(3, &session, never).await {
                assert_eq!(refusal(&end), "no_progress", "{end:?}");
            }
            assert_eq!(
                login.started(),
                1,
                "a login that did not help is not tried by the next"
            );
        });
    });
}

#[checks::test(seconds = 600)]
fn account_in_use_is_kept_though_it_is_being_evicted() {
    explore(|| {
        block_on(async {
            let session = Session::new(Login::that(Way::Succeeds)).max_identities(1);
            // Known, and idle: the next one to come crowds it out.
            drop(begun(&session, "a"));
            let begin = |name| {
                let session = session.clone();
                spawn(async move { begun(&session, name) })
            };
            let (one, other) = (begin("a"), begin("b"));
            let under_way = (one.await, other.await);
            // Both are in use, whatever the bound.
            assert_eq!(session.stats().identities, 2);
            drop(under_way);
        });
    });
}
