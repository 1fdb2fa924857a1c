//! What is set on a layer, and what is behind it.

use std::time::Duration;

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{ReauthError, Session, Trust, reauth_fn};
use tower::Layer;

fn session() -> Session {
    Session::new(reauth_fn(|_| async { Err(ReauthError::declined()) }))
}

#[checks::test]
fn layer_settings_are_those_of_its_session() {
    const WHILE: Duration = Duration::from_secs(7);
    type Set<T> = fn(T) -> T;
    let settings: [(Set<GareLayer>, Set<Session>); 10] = [
        (|on| on.trust(Trust::none()), |on| on.trust(Trust::none())),
        (|on| on.max_logins(7), |on| on.max_logins(7)),
        (|on| on.max_replays(7), |on| on.max_replays(7)),
        (|on| on.flight_timeout(WHILE), |on| on.flight_timeout(WHILE)),
        (|on| on.cool_down(WHILE), |on| on.cool_down(WHILE)),
        (|on| on.expiry_leeway(WHILE), |on| on.expiry_leeway(WHILE)),
        (|on| on.max_identities(7), |on| on.max_identities(7)),
        (|on| on.identity_idle(WHILE), |on| on.identity_idle(WHILE)),
        (|on| on.max_origins(7), |on| on.max_origins(7)),
        (
            |on| on.login_for_unreplayable(true),
            |on| on.login_for_unreplayable(true),
        ),
    ];
    let mut shown = vec![format!("{:?}", session())];
    for (on_layer, on_session) in settings {
        let layer = on_layer(GareLayer::from_session(session()));
        let of_layer = format!("{:?}", layer.session());
        assert_eq!(of_layer, format!("{:?}", on_session(session())));
        shown.push(of_layer);
    }
    for (index, one) in shown.iter().enumerate() {
        assert!(!shown[..index].contains(one), "nothing is set: {one}");
    }
}

#[checks::test]
fn client_behind_a_layer_can_be_taken_back() {
    let service = GareLayer::from_session(session()).layer("client");
    assert_eq!(*service.get_ref(), "client");
    assert_eq!(service.into_inner(), "client");
}
