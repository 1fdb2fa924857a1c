//! Requests of a login itself.

use std::sync::{Arc, OnceLock};

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, Principal, ReauthError, Session, Target, reauth_fn};
use tokio::time::advance;
use tower::ServiceExt;

use super::{bearer, seconds};
use checks::mock::{
    Login, MFA, Service, answer, authorization, behind, get, let_in_first, send, settle,
};

/// A client whose login spawns a task that sends a request through the same client.
fn spawning(is_part: bool) -> (Service, Session) {
    let own = Arc::new(OnceLock::<Service>::new());
    let client = Arc::clone(&own);
    let session = Session::builder(reauth_fn(move |challenge| {
        let client = client.get().expect("a client").clone();
        async move {
            let call = async move { client.oneshot(get("/tokens")).await };
            let answer = if is_part {
                tokio::spawn(challenge.part_of_login(call)).await
            } else {
                tokio::spawn(call).await
            };
            let answer = answer.map_err(|error| ReauthError::new("a panic").with_source(error))?;
            assert_eq!(answer.expect("an answer").status(), 403);
            Ok(Credential::bearer("token-1")?)
        }
    }))
    .login_timeout(seconds(60))
    .build();
    let layer = GareLayer::from_session(session.clone());
    let client = behind(&layer, |request| match authorization(&request) {
        "Bearer token-1" => answer(200, ""),
        _ => answer(403, MFA),
    });
    assert!(own.set(client.clone()).is_ok());
    (client, session)
}

#[checks::test(start_paused = true)]
async fn task_marked_as_part_of_a_login_does_not_wait() {
    let (client, _) = spawning(true);
    assert_eq!(send(&client, get("/")).await.status(), 200);
}

#[checks::test(start_paused = true)]
async fn unmarked_task_of_a_login_waits_for_its_end() {
    let (client, session) = spawning(false);
    assert_eq!(send(&client, get("/")).await.status(), 403);
    assert_eq!(session.stats().failed_logins, 1, "{:?}", session.stats());
}

#[checks::test(start_paused = true)]
async fn login_uses_the_credential_of_another_session() {
    for has_credential in [true, false] {
        let inner_login = Login::at_once();
        let inner = Session::new(inner_login.clone());
        let origin = "https://transfer.api.globus.org"
            .parse()
            .expect("an origin");
        if has_credential {
            let target = Target::new(origin, Principal::Session);
            inner
                .set_credential(&target, bearer("inner"))
                .expect("accepted");
        }
        let inner = behind(
            &GareLayer::from_session(inner),
            |request| match authorization(&request) {
                "Bearer inner" => answer(200, ""),
                _ => answer(403, MFA),
            },
        );
        let outer = reauth_fn(move |_| {
            let inner = inner.clone();
            async move {
                let status = send(&inner, get("/")).await.status().as_u16();
                Ok(bearer(&format!("inner-said-{status}")))
            }
        });
        let client = behind(&GareLayer::new(outer), |request| {
            match authorization(&request) {
                "Bearer inner-said-200" => answer(200, ""),
                "Bearer inner-said-403" => answer(202, ""),
                _ => answer(403, MFA),
            }
        });
        let expected = if has_credential { 200 } else { 202 };
        assert_eq!(send(&client, get("/")).await.status(), expected);
        assert_eq!(inner_login.logins(), 0);
    }
}

#[checks::test(start_paused = true)]
async fn login_refreshes_no_credential_of_another_session() {
    let inner_login = Login::at_once();
    let inner = Session::new(inner_login.clone());
    let origin = "https://transfer.api.globus.org".parse();
    let target = Target::new(origin.expect("an origin"), Principal::Session);
    let ends_soon = bearer("inner").with_lifetime(seconds(100));
    inner.set_credential(&target, ends_soon).expect("accepted");
    advance(seconds(60)).await;
    let client = behind(&GareLayer::from_session(inner), |_| answer(200, ""));
    let inside = client.clone();
    let outer = reauth_fn(move |_| {
        let inside = inside.clone();
        async move {
            send(&inside, get("/")).await;
            Ok(bearer("token-1"))
        }
    });
    let outer = behind(&GareLayer::new(outer), let_in_first);
    assert_eq!(send(&outer, get("/")).await.status(), 200);
    assert_eq!(inner_login.look_ups(), 0);
    // A request outside a login refreshes it.
    send(&client, get("/")).await;
    settle().await;
    assert_eq!(inner_login.look_ups(), 1);
}
