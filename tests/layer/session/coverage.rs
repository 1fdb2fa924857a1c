//! Which login covers the requirement of another request: the request joins the login, or waits for
//! its end.

use std::sync::Arc;

use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GareOutcome, GaveUp, Session};
use tower::ServiceExt;

use super::look_ups::keeping;
use checks::mock::{
    Login, answer, authorization, behind, get, presenting, responses, spawn_in_turn,
};

fn params() -> AuthorizationParameters {
    AuthorizationParameters::default()
}

fn document(asked: &AuthorizationParameters) -> String {
    let gare = Gare::new("AuthorizationRequired", asked.clone());
    serde_json::to_string(&gare).expect("JSON")
}

/// Asserts whether a request that requires `asked` joins a login for `given`.
async fn login_covers(
    given: &AuthorizationParameters,
    asked: &AuthorizationParameters,
    covers: bool,
) {
    let case = format!("{given:?} covers {asked:?}");
    let login = Login::held();
    let session = Session::new(login.clone());
    let (first, second) = (document(given), document(asked));
    let client = behind(
        &GareLayer::from_session(session.clone()),
        move |request| match (request.uri().path(), authorization(&request)) {
            (_, "Bearer token-2") => answer(200, ""),
            ("/given", "Bearer token-1") => answer(200, ""),
            ("/asked", "Bearer token-1") if covers => answer(200, ""),
            ("/given", _) => answer(403, &first),
            _ => answer(403, &second),
        },
    );
    let all = ["/given", "/asked"].map(|path| presenting(get(path), "Bearer old"));
    let all = spawn_in_turn(&client, all).await;
    let joins = u64::from(covers);
    assert_eq!(
        (login.logins(), session.stats().joins),
        (1, joins),
        "{case}"
    );
    let challenges = login.challenges();
    assert_eq!(challenges[0].gare().authorization_parameters, *given);
    login.let_go();
    login.let_go();
    for response in responses(all).await {
        assert_eq!(response.status(), 200, "{case}");
    }
    let logins = if covers { 1 } else { 2 };
    assert_eq!(login.logins(), logins, "{case}");
}

#[checks::test]
async fn login_covers_what_globus_auth_documents() {
    let fresh = params();
    let policies = |of: &[&str]| params().with_session_required_policies(of.iter().copied());
    let scopes = |of: &[&str]| params().with_required_scopes(of.iter().copied());
    let domain = |of: &[&str]| params().with_session_required_single_domain(of.iter().copied());
    let identities = |of: &[&str]| params().with_session_required_identities(of.iter().copied());
    let mfa = params().with_session_required_mfa(true);
    let prompt = params().with_prompt("login");
    for (given, asked, covers) in [
        (&fresh, &fresh, true),
        // Any login is a fresh one, except a mere consent.
        (&policies(&["p"]), &fresh, true),
        (&mfa, &fresh, true),
        (&prompt, &fresh, true),
        (&scopes(&["s"]), &fresh, false),
        (
            &scopes(&["s"]).with_session_required_mfa(true),
            &fresh,
            true,
        ),
        // All policies and scopes must be covered.
        (&policies(&["p", "q"]), &policies(&["q"]), true),
        (&policies(&["p", "q"]), &policies(&["q", "p"]), true),
        (&policies(&["p"]), &policies(&["p", "q"]), false),
        (&scopes(&["a", "b"]), &scopes(&["b"]), true),
        (&scopes(&["b"]), &scopes(&["a", "b"]), false),
        (&scopes(&["a"]), &policies(&["a"]), false),
        (&fresh, &policies(&["p"]), false),
        (&fresh, &scopes(&["s"]), false),
        // One domain of a list must match, so a login for a shorter list covers a longer one.
        (&domain(&["a"]), &domain(&["a", "b"]), true),
        (&domain(&["b", "a"]), &domain(&["a", "b"]), true),
        (&domain(&["a", "b"]), &domain(&["a"]), false),
        (&domain(&["a"]), &domain(&["b"]), false),
        (&fresh, &domain(&["a"]), false),
        (&domain(&["a"]), &fresh, true),
        // Identities must be the same.
        (&identities(&["i", "j"]), &identities(&["j", "i"]), true),
        (&identities(&["i", "j"]), &identities(&["i"]), false),
        (&identities(&["i"]), &identities(&["i", "j"]), false),
        (&mfa, &mfa, true),
        (&fresh, &mfa, false),
        (&policies(&["p"]), &mfa, false),
        (&prompt, &prompt, true),
        (&fresh, &prompt, false),
        (&prompt, &params().with_prompt("consent"), false),
    ] {
        login_covers(given, asked, covers).await;
    }
}

#[checks::test]
async fn message_does_not_distinguish_requirements() {
    let mfa = || params().with_session_required_mfa(true);
    for (given, asked) in [
        (
            mfa().with_session_message("one"),
            mfa().with_session_message("two"),
        ),
        (mfa(), mfa().with_session_message("two")),
        (mfa().with_session_message("one"), mfa()),
        (
            params().with_session_message("one"),
            params().with_session_message("two"),
        ),
        (params().with_session_message("one"), params()),
    ] {
        login_covers(&given, &asked, true).await;
    }
}

#[checks::test(start_paused = true)]
async fn another_message_after_a_login_is_no_progress() {
    let login = Login::at_once();
    let session = Session::new(login.clone());
    let sent = Arc::default();
    let client = keeping(&session, &sent, |path, token| {
        let message = format!("{path} {token}");
        let asked = params().with_session_required_mfa(true);
        answer(403, &document(&asked.with_session_message(message)))
    });
    // Each response has another message and the same requirement.
    for (path, expected, name) in [
        ("/one", &["/one ", "/one Bearer token-1"][..], "no_progress"),
        ("/two", &["/two Bearer token-1"], "backing_off"),
    ] {
        let response = client.clone().oneshot(get(path)).await.expect("an answer");
        let outcome = response.extensions().get::<GareOutcome>().expect("one");
        assert_eq!(outcome.gave_up().map(GaveUp::name), Some(name));
        assert_eq!(login.logins(), 1, "{path}");
        let sent = std::mem::take(&mut *sent.lock().expect("whole"));
        assert_eq!(sent, expected);
    }
}
