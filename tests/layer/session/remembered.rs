//! Which principals a session remembers, and which it forgets.

use std::time::Duration;

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GareOptions, Session};
use http::Request;
use tokio::time::advance;

use checks::mock::{
    Body, Login, MFA, Service, answer, authorization, behind, get, send, settle, spawn, with,
};

fn of(name: &str, path: &str) -> Request<Body> {
    with(get(path), GareOptions::new().principal(name))
}

/// A service that requires a login for `/mfa`.
fn service(session: &Session) -> Service {
    behind(&GareLayer::from_session(session.clone()), |request| {
        let logged_in = authorization(&request) == "Bearer token-1";
        if request.uri().path() == "/mfa" && !logged_in {
            answer(403, MFA)
        } else {
            answer(200, "")
        }
    })
}

async fn ask(client: &Service, request: Request<Body>) -> u16 {
    send(client, request).await.status().as_u16()
}

#[checks::test(start_paused = true)]
async fn bound_on_accounts_drops_the_longest_idle_first() {
    let login = Login::at_once().stored("stored");
    let session = Session::builder(login.clone()).max_principals(2).build();
    let client = service(&session);
    // A principal that is remembered has its credential.
    for (name, look_ups) in [("a", 1), ("b", 2), ("a", 2), ("c", 3)] {
        assert_eq!(ask(&client, of(name, "/")).await, 200);
        assert_eq!(login.look_ups(), look_ups, "{name}");
        advance(Duration::from_secs(1)).await;
    }
    assert_eq!(session.stats().principals, 2);
    for (name, look_ups) in [("a", 3), ("c", 3), ("b", 4)] {
        assert_eq!(ask(&client, of(name, "/")).await, 200);
        assert_eq!(login.look_ups(), look_ups, "{name}");
    }
}

#[checks::test(start_paused = true)]
async fn account_with_a_login_is_kept_without_waiters() {
    let login = Login::held();
    let session = Session::builder(login.clone()).max_principals(2).build();
    let client = service(&session);
    let gone = spawn(&client, of("a", "/mfa"));
    settle().await;
    gone.abort();
    for name in ["b", "c"] {
        advance(Duration::from_secs(1)).await;
        assert_eq!(ask(&client, of(name, "/")).await, 200);
    }
    let again = spawn(&client, of("a", "/mfa"));
    settle().await;
    assert_eq!(login.logins(), 1, "the one that is under way");
    login.let_go();
    assert_eq!(again.await.expect("no panic").status(), 200);
}

#[checks::test(start_paused = true)]
async fn credential_of_a_slow_login_is_kept() {
    let login = Login::held();
    let minute = Duration::from_secs(60);
    let session = Session::builder(login.clone())
        .principal_idle(minute)
        .build();
    let client = service(&session);
    let gone = spawn(&client, of("a", "/mfa"));
    settle().await;
    gone.abort();
    advance(minute).await;
    login.let_go();
    settle().await;
    assert_eq!(session.stats().principals, 1, "the token, not the name");
}
