//! A service with many users.

use globus_gare::reauth::{Principal, Reauthenticator, Target};
use globus_login::GlobusApp;

use crate::support::endpoint::*;
use crate::support::*;

/// More users than memory keeps.
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

/// A session that has a credential asks for nothing but the revision, with each request.
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
    // Something has to give way: who does nothing.
    assert!(held(&app, &target(1)).await.is_none());
}
