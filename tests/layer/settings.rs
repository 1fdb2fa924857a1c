//! The settings of a session, and access to the wrapped service.

use std::time::Duration;

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{ReauthError, Session, SessionBuilder, Trust, reauth_fn};
use tower::Layer;

fn builder() -> SessionBuilder {
    Session::builder(reauth_fn(|_| async { Err(ReauthError::declined()) }))
}

#[checks::test]
fn each_setting_of_a_session_is_shown() {
    const WHILE: Duration = Duration::from_secs(7);
    let settings: [fn(SessionBuilder) -> SessionBuilder; 20] = [
        |on| on,
        |on| on.trust(Trust::none()),
        |on| on.max_logins(7),
        |on| on.max_replays(7),
        |on| on.login_timeout(WHILE),
        |on| on.backoff(WHILE, WHILE),
        |on| on.login_budget(7, WHILE),
        |on| on.refresh_window(WHILE),
        |on| on.refresh_timeout(WHILE),
        |on| on.max_principals_in_use(7),
        |on| on.login_on_401(false),
        |on| on.one_person(),
        |on| on.supersede_presented(false),
        |on| on.principal_by(|_| None),
        |on| on.approve(|_| None),
        |on| on.max_principals(7),
        |on| on.principal_idle(WHILE),
        |on| on.max_origins(7),
        |on| on.login_if_not_replayable(false),
        |on| on.on_event(|_| {}),
    ];
    let mut shown = Vec::new();
    for set in settings {
        let layer = GareLayer::from_session(set(builder()).build());
        let one = format!("{:?}", layer.session());
        assert!(!shown.contains(&one), "nothing is set: {one}");
        shown.push(one);
    }
}

#[checks::test]
fn into_inner_returns_the_client() {
    let service = GareLayer::from_session(builder().build()).layer("client");
    assert_eq!(*service.get_ref(), "client");
    assert_eq!(service.into_inner(), "client");
}

#[checks::test]
fn get_mut_changes_the_client() {
    let mut service = GareLayer::from_session(builder().build()).layer(vec![1]);
    let clone = service.clone();
    service.get_mut().push(2);
    assert_eq!(*service.get_ref(), [1, 2]);
    assert_eq!(clone.into_inner(), [1], "a clone has its own client");
}
