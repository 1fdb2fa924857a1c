use shuttle::future::{block_on, spawn};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

use crate::reauth::{GareOptions, GaveUp, Session};
use crate::runtime::{self, let_timeouts_expire};
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

/// Runs `scene` with logins that end in the given way: under random schedules, and under schedules
/// that find bugs with few ordering constraints (PCT).
fn explore<F: Future<Output = ()> + 'static>(way: Way, scene: fn(Login, Session) -> F) {
    play(RandomScheduler::new(RUNS), false, way, scene);
    play(PctScheduler::new(3, RUNS), false, way, scene);
}

/// As [`explore`], while timeouts expire at random.
fn explore_timeouts<F: Future<Output = ()> + 'static>(way: Way, scene: fn(Login, Session) -> F) {
    play(RandomScheduler::new(RUNS), true, way, scene);
}

fn play<F: Future<Output = ()> + 'static>(
    scheduler: impl Scheduler + 'static,
    timeouts: bool,
    way: Way,
    scene: fn(Login, Session) -> F,
) {
    Runner::new(scheduler, config()).run(move || {
        let_timeouts_expire(timeouts);
        let login = Login::that(way);
        let session = Session::new(login.clone());
        block_on(scene(login, session));
        let_timeouts_expire(false);
    });
}

fn config() -> Config {
    let mut config = Config::new();
    // The default is too small for an unoptimised future with its formatting.
    config.stack_size = 512 * 1024;
    config
}

/// The name of the reason that the layer gave up; empty if it did not.
fn gave_up(end: &End) -> &str {
    end.outcome
        .as_ref()
        .and_then(|outcome| outcome.gave_up())
        .map_or("", GaveUp::name)
}

async fn all(requests: Vec<shuttle::future::JoinHandle<End>>) -> Vec<End> {
    let mut ends = Vec::new();
    for request in requests {
        ends.push(request.await.expect("no panic"));
    }
    ends
}

/// Sends `count` concurrent requests that [`MFA`] challenges; returns their ends.
async fn together(count: usize, session: &Session, admits: fn(&str) -> bool) -> Vec<End> {
    let requests = (0..count).map(|_| spawn(request(session.clone(), MFA, admits)));
    all(requests.collect()).await
}

#[checks::test(seconds = 600)]
fn requests_challenged_together_cost_one_login() {
    explore(Way::Succeeds, |login, session| async move {
        for end in together(4, &session, has_mfa).await {
            assert!(end.admitted && end.sent <= 2, "{end:?}");
        }
        assert_eq!(login.started(), 1);
    });
}

#[checks::test(seconds = 600)]
fn dropped_caller_leaves_the_login_to_the_others() {
    explore(Way::Succeeds, |login, session| async move {
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
            "the login outlives the request that led it"
        );
    });
}

async fn one_failure_ends_all(login: Login, session: Session) {
    for end in together(4, &session, has_mfa).await {
        assert!(!end.admitted, "{end:?}");
        // A late request meets the backoff; a look-up may time out.
        let reasons = ["failed", "backing_off", "unavailable", "max_wait"];
        assert!(reasons.contains(&gave_up(&end)), "{end:?}");
    }
    // Every request may time out before the task of the login is first polled.
    assert!(login.started() <= 1, "one failed login for all");
}

#[checks::test(seconds = 600)]
fn declined_login_fails_all_waiters() {
    explore(Way::Declines, one_failure_ends_all);
}

#[checks::test(seconds = 600)]
fn panicking_login_fails_all_waiters() {
    explore(Way::Panics, one_failure_ends_all);
}

#[checks::test(seconds = 600)]
fn hanging_login_times_out_for_all_waiters() {
    explore_timeouts(Way::Hangs, one_failure_ends_all);
}

#[checks::test(seconds = 600)]
fn login_with_the_same_credential_is_no_progress() {
    explore(Way::GivesTheSame, |login, session| async move {
        for end in together(3, &session, has_mfa).await {
            // One request notices; the others meet the backoff.
            let reasons = ["no_progress", "backing_off"];
            assert!(reasons.contains(&gave_up(&end)), "{end:?}");
        }
        assert_eq!(login.started(), 1);
    });
}

#[checks::test(seconds = 600)]
fn three_requirements_at_once_cost_at_most_three_logins() {
    explore(Way::Succeeds, |login, session| async move {
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
}

#[checks::test(seconds = 600)]
fn deadline_ends_the_wait_and_not_the_login() {
    explore_timeouts(Way::Succeeds, |login, session| async move {
        let hurried = GareOptions::new().max_wait(std::time::Duration::from_secs(1));
        let hurried = spawn(request_with(session.clone(), hurried, MFA, has_mfa));
        let hurried = hurried.await.expect("no panic");
        // The login itself may have timed out, too.
        assert!(
            hurried.admitted || ["max_wait", "failed", "unavailable"].contains(&gave_up(&hurried)),
            "{hurried:?}"
        );
        assert!(login.started() <= 1);
    });
}

#[checks::test(seconds = 600)]
fn service_that_always_challenges_causes_bounded_logins() {
    explore(Way::Succeeds, |login, session| async move {
        for end in together(3, &session, never).await {
            // One request notices; the others meet the backoff.
            let reasons = ["no_progress", "backing_off"];
            assert!(reasons.contains(&gave_up(&end)), "{end:?}");
        }
        assert_eq!(
            login.started(),
            1,
            "another request does not repeat a login that did not help"
        );
    });
}

/// Admits the second user with a second factor. Fails on a credential of the first user.
fn is_second(token: &str) -> bool {
    assert!(token.contains("-second"), "the first user's {token}");
    has_mfa(token)
}

#[checks::test(seconds = 600)]
fn second_user_is_never_sent_as_the_first() {
    explore(Way::Succeeds, |login, session| async move {
        let first = (0..2).map(|_| spawn(request(session.clone(), MFA, has_mfa)));
        let first: Vec<_> = first.collect();
        let second = spawn(async move {
            shuttle::future::yield_now().await;
            login.log_out();
            for end in together(2, &session, is_second).await {
                // A request of before the logout may end the login of the second user.
                let reasons = ["", "forgotten"];
                assert!(end.admitted || reasons.contains(&gave_up(&end)), "{end:?}");
            }
        });
        for request in first {
            let end = request.await.expect("no panic");
            assert!(["", "forgotten"].contains(&gave_up(&end)), "{end:?}");
        }
        second.await.expect("no panic");
    });
}

#[checks::test(seconds = 600)]
fn account_in_use_is_kept_though_it_is_being_evicted() {
    explore(Way::Succeeds, |login, _| async move {
        let session = Session::builder(login).max_principals(1).build();
        // An idle account, which the next principal evicts.
        drop(begun(&session, "a"));
        let begin = |name| {
            let session = session.clone();
            spawn(async move { begun(&session, name) })
        };
        let (one, other) = (begin("a"), begin("b"));
        let under_way = (one.await, other.await);
        // Accounts in use are kept beyond the bound.
        assert_eq!(session.stats().principals, 2);
        drop(under_way);
    });
}
