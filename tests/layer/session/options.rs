//! What a request may ask of the layer, and every refusal that a caller can meet.

use std::collections::BTreeSet;
use std::time::Duration;

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GareOptions, GareOutcome, ReauthError, Refusal, Session, Trust};
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt, service_fn};

use checks::mock::{
    Body, CONSENT, Login, MFA, Once, answer, authorization, behind, get, let_in_first, outcome,
    presenting, send, with,
};

const LOGIN_URL: &str = "https://auth.globus.org/v2/oauth2/authorize?client_id=x";

/// Sends `request` to a service that is never content; what the caller gets.
async fn refused(session: &Session, request: Request<Body>, once: bool) -> Response<Vec<u8>> {
    let layer = GareLayer::from_session(session.clone());
    let demand = |token: &str| {
        if token == "Bearer token-1" {
            MFA
        } else {
            CONSENT
        }
    };
    let response = if once {
        let service = service_fn(move |request: Request<Once>| async move {
            Ok::<_, std::convert::Infallible>(answer(403, demand(authorization(&request))))
        });
        let request = request.map(|_| Once);
        layer.layer(service).oneshot(request).await
    } else {
        let client = behind(&layer, move |request| {
            answer(403, demand(authorization(&request)))
        });
        client.oneshot(request).await
    };
    let (head, body) = response.expect("an answer").into_parts();
    let body = body.collect().await.expect("a body").to_bytes();
    Response::from_parts(head, body.into())
}

/// The names that `Refusal::name` can give, as its source has them.
fn names_in_the_source() -> BTreeSet<String> {
    let source = include_str!("../../../src/reauth/outcome.rs");
    let (_, rest) = source.split_once("fn name(&self)").expect("its function");
    let (table, _) = rest.split_once("\n    }\n").expect("its end");
    let names = table.split('"').skip(1).step_by(2).map(str::to_owned);
    names.collect()
}

#[checks::test(start_paused = true)]
async fn each_reason_to_give_up_is_distinct() {
    let options = GareOptions::new;
    let asks = |login: Login| Session::builder(login);
    let declined = || Login::at_once().then(Err(ReauthError::declined()));
    let unattended = || Login::at_once().then(Err(ReauthError::interaction_required(LOGIN_URL)));
    let client_secret = "Basic Y2xpZW50OnNlY3JldA==";
    let at_most_one = || asks(Login::at_once()).max_logins(1);
    // Name, session, request, whether its body is a stream, found, logins, replays.
    let cases = [
        (
            "untrusted",
            asks(Login::at_once()).trust(Trust::none()),
            get("/"),
            false,
            0,
            0,
            0,
        ),
        (
            "not_bearer",
            asks(Login::at_once()),
            presenting(get("/"), client_secret),
            false,
            1,
            0,
            0,
        ),
        (
            "not_replayable",
            asks(Login::at_once()),
            get("/"),
            true,
            1,
            0,
            0,
        ),
        (
            "not_replayable",
            asks(Login::at_once()).login_for_unreplayable(true),
            get("/"),
            true,
            1,
            1,
            0,
        ),
        (
            "login_only",
            asks(Login::at_once()),
            with(get("/"), options().login_without_replay()),
            false,
            1,
            1,
            0,
        ),
        (
            "no_prompt",
            asks(Login::at_once()),
            with(get("/"), options().no_prompt()),
            false,
            1,
            0,
            0,
        ),
        (
            "no_progress",
            asks(Login::at_once().then(Ok(stale()))),
            get("/"),
            false,
            1,
            1,
            1,
        ),
        ("exhausted", at_most_one(), get("/"), false, 1, 1, 1),
        (
            "deadline_elapsed",
            asks(Login::held()),
            with(get("/"), options().deadline(Duration::from_secs(1))),
            false,
            1,
            0,
            0,
        ),
        ("failed", asks(declined()), get("/"), false, 1, 0, 0),
        ("failed", asks(unattended()), get("/"), false, 1, 0, 0),
    ];
    let mut met = BTreeSet::new();
    for (name, session, request, once, found, logins, replays) in cases {
        let session = session.build();
        let response = refused(&session, request, once).await;
        assert_eq!(response.status(), 403, "{name}");
        let demand = if name == "exhausted" { MFA } else { CONSENT };
        assert_eq!(response.body(), demand.as_bytes(), "{name}");
        let outcome = response.extensions().get::<GareOutcome>();
        let outcome = outcome.unwrap_or_else(|| panic!("{name}: no outcome"));
        let refusal = outcome.refusal().expect("a refusal");
        assert_eq!(refusal.name(), name);
        assert!(!refusal.to_string().is_empty());
        assert_eq!(
            (outcome.found().len(), outcome.logins(), outcome.replays()),
            (found, logins, replays),
            "{name}"
        );
        let refusals = session.stats().refusals;
        assert_eq!(refusals.total(), 1, "{name}: {refusals:?}");
        let counted = format!("{refusals:?}");
        assert!(counted.contains(&format!("{name}: 1")), "{name}: {counted}");
        met.insert(name.to_owned());
    }
    assert_eq!(met, names_in_the_source());
}

fn stale() -> globus_gare::reauth::Credential {
    globus_gare::reauth::Credential::bearer("token-0").expect("a token")
}

/// Nobody logs in for a request that may not be sent again.
#[checks::test]
async fn replays_of_a_request_are_bounded() {
    for (max, status_quo) in [(0, CONSENT), (1, MFA)] {
        let login = Login::at_once();
        let session = Session::builder(login.clone()).max_replays(max).build();
        let response = refused(&session, get("/"), false).await;
        assert_eq!(response.body(), status_quo.as_bytes());
        let outcome = outcome(&response);
        assert!(matches!(outcome.refusal(), Some(Refusal::Exhausted)));
        assert_eq!((outcome.logins(), outcome.replays()), (max, max));
        assert_eq!(login.logins(), max as usize);
    }
}

#[checks::test]
async fn program_that_cannot_prompt_gets_the_login_url() {
    let login = Login::at_once().then(Err(ReauthError::interaction_required(LOGIN_URL)));
    let response = refused(&Session::new(login), get("/"), false).await;
    let outcome = outcome(&response);
    let Some(Refusal::Failed(error)) = outcome.refusal() else {
        panic!("{outcome:?}");
    };
    assert!(error.is_interaction_required());
    assert_eq!(error.login_url(), Some(LOGIN_URL));
    assert!(!error.is_declined() && !error.is_timeout());
}

#[checks::test]
async fn request_with_never_passes_unchanged() {
    let login = Login::at_once().stored("secret");
    let client = behind(&GareLayer::new(login.clone()), |request| {
        assert_eq!(authorization(&request), "");
        answer(403, MFA)
    });
    let response = send(&client, with(get("/"), GareOptions::new().never())).await;
    assert_eq!(response.status(), 403);
    assert!(response.extensions().get::<GareOutcome>().is_none());
    assert_eq!((login.logins(), login.renewals()), (0, 0));
}

#[checks::test]
async fn request_without_prompts_uses_the_credential_of_others() {
    let login = Login::at_once();
    let client = behind(&login.layer(), let_in_first);
    let quiet = || with(get("/"), GareOptions::new().no_prompt());
    let status = async |request| send(&client, request).await.status().as_u16();
    assert_eq!((status(quiet()).await, login.logins()), (403, 0));
    let only = with(get("/"), GareOptions::new().login_without_replay());
    assert_eq!((status(only).await, login.logins()), (403, 1));
    assert_eq!((status(quiet()).await, login.logins()), (200, 1));
}
