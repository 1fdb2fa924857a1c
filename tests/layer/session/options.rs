//! The options of a request, and every reason to give up.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, GareOptions, GareOutcome, GaveUp, Principal,
    ReauthError, Reauthenticator, Session, SessionBuilder, Trust,
};
use http::{Request, Response};
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt, service_fn};

use checks::mock::{
    Body, CONSENT, Login, MFA, Once, answer, authorization, behind, get, let_in_first, outcome,
    presenting, send, settle, with,
};

const LOGIN_URL: &str = "https://auth.globus.org/v2/oauth2/authorize?client_id=x";

/// The response to `request` of a service that always challenges.
async fn challenged(session: &Session, request: Request<Body>, once: bool) -> Response<Vec<u8>> {
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

/// The names in the source of `GaveUp::name`.
fn names_in_the_source() -> BTreeSet<String> {
    let source = include_str!("../../../src/reauth/outcome.rs");
    let (_, rest) = source.split_once("fn name(&self)").expect("its function");
    let (table, _) = rest.split_once("\n    }\n").expect("its end");
    let names = table.split('"').skip(1).step_by(2).map(str::to_owned);
    names.collect()
}

/// A reauthenticator whose look-ups are unavailable.
struct Unreachable;

#[async_trait]
impl Reauthenticator for Unreachable {
    async fn reauthenticate(&self, _: &Challenge) -> Result<Credential, ReauthError> {
        panic!("no login starts");
    }

    async fn credential(&self, _: &CredentialRequest) -> Result<Option<Credential>, ReauthError> {
        Err(ReauthError::unavailable("the network is down"))
    }
}

/// A reauthenticator whose logins are by another person each time.
#[derive(Default)]
struct Another(AtomicU64);

#[async_trait]
impl Reauthenticator for Another {
    async fn reauthenticate(&self, _: &Challenge) -> Result<Credential, ReauthError> {
        self.0.fetch_add(1, SeqCst);
        Ok(stale())
    }

    fn revision(&self, _: &Principal) -> u64 {
        self.0.load(SeqCst)
    }
}

/// A request that gives up for one reason.
struct Case {
    name: &'static str,
    session: Session,
    /// Sent before `request`, which does not wait for its end.
    before: Option<Request<Body>>,
    request: Request<Body>,
    is_stream: bool,
    found: usize,
    logins: u32,
    replays: u32,
}

fn case(name: &'static str, session: SessionBuilder) -> Case {
    Case {
        name,
        session: session.build(),
        before: None,
        request: get("/"),
        is_stream: false,
        found: 1,
        logins: 0,
        replays: 0,
    }
}

fn cases() -> Vec<Case> {
    let at_once = || Session::builder(Login::at_once());
    let failing = |error| Session::builder(Login::at_once().then(Err(error)));
    let options = GareOptions::new;
    let minute = Duration::from_secs(60);
    let relative = Request::get("/").body(Body::default());
    vec![
        case("untrusted", at_once().trust(Trust::none())),
        Case {
            request: relative.expect("a request"),
            ..case("no_origin", at_once())
        },
        Case {
            request: presenting(get("/"), "Basic Y2xpZW50OnNlY3JldA=="),
            ..case("not_bearer", at_once())
        },
        Case {
            request: presenting(get("/"), "Bearer of-a-caller"),
            ..case("presented", at_once().supersede_presented(false))
        },
        Case {
            is_stream: true,
            ..case("not_replayable", at_once().login_if_not_replayable(false))
        },
        Case {
            is_stream: true,
            logins: 1,
            ..case("not_replayable", at_once())
        },
        Case {
            request: with(get("/"), options().login_only()),
            logins: 1,
            ..case("login_only", at_once())
        },
        Case {
            request: with(get("/"), options().no_prompt()),
            ..case("no_prompt", at_once())
        },
        case("not_approved", at_once().approve(|_| None)),
        Case {
            logins: 1,
            replays: 1,
            ..case(
                "no_progress",
                Session::builder(Login::at_once().then(Ok(stale()))),
            )
        },
        Case {
            before: Some(get("/")),
            ..case("backing_off", failing(ReauthError::declined()))
        },
        Case {
            before: Some(get("/")),
            ..case("backing_off", failing(ReauthError::unavailable("503")))
        },
        case("budget", at_once().login_budget(0, minute)),
        case("unavailable", Session::builder(Unreachable)),
        Case {
            before: Some(presenting(get("/"), "Bearer bob")),
            request: presenting(get("/"), "Bearer ada"),
            ..case(
                "too_many_principals",
                Session::builder(Login::held()).max_principals_in_use(1),
            )
        },
        case("forgotten", Session::builder(Another::default())),
        Case {
            logins: 1,
            replays: 1,
            ..case("exhausted", at_once().max_logins(1))
        },
        Case {
            request: with(get("/"), options().max_wait(Duration::from_secs(1))),
            ..case("max_wait", Session::builder(Login::held()))
        },
        case("failed", failing(ReauthError::declined())),
        case(
            "interaction_required",
            failing(ReauthError::interaction_required(LOGIN_URL)),
        ),
    ]
}

#[checks::test(start_paused = true)]
async fn each_reason_to_give_up_is_distinct() {
    let mut met = BTreeSet::new();
    for case in cases() {
        let (name, session) = (case.name, case.session);
        if let Some(before) = case.before {
            let session = session.clone();
            tokio::spawn(async move { challenged(&session, before, false).await });
            settle().await;
        }
        let before = session.stats().gave_up.values().sum::<u64>();
        let response = challenged(&session, case.request, case.is_stream).await;
        assert_eq!(response.status(), 403, "{name}");
        let demand = if name == "exhausted" { MFA } else { CONSENT };
        assert_eq!(response.body(), demand.as_bytes(), "{name}");
        let outcome = response.extensions().get::<GareOutcome>();
        let outcome = outcome.unwrap_or_else(|| panic!("{name}: no outcome"));
        let reason = outcome.gave_up().expect("a reason");
        assert_eq!(reason.name(), name);
        assert!(!reason.to_string().is_empty());
        assert_eq!(
            (outcome.found().len(), outcome.logins(), outcome.replays()),
            (case.found, case.logins, case.replays),
            "{name}"
        );
        let reasons = session.stats().gave_up;
        assert_eq!(
            reasons.values().sum::<u64>(),
            before + 1,
            "{name}: {reasons:?}"
        );
        assert_eq!(reasons[name], 1, "{name}: {reasons:?}");
        met.insert(name.to_owned());
    }
    // The reasons of collections need other responses: see `rules::collections`.
    let of_collections = ["redirected_to_login", "unverified_collection"];
    met.extend(of_collections.map(str::to_owned));
    assert_eq!(met, names_in_the_source());
}

#[checks::test]
fn page_for_operators_lists_each_reason_to_give_up() {
    let page = include_str!("../../../src/guide/operators.md");
    let (_, reasons) = page
        .split_once("\n# What each reason")
        .expect("its section");
    let rows = reasons.lines().filter_map(|row| row.strip_prefix("| [`"));
    let names: Vec<_> = rows
        .map(|row| {
            let (name, rest) = row
                .split_once("`](crate::reauth::GaveUp::")
                .expect("a link");
            let (variant, rest) = rest.split_once(')').expect("its end");
            let expected = match name {
                "interaction_required" => "failed".to_owned(),
                name => name.replace('_', ""),
            };
            assert_eq!(variant.to_lowercase(), expected);
            assert_eq!(rest.matches(" | ").count(), 3, "{name}");
            name.to_owned()
        })
        .collect();
    let listed = BTreeSet::from_iter(names.iter().cloned());
    assert_eq!(listed.len(), names.len(), "one is there twice");
    assert_eq!(listed, names_in_the_source());
}

fn stale() -> Credential {
    Credential::bearer("token-0").expect("a token")
}

/// No login starts for a request that may not be replayed again.
#[checks::test]
async fn replays_of_a_request_are_bounded() {
    for (max, status_quo) in [(0, CONSENT), (1, MFA)] {
        let login = Login::at_once();
        let session = Session::builder(login.clone()).max_replays(max).build();
        let response = challenged(&session, get("/"), false).await;
        assert_eq!(response.body(), status_quo.as_bytes());
        let outcome = outcome(&response);
        assert!(matches!(outcome.gave_up(), Some(GaveUp::Exhausted)));
        assert_eq!((outcome.logins(), outcome.replays()), (max, max));
        assert_eq!(login.logins(), max as usize);
    }
}

#[checks::test]
async fn program_that_cannot_prompt_gets_the_login_url() {
    let login = Login::at_once().then(Err(ReauthError::interaction_required(LOGIN_URL)));
    let response = challenged(&Session::new(login), get("/"), false).await;
    let outcome = outcome(&response);
    let Some(GaveUp::Failed(error)) = outcome.gave_up() else {
        panic!("{outcome:?}");
    };
    assert!(error.is_interaction_required());
    assert_eq!(error.login_url(), Some(LOGIN_URL));
    assert!(!error.is_declined() && !error.is_timeout());
}

#[checks::test]
async fn bypassed_request_is_sent_unchanged() {
    let login = Login::at_once().stored("secret");
    let client = behind(&GareLayer::new(login.clone()), |request| {
        assert_eq!(authorization(&request), "");
        answer(403, MFA)
    });
    let response = send(&client, with(get("/"), GareOptions::new().bypass())).await;
    assert_eq!(response.status(), 403);
    assert!(response.extensions().get::<GareOutcome>().is_none());
    assert_eq!((login.logins(), login.look_ups()), (0, 0));
}

#[checks::test]
async fn no_prompt_request_uses_the_credential_of_others() {
    let login = Login::at_once();
    let client = behind(&login.layer(), let_in_first);
    let quiet = || with(get("/"), GareOptions::new().no_prompt());
    let status = async |request| send(&client, request).await.status().as_u16();
    assert_eq!((status(quiet()).await, login.logins()), (403, 0));
    let only = with(get("/"), GareOptions::new().login_only());
    assert_eq!((status(only).await, login.logins()), (403, 1));
    assert_eq!((status(quiet()).await, login.logins()), (200, 1));
}
