//! A service with many users.

use std::time::Duration;

use checks::tokens;
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Challenge, Credential, Principal, Reauthenticator, Target};
use globus_login::GlobusApp;

use crate::support::endpoint::*;
use crate::support::*;

/// More users than a `MemoryStore` keeps.
const OTHERS: usize = 1030;

fn user(number: usize) -> Principal {
    Principal::Named(format!("user-{number}").into())
}

async fn log_in(app: &GlobusApp, number: usize) {
    let pending = app.begin_login(&user(number), None).await;
    let pending = pending.expect("a login");
    let state = value(pending.authorize_url(), "state");
    let back = format!("https://service.example/back?code=c&state={state}");
    let done = app
        .finish_login(pending, back.parse().expect("a URL"))
        .await;
    done.expect("a login");
}

/// A session with a credential calls only `revision`, at each request.
#[checks::test]
async fn active_user_outlives_many_others() {
    let endpoint = Endpoint::approving().await;
    let app = endpoint.app().build().expect("an app");
    let target = |number| Target::new(target(TRANSFER).origin().clone(), user(number));
    log_in(&app, 0).await;
    log_in(&app, 1).await;
    assert!(held(&app, &target(0)).await.is_some());
    for number in 2..OTHERS {
        log_in(&app, number).await;
        app.revision(&user(0));
    }
    assert!(
        held(&app, &target(0)).await.is_some(),
        "the active user is forgotten"
    );
    // An idle user is forgotten instead.
    assert!(held(&app, &target(1)).await.is_none());
}

/// A session forgets the credential of an idle user, and finds it in the store again.
#[checks::test(start_paused = true)]
async fn idle_user_leaves_memory_and_is_found_in_the_store() {
    let hour = Duration::from_secs(3600);
    for (idle, default) in [(hour, true), (5 * hour, false)] {
        let endpoint = Endpoint::approving().await;
        let (_home, store) = tokens::token_file();
        let builder = endpoint.app().store(store);
        let builder = if default {
            builder
        } else {
            builder.user_idle(idle)
        };
        let app = builder.build().expect("an app");
        let target = Target::new(target(TRANSFER).origin().clone(), user(0));
        log_in(&app, 0).await;
        let before = (app.revision(&user(0)), app.revision(&user(1)));
        for _ in 0..8 {
            tokio::time::advance(idle / 4).await;
            app.revision(&user(1));
        }
        let now = (app.revision(&user(0)), app.revision(&user(1)));
        assert_ne!(now.0, before.0, "a session looks the credential up again");
        assert_eq!(now.1, before.1, "a user with requests is not idle");
        assert!(held(&app, &target).await.is_some());
        assert_eq!(app.revision(&user(0)), now.0);
    }
}

/// The login of a presented token is in memory only.
#[checks::test(start_paused = true)]
async fn login_of_a_presented_token_is_dropped_when_idle() {
    let endpoint = Endpoint::approving().await;
    let app = endpoint.app().build().expect("an app");
    let presented = Principal::Presented(Credential::bearer("of-whom").expect("a token"));
    let target = Target::new(target(TRANSFER).origin().clone(), presented.clone());
    let mfa = AuthorizationParameters::default().with_session_required_mfa(true);
    let challenge = Challenge::new(target.clone(), Gare::new("AuthorizationRequired", mfa));
    app.reauthenticate(&challenge).await.expect("a login");
    for _ in 0..4 {
        tokio::time::advance(Duration::from_secs(1800)).await;
        assert!(held(&app, &target).await.is_some());
    }
    tokio::time::advance(Duration::from_secs(3600)).await;
    assert!(held(&app, &target).await.is_none());
}
