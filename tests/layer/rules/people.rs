//! The principal of a request.

use std::sync::{Arc, Mutex};

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GareOptions, GaveUp, Principal, Session, reauth_fn};

use super::{bearer, gave_up, get_groups};
use checks::mock::{
    Login, MFA, Service, answer, authorization, behind, get, presenting, send, settle, spawn, with,
};

fn named(name: &str) -> GareOptions {
    GareOptions::new().principal(name)
}

/// A service that accepts tokens that begin with `private`.
fn private(session: Session) -> Service {
    behind(
        &GareLayer::from_session(session),
        |request| match authorization(&request) {
            token if token.starts_with("Bearer private") => answer(200, token),
            _ => answer(403, MFA),
        },
    )
}

async fn token_of(response: checks::mock::Answer) -> String {
    use http_body_util::BodyExt as _;
    let body = response
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    String::from_utf8(body.to_vec()).expect("text")
}

#[checks::test]
async fn token_from_a_look_up_leads_to_no_account() {
    let login = reauth_fn(|challenge| async move {
        let principal = format!("{:?}", challenge.target().principal());
        let name = if principal.contains("ada") {
            "ada"
        } else {
            "other"
        };
        Ok(bearer(&format!("private-{name}")))
    });
    let session = Session::new(login.with_credential(|_| async { Ok(Some(bearer("shared"))) }));
    let client = private(session);
    for name in ["ada", "bob"] {
        assert_eq!(
            send(&client, with(get("/"), named(name))).await.status(),
            200
        );
    }
    let response = send(&client, presenting(get("/"), "Bearer shared")).await;
    assert_eq!(token_of(response).await, "Bearer private-other");
}

#[checks::test]
async fn token_of_two_logins_leads_to_no_account() {
    let login = Login::at_once()
        .then(Ok(bearer("both")))
        .then(Ok(bearer("private-ada")))
        .then(Ok(bearer("both")))
        .then(Ok(bearer("private-bob")))
        .then(Ok(bearer("private-third")));
    let client = behind(&login.layer(), |request| {
        match (request.uri().path(), authorization(&request)) {
            (_, token) if token.starts_with("Bearer private") => answer(200, token),
            ("/both", "Bearer both") => answer(200, ""),
            _ => answer(403, MFA),
        }
    });
    for name in ["ada", "bob"] {
        for path in ["/both", "/"] {
            let request = with(get(path), named(name));
            assert_eq!(send(&client, request).await.status(), 200);
        }
    }
    let response = send(&client, presenting(get("/"), "Bearer both")).await;
    assert_eq!(token_of(response).await, "Bearer private-third");
}

#[checks::test]
async fn one_person_with_a_token_for_each_service_logs_in_once() {
    let login = Login::held();
    let session = Session::builder(login.clone()).one_person().build();
    let client = behind(
        &GareLayer::from_session(session),
        |request| match authorization(&request) {
            "Bearer token-1" | "Bearer groups-new" => answer(200, ""),
            _ => answer(403, MFA),
        },
    );
    let transfer = spawn(&client, presenting(get("/"), "Bearer transfer-old"));
    settle().await;
    let groups = spawn(&client, presenting(get_groups("/"), "Bearer groups-old"));
    settle().await;
    assert_eq!(
        login.logins(),
        1,
        "one person is asked for one thing at a time"
    );
    // The login brought tokens for both services.
    login.store("groups-new");
    login.let_go();
    assert_eq!(transfer.await.expect("no panic").status(), 200);
    assert_eq!(groups.await.expect("no panic").status(), 200);
    assert_eq!(login.logins(), 1);
    // A token that was seen is replaced by the newest. A new token becomes the newest.
    let old = presenting(get("/"), "Bearer transfer-old");
    assert_eq!(send(&client, old).await.status(), 200);
}

#[checks::test]
async fn new_token_of_one_person_is_the_newest() {
    let login = Login::at_once();
    let session = Session::builder(login.clone()).one_person().build();
    let client = private(session);
    let first = send(&client, presenting(get("/"), "Bearer private-1")).await;
    assert_eq!(token_of(first).await, "Bearer private-1");
    let second = send(&client, presenting(get("/"), "Bearer private-2")).await;
    assert_eq!(token_of(second).await, "Bearer private-2");
    let again = send(&client, presenting(get("/"), "Bearer private-1")).await;
    assert_eq!(token_of(again).await, "Bearer private-2");
    assert_eq!(login.logins(), 0);
}

#[checks::test]
async fn principal_by_names_the_principal() {
    let login = Login::at_once();
    let session = Session::builder(login.clone())
        .principal_by(|head| {
            let user = head.headers().get("x-user")?;
            Some(user.to_str().ok()?.into())
        })
        .build();
    let client = behind(
        &GareLayer::from_session(session.clone()),
        |request| match authorization(&request) {
            "" => answer(403, MFA),
            token => answer(200, token),
        },
    );
    let ask = async |user: &'static str| {
        let mut request = get("/");
        let value = user.parse().expect("a value");
        request.headers_mut().insert("x-user", value);
        token_of(send(&client, request).await).await
    };
    assert_eq!(ask("ada").await, "Bearer token-1");
    assert_eq!(ask("bob").await, "Bearer token-2");
    assert_eq!(ask("ada").await, "Bearer token-1");
    assert_eq!(session.stats().principals, 2);
}

#[checks::test]
async fn principals_in_use_are_bounded() {
    let login = Login::held();
    let session = Session::builder(login.clone())
        .max_principals_in_use(2)
        .build();
    let client = private(session.clone());
    let ask = |name: &str| with(get("/"), named(name));
    let waiting = ["a", "b"].map(|name| spawn(&client, ask(name)));
    settle().await;
    assert_eq!(login.logins(), 2);
    let response = send(&client, ask("c")).await;
    assert_eq!(response.status(), 403);
    assert!(matches!(
        gave_up(&response),
        Some(GaveUp::TooManyPrincipals)
    ));
    assert_eq!(session.stats().gave_up["too_many_principals"], 1);
    let response = send(&client, presenting(get("/"), "Bearer theirs")).await;
    assert!(matches!(
        gave_up(&response),
        Some(GaveUp::TooManyPrincipals)
    ));
    // When the earlier requests have ended, there is room.
    login.let_go();
    login.let_go();
    for response in checks::mock::responses(waiting).await {
        assert!(!matches!(
            gave_up(&response),
            Some(GaveUp::TooManyPrincipals)
        ));
    }
    login.let_go();
    let response = send(&client, ask("c")).await;
    assert!(!matches!(
        gave_up(&response),
        Some(GaveUp::TooManyPrincipals)
    ));
}

#[checks::test]
async fn options_of_the_layer_apply_to_requests_without_any() {
    let login = Login::at_once();
    let layer = GareLayer::from_session(Session::new(login.clone()));
    let client = behind(
        &layer.default_options(GareOptions::new().no_prompt()),
        |request| match authorization(&request) {
            "" => answer(403, MFA),
            _ => answer(200, ""),
        },
    );
    let response = send(&client, get("/")).await;
    assert!(matches!(gave_up(&response), Some(GaveUp::NoPrompt)));
    let prompted = with(get("/"), GareOptions::new());
    assert_eq!(send(&client, prompted).await.status(), 200);
}

/// A service that passes on its callers' tokens sends each token unchanged.
#[checks::test]
async fn presented_token_is_not_superseded_if_set_so() {
    for (supersede, status) in [(true, 200), (false, 403)] {
        let login = Login::at_once()
            .then(Ok(bearer("old")))
            .then(Ok(bearer("private-ada")));
        let session = Session::builder(login.clone()).supersede_presented(supersede);
        let client = behind(&GareLayer::from_session(session.build()), |request| match (
            request.uri().path(),
            authorization(&request),
        ) {
            (_, token) if token.starts_with("Bearer private") => answer(200, token),
            ("/old", "Bearer old") => answer(200, ""),
            _ => answer(403, MFA),
        });
        for path in ["/old", "/"] {
            let request = with(get(path), named("ada"));
            assert_eq!(send(&client, request).await.status(), 200);
        }
        // An attacker has Ada's old token.
        let response = send(&client, presenting(get("/"), "Bearer old")).await;
        assert_eq!(response.status(), status);
        assert_eq!(login.logins(), 2, "it starts no login");
        if !supersede {
            assert!(matches!(gave_up(&response), Some(GaveUp::Presented)));
        }
    }
}

#[checks::test]
async fn last_32_tokens_of_one_person_are_remembered() {
    let session = Session::builder(Login::at_once()).one_person().build();
    let client = private(session);
    let sent_as = async |number: usize| {
        let token = format!("Bearer private-{number}");
        token_of(send(&client, presenting(get("/"), &token)).await).await
    };
    for number in 1..=33 {
        assert_eq!(sent_as(number).await, format!("Bearer private-{number}"));
    }
    assert_eq!(sent_as(2).await, "Bearer private-33");
    // The last 32 are remembered.
    assert_eq!(sent_as(1).await, "Bearer private-1");
}

#[checks::test]
async fn principal_by_gets_the_head_of_a_request() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let session = Session::builder(Login::at_once()).principal_by(move |head| {
        let number = head.extensions().get::<u32>().copied();
        let line = format!("{} {} {number:?}", head.method(), head.path());
        notes.lock().expect("whole").push(line);
        None
    });
    let client = private(session.build());
    let mut request = get("/path?query");
    *request.method_mut() = http::Method::PUT;
    request.extensions_mut().insert(7_u32);
    send(&client, request).await;
    assert_eq!(*seen.lock().expect("whole"), ["PUT /path Some(7)"]);
}

#[checks::test]
async fn principal_of_the_options_wins_over_principal_by() {
    let login = Login::at_once();
    let session = Session::builder(login.clone()).principal_by(|_| Some("bob".into()));
    let client = behind(&GareLayer::from_session(session.build()), |_| {
        answer(403, MFA)
    });
    for (request, name) in [(with(get("/"), named("ada")), "ada"), (get("/"), "bob")] {
        send(&client, request).await;
        let challenges = login.challenges();
        let target = challenges.last().expect("a login").target();
        assert_eq!(*target.principal(), Principal::Named(name.into()));
    }
}

#[checks::test]
async fn authorization_other_than_bearer_is_sent_unchanged() {
    for one_person in [true, false] {
        let login = Login::at_once().stored("private");
        let mut session = Session::builder(login);
        if one_person {
            session = session.one_person();
        }
        let client = behind(&GareLayer::from_session(session.build()), |request| {
            answer(200, authorization(&request))
        });
        let request = || match one_person {
            true => get("/"),
            false => with(get("/"), named("ada")),
        };
        let response = send(&client, request()).await;
        assert_eq!(token_of(response).await, "Bearer private");
        let response = send(&client, presenting(request(), "Basic YWRhOng=")).await;
        assert_eq!(token_of(response).await, "Basic YWRhOng=");
    }
}
