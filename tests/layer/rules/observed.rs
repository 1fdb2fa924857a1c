//! Events of a session, and `Session::run`.

use std::sync::{Arc, Mutex};

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{EventKind, GareOutcome, Session};
use http::{HeaderValue, Request};
use tokio::time::advance;

use super::{gave_up, seconds};
use checks::mock::{
    Body, CONSENT, Login, MFA, POLICY, answer, authorization, behind, get, let_in_first, outcome,
    presenting, responses, send, settle, spawn, spawn_in_turn,
};

#[checks::test]
async fn observer_gets_the_events_of_its_session() {
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let notes = Arc::clone(&seen);
    let session = Session::builder(Login::at_once())
        .on_event(move |event| {
            let text = match event.kind {
                EventKind::Challenged { status, found, .. } => {
                    format!("challenged {status} {}", found.len())
                }
                EventKind::LoggedIn { generation, .. } => format!("logged in {generation}"),
                EventKind::Replayed { replays, .. } => format!("replayed {replays}"),
                EventKind::GaveUp { reason, .. } => format!("gave up {}", reason.name()),
                _ => return,
            };
            notes.lock().expect("whole").push(text);
        })
        .build();
    let client = behind(&GareLayer::from_session(session), |request| {
        match request.uri().path() {
            "/never" => answer(403, CONSENT),
            _ => let_in_first(request),
        }
    });
    send(&client, get("/")).await;
    send(&client, get("/never")).await;
    let expected = [
        "challenged 403 Forbidden 1",
        "logged in 1",
        "replayed 1",
        "challenged 403 Forbidden 1",
        "logged in 2",
        "replayed 1",
        "challenged 403 Forbidden 1",
        "gave up no_progress",
    ];
    assert_eq!(*seen.lock().expect("whole"), expected);
}

#[checks::test]
async fn observer_that_panics_ends_no_request() {
    let session = Session::builder(Login::at_once()).on_event(|_| panic!("an observer"));
    let client = behind(&GareLayer::from_session(session.build()), let_in_first);
    assert_eq!(send(&client, get("/")).await.status(), 200);
}

/// An event says why a response that may be a challenge was not inspected.
#[checks::test]
async fn response_that_is_not_inspected_says_why() {
    let long = "x".repeat(65);
    let cases = [
        ("content-encoding", "gzip", MFA, Some("encoded")),
        ("content-type", "image/png", MFA, Some("type")),
        ("content-type", "text/plain", &long, Some("max_inspect")),
        ("content-encoding", "gzip", "", None),
        ("content-type", "text/plain", "no such file", None),
    ];
    for (name, value, body, expected) in cases {
        let seen = Arc::<Mutex<Vec<&'static str>>>::default();
        let notes = Arc::clone(&seen);
        let session = Session::builder(Login::at_once()).on_event(move |event| {
            if let EventKind::NotInspected { reason, .. } = event.kind {
                notes.lock().expect("whole").push(reason);
            }
        });
        let layer = GareLayer::from_session(session.build()).max_inspect(64);
        let (body, value) = (body.to_owned(), HeaderValue::from_static(value));
        let client = behind(&layer, move |_| {
            let mut response = answer(404, &body);
            response.headers_mut().insert(name, value.clone());
            response
        });
        assert_eq!(send(&client, get("/")).await.status(), 404);
        let seen = seen.lock().expect("whole").clone();
        let is_expected = match (expected, &seen[..]) {
            (Some(word), [reason]) => reason.contains(word),
            (None, []) => true,
            _ => false,
        };
        assert!(is_expected, "{name}: {expected:?}: {seen:?}");
    }
}

#[checks::test]
async fn closure_can_be_the_client() {
    let login = Login::at_once();
    let session = Session::new(login.clone());
    let send =
        |request: Request<Body>| async move { Ok::<_, std::io::Error>(let_in_first(request)) };
    let response = session.run(get("/"), send).await.expect("an answer");
    assert_eq!(response.status(), 200);
    assert_eq!((outcome(&response).replays(), login.logins()), (1, 1));
    let broken =
        |_: Request<Body>| async { Err::<http::Response<Body>, _>(std::io::Error::other("reset")) };
    let error = session.run(get("/"), broken).await.expect_err("an error");
    assert_eq!(error.to_string(), "reset");
}

#[checks::test]
async fn ordinary_error_of_an_untrusted_origin_has_no_outcome() {
    let client = behind(&Login::at_once().layer(), |request| {
        match request.uri().path() {
            "/gare" => answer(404, MFA),
            _ => answer(404, r#"{"code":"NotFound"}"#),
        }
    });
    let to = |uri: &str| Request::get(uri).body(Body::default()).expect("a request");
    for (uri, reason) in [
        ("https://example.org/", None),
        ("https://example.org/gare", Some("untrusted")),
        ("/relative", None),
        ("/gare", Some("no_origin")),
    ] {
        let response = send(&client, to(uri)).await;
        let outcome = response.extensions().get::<GareOutcome>();
        assert_eq!(outcome.is_some(), reason.is_some(), "{uri}");
        if let Some(reason) = reason {
            assert_eq!(
                gave_up(&response).map(|it| it.name()),
                Some(reason),
                "{uri}"
            );
        }
    }
    assert_eq!(client.session().stats().gave_up.values().sum::<u64>(), 2);
}

#[checks::test]
async fn requirements_of_two_origins_are_never_merged() {
    let login = Login::held().stored("old");
    let client = behind(&login.layer(), |request| {
        let is_groups = request.uri().host() == Some("groups.api.globus.org");
        let number = checks::mock::token_number(&request);
        match (is_groups, request.uri().path()) {
            (true, _) if number == 0 => answer(403, CONSENT),
            (false, "/policy") if number < 2 => answer(403, POLICY),
            (false, "/") if number == 0 => answer(403, MFA),
            _ => answer(200, authorization(&request)),
        }
    });
    let first = spawn(&client, get("/"));
    settle().await;
    // These two wait: one requires more at this origin, one is for another origin.
    let others = [get("/policy"), super::get_groups("/")].map(|it| spawn(&client, it));
    settle().await;
    assert_eq!(login.logins(), 1);
    for _ in 0..3 {
        login.let_go();
        settle().await;
    }
    for response in checks::mock::responses([first].into_iter().chain(others)).await {
        assert_eq!(response.status(), 200);
    }
    assert_eq!(login.logins(), 3);
    for challenge in login.challenges() {
        let asked = &challenge.gare().authorization_parameters;
        let is_groups = challenge.target().origin().host() == "groups.api.globus.org";
        assert_eq!(
            asked.required_scopes.is_empty(),
            !is_groups,
            "{challenge:?}"
        );
        let is_transfer = asked.session_required_mfa || !asked.session_required_policies.is_empty();
        assert_eq!(is_transfer, !is_groups, "{challenge:?}");
    }
}

#[checks::test(start_paused = true)]
async fn slow_login_is_warned_about_once() {
    let told = Arc::new(Mutex::new(0));
    let count = Arc::clone(&told);
    let login = Login::held();
    let session = Session::builder(login.clone()).on_event(move |event| {
        if let EventKind::LoginTakesLong = event.kind {
            *count.lock().expect("whole") += 1;
        }
    });
    let client = behind(&GareLayer::from_session(session.build()), let_in_first);
    let waiting = spawn_in_turn(
        &client,
        [0, 1, 2].map(|_| presenting(get("/"), "Bearer old")),
    );
    let waiting = waiting.await;
    for (after, expected) in [(29, 0), (1, 1), (60, 1)] {
        advance(seconds(after)).await;
        settle().await;
        assert_eq!(*told.lock().expect("whole"), expected, "{after}");
    }
    login.let_go();
    for response in responses(waiting).await {
        assert_eq!(response.status(), 200);
    }
}
