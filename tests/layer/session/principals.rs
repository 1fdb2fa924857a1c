//! Requests with a named principal and an `Authorization`: the name decides.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, GareOptions, GaveUp, Principal, ReauthError, Session};
use http::Request;

use super::look_ups::keeping;
use checks::mock::{
    Body, Login, MFA, answer, authorization, behind, get, is_declined, outcome, presenting,
    responses, send, settle, spawn, with,
};

fn named(name: &str) -> Principal {
    Principal::Named(name.into())
}

fn presented(token: &str) -> Principal {
    Principal::Presented(Credential::bearer(token).expect("a token"))
}

/// The requests since the last call.
fn take(sent: &Mutex<Vec<String>>) -> Vec<String> {
    std::mem::take(&mut *sent.lock().expect("whole"))
}

/// The records of requests for `path` with these tokens.
fn lines(path: &str, tokens: &[&str]) -> Vec<String> {
    let lines = tokens.iter().map(|token| format!("{path} Bearer {token}"));
    lines.collect()
}

/// A request of `name` that presents `token`. Either may be empty.
fn request(name: &str, token: &str) -> Request<Body> {
    let mut request = get("/");
    if !token.is_empty() {
        request = presenting(request, &format!("Bearer {token}"));
    }
    if !name.is_empty() {
        request = with(request, GareOptions::new().principal(name));
    }
    request
}

#[checks::test]
async fn name_wins_over_a_presented_token() {
    let login = Login::at_once();
    let session = Session::new(login.clone());
    let (wanted, sent) = (Arc::new(AtomicUsize::new(1)), Arc::default());
    let least = Arc::clone(&wanted);
    let client = keeping(&session, &sent, move |_, token| {
        let number = token.strip_prefix("Bearer token-");
        let number: usize = number.map_or(0, |number| number.parse().expect("a number"));
        answer(
            if number >= least.load(SeqCst) {
                200
            } else {
                403
            },
            MFA,
        )
    });
    // The lowest accepted token, the name, the presented token; the sent tokens, and the principals
    // of the logins.
    for (least, name, token, expected, who) in [
        (1, "ada", "old", &["old", "token-1"][..], Some(named("ada"))),
        // The account is that of the name, whatever the request presents.
        (1, "ada", "other", &["token-1"], None),
        (1, "ada", "", &["token-1"], None),
        // The same token with another name, and with none, belongs to another principal.
        (1, "bob", "old", &["old", "token-2"], Some(named("bob"))),
        (1, "", "old", &["old", "token-3"], Some(presented("old"))),
        (1, "bob", "old", &["token-2"], None),
        (1, "ada", "old", &["token-1"], None),
        (1, "", "old", &["token-3"], None),
        // A token issued for one account does not make the request of a named principal its own.
        (4, "ada", "old", &["token-1", "token-4"], Some(named("ada"))),
        (
            4,
            "eve",
            "token-1",
            &["token-1", "token-5"],
            Some(named("eve")),
        ),
        (4, "", "token-1", &["token-4"], None),
    ] {
        wanted.store(least, SeqCst);
        let logins = login.logins();
        let response = send(&client, request(name, token)).await;
        assert_eq!(response.status(), 200, "{name} {token}");
        assert_eq!(take(&sent), lines("/", expected), "{name} {token}");
        let challenges = login.challenges();
        let asked = challenges[logins..].iter().map(|asked| asked.target());
        let asked: Vec<_> = asked.map(|target| target.principal().clone()).collect();
        assert_eq!(asked, Vec::from_iter(who), "{name} {token}");
    }
}

#[checks::test]
async fn failed_login_backs_off_for_its_own_principal() {
    let login = Login::at_once().then(Err(ReauthError::declined()));
    let client = behind(&GareLayer::new(login.clone()), |request| {
        let known = authorization(&request).starts_with("Bearer token-");
        answer(if known { 200 } else { 403 }, MFA)
    });
    for (name, token, status, reason, logins) in [
        ("ada", "shared", 403, Some("failed"), 1),
        ("ada", "other", 403, Some("backing_off"), 1),
        ("bob", "shared", 200, None, 2),
        ("", "shared", 200, None, 3),
    ] {
        let response = send(&client, request(name, token)).await;
        assert_eq!(
            (response.status().as_u16(), login.logins()),
            (status, logins),
            "{name} {token}"
        );
        let gave_up = outcome(&response).gave_up().map(GaveUp::name);
        assert_eq!(gave_up, reason, "{name} {token}");
        assert_eq!(is_declined(&response), status == 403, "{name} {token}");
    }
}

/// Both are in use beyond the bound: neither may lose the credential of its login.
#[checks::test]
async fn principals_in_use_are_kept_beyond_the_bound() {
    let login = Login::held();
    let session = Session::builder(login.clone()).max_principals(1).build();
    let client = behind(&GareLayer::from_session(session.clone()), |request| {
        let known = authorization(&request).starts_with("Bearer token-");
        answer(if known { 200 } else { 403 }, MFA)
    });
    let each = || ["ada", "bob", "eve"].map(|name| spawn(&client, request(name, "old")));
    let all = each();
    settle().await;
    assert_eq!((login.logins(), session.stats().principals), (3, 3));
    // A second request of each joins the login of the first.
    let more = each();
    settle().await;
    assert_eq!((login.logins(), session.stats().joins), (3, 3));
    for _ in 0..3 {
        login.let_go();
    }
    for response in responses(all.into_iter().chain(more)).await {
        assert_eq!(response.status(), 200);
    }
    assert_eq!(login.logins(), 3);
}

/// A principal presents the token. A login that brings the same token for another principal does
/// not move the first to the other's account.
#[checks::test]
async fn token_of_another_login_moves_no_principal() {
    let shared = Credential::bearer("shared");
    let login = Login::at_once()
        .then(Ok(Credential::bearer("token-1").expect("a token")))
        .then(Ok(shared.expect("a token")));
    let session = Session::new(login.clone());
    let sent = Arc::default();
    let client = keeping(&session, &sent, |path, token| match (path, token) {
        ("/", _) | ("/ada", "Bearer token-1") => answer(200, ""),
        ("/bob", "Bearer shared") | ("/more", "Bearer token-3") => answer(200, ""),
        _ => answer(403, MFA),
    });
    // The path, the name, the presented token; the sent tokens.
    for (path, name, token, expected) in [
        ("/ada", "", "shared", &["shared", "token-1"][..]),
        ("/bob", "bob", "other", &["other", "shared"]),
        ("/", "", "shared", &["token-1"]),
        // Bob gets another token, which is only his.
        ("/more", "bob", "other", &["shared", "token-3"]),
        ("/", "", "shared", &["token-1"]),
    ] {
        let mut request = request(name, token);
        *request.uri_mut() = get(path).uri().clone();
        let response = send(&client, request).await;
        assert_eq!(response.status(), 200, "{path} {name}");
        assert_eq!(take(&sent), lines(path, expected), "{path} {name}");
    }
    assert_eq!(login.logins(), 3);
}
