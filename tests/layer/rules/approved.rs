//! `SessionBuilder::approve`.

use std::sync::{Arc, Mutex};

use globus_gare::gare::Gare;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Challenge, GaveUp, Session};

use super::gave_up;
use checks::mock::{
    CONSENT, Login, MFA, Service, answer, authorization, behind, get, presenting, send, settle,
    spawn,
};

fn client(login: &Login, approve: fn(&Challenge) -> Option<Gare>) -> (Service, Arc<Mutex<usize>>) {
    let asked = Arc::<Mutex<usize>>::default();
    let counted = Arc::clone(&asked);
    let session = Session::builder(login.clone()).approve(move |challenge| {
        *counted.lock().expect("whole") += 1;
        approve(challenge)
    });
    let client = behind(&GareLayer::from_session(session.build()), |request| match (
        request.uri().path(),
        authorization(&request),
    ) {
        (_, "Bearer token-1") => answer(200, ""),
        ("/consent", _) => answer(403, CONSENT),
        ("/401", _) => answer(401, "{}"),
        _ => answer(403, MFA),
    });
    (client, asked)
}

fn only_second_factors(challenge: &Challenge) -> Option<Gare> {
    let asked = &challenge.gare().authorization_parameters;
    asked.session_required_mfa.then(|| challenge.gare().clone())
}

#[checks::test]
async fn unapproved_requirement_starts_no_login() {
    let login = Login::at_once();
    let (client, asked) = client(&login, only_second_factors);
    for path in ["/consent", "/401"] {
        let response = send(&client, get(path)).await;
        assert!(
            matches!(gave_up(&response), Some(GaveUp::NotApproved)),
            "{path}"
        );
    }
    assert_eq!((login.logins(), *asked.lock().expect("whole")), (0, 2));
    assert_eq!(send(&client, get("/mfa")).await.status(), 200);
}

#[checks::test]
async fn unapproved_requirement_waits_for_no_login() {
    let login = Login::held().stored("old");
    let (client, _) = client(&login, only_second_factors);
    let first = spawn(&client, get("/mfa"));
    settle().await;
    let response = send(&client, get("/consent")).await;
    assert!(matches!(gave_up(&response), Some(GaveUp::NotApproved)));
    login.let_go();
    assert_eq!(first.await.expect("no panic").status(), 200);
}

#[checks::test]
async fn unapproved_requirement_still_finds_a_credential() {
    let login = Login::at_once().stored("token-1");
    let (client, asked) = client(&login, |_| None);
    let request = presenting(get("/consent"), "Bearer old");
    assert_eq!(send(&client, request).await.status(), 200);
    assert_eq!((login.logins(), *asked.lock().expect("whole")), (0, 1));
}

#[checks::test]
async fn login_is_for_the_approved_part_of_a_requirement() {
    let login = Login::at_once();
    let (client, _) = client(&login, |challenge| {
        let mut gare = challenge.gare().clone();
        gare.authorization_parameters.required_scopes.clear();
        gare.authorization_parameters.session_required_mfa = true;
        Some(gare)
    });
    assert_eq!(send(&client, get("/consent")).await.status(), 200);
    let asked = &login.challenges()[0];
    assert!(
        asked
            .gare()
            .authorization_parameters
            .required_scopes
            .is_empty()
    );
    assert!(asked.gare().authorization_parameters.session_required_mfa);
}

#[checks::test]
async fn scopes_that_no_login_brought_are_new() {
    let new = Arc::<Mutex<Vec<Vec<String>>>>::default();
    let seen = Arc::clone(&new);
    let session = Session::builder(Login::at_once()).approve(move |challenge| {
        let scopes = challenge.new_scopes().into_iter().map(str::to_owned);
        seen.lock().expect("whole").push(scopes.collect());
        Some(challenge.gare().clone())
    });
    let client = behind(
        &GareLayer::from_session(session.build()),
        |request| match authorization(&request) {
            "Bearer token-2" => answer(200, ""),
            "Bearer token-1" => answer(
                403,
                r#"{"code":"ConsentRequired","authorization_parameters":{"required_scopes":["s","t"]}}"#,
            ),
            _ => answer(403, CONSENT),
        },
    );
    assert_eq!(send(&client, get("/")).await.status(), 200);
    assert_eq!(*new.lock().expect("whole"), [["s"], ["t"]]);
}
