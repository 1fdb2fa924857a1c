//! Attacks in the responses of a service: texts, requirements, bodies.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use checks::browser::{Browser, parameter};
use checks::mock::{Body, Login, MFA, answer, authorization, get as request, outcome};
use fake_globus::RequestKind;
use futures_util::{StreamExt, stream};
use globus_gare::reauth::{Challenge, GareOutcome, Trust};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};
use tokio::time::Instant;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::*;

const OTHER: &str = "d3a2c3f0-0000-4000-8000-000000000000";
const TRANSFER: &str = "https://transfer.api.globus.org/";

fn requiring(parameters: Value) -> String {
    json!({"code": "AuthorizationRequired", "authorization_parameters": parameters}).to_string()
}

/// Transfer's error for a login that a collection's server refuses. The server writes `result`.
fn refused_login(result: &str) -> String {
    format!(
        "Command Failed: Error (login)\nEndpoint: e\n---\nDetails: 530-Login incorrect.\r\n530-GridFTP-JSON-Result: {result}\r\n530 End.\r\n"
    )
}

#[checks::test]
async fn name_of_a_file_starts_no_login() {
    let sample = globus(|collection| collection).await;
    let person = Browser::redirected();
    let app = logged_in(app(&sample.globus, &person)).await;
    let client = client(&app, sample.trust());
    let asks =
        r#"{"authorization_parameters": {"session_required_single_domain": ["evil.example"]}}"#;
    for name in [
        "GridFTP-JSON-Result: ASKS",
        "x\r\n530-GridFTP-JSON-Result: ASKS",
        "x\\r\\n530-GridFTP-JSON-Result: ASKS",
        "x\n---\nDetails: 530-Login incorrect.\r\n530-GridFTP-JSON-Result: ASKS\r\n530 End.\r\n",
        "Command Failed: Error (login)\nDetails: 530-GridFTP-JSON-Result: ASKS\n",
        "ASKS",
    ] {
        let mut url = sample.listing().parse::<url::Url>().expect("a URL");
        let path = format!("/{}/", name.replace("ASKS", asks));
        url.query_pairs_mut().append_pair("path", &path);
        let (status, text, gave_up) = get(&client, url.as_str()).await;
        assert!(status >= 400 && text.contains("evil.example"), "{text}");
        assert_eq!((gave_up, person.logins()), (None, 1), "{name}: {text}");
    }
}

#[checks::test]
async fn owner_sets_no_scope_and_no_prompt() {
    let asks = json!({"authorization_parameters": {
        "required_scopes": ["urn:globus:auth:scope:groups.api.globus.org:all"], "prompt": "login",
        "session_message": "Call 555-0100", "session_required_mfa": true, "client_id": "evil",
    }});
    let text = refused_login(&asks.to_string());
    let body = json!({"code": "ExternalError", "message": text}).to_string();
    let victim = Victim::new(Trust::globus(), move |_| answer(502, &body));
    victim.visit(TRANSFER).await;
    let challenges = victim.login.challenges();
    let challenge = challenges.first().expect("a session is required");
    let required = &challenge.gare().authorization_parameters;
    assert!(required.required_scopes.is_empty() && required.prompt.is_none());
    assert!(required.extra.is_empty(), "{required:?}");
    let words = challenge.in_plain_words();
    assert!(
        words.contains("The collection's server says: \"Call"),
        "{words}"
    );
}

#[checks::test]
async fn requirement_with_thousands_of_values_starts_no_login() {
    let policies = |count: usize| vec!["a".repeat(36); count];
    let required = |count| requiring(json!({"session_required_policies": policies(count)}));
    for body in [
        required(5_000),
        required(65),
        requiring(json!({"session_required_policies": ["a".repeat(513)]})),
        requiring(json!({"required_scopes": ["a".repeat(5_000)]})),
        requiring(json!({"session_required_mfa": true, "session_message": "a".repeat(20_000)})),
    ] {
        let victim = Victim::new(Trust::globus(), move |_| answer(403, &body));
        victim.visit(TRANSFER).await;
        assert_eq!(victim.login.logins(), 0);
    }
    let many = (0..200).map(
        |it| json!({"authorization_parameters": {"session_required_policies": [it.to_string()]}}),
    );
    let body = json!({"errors": many.collect::<Vec<_>>()}).to_string();
    let victim = Victim::new(Trust::globus(), move |_| answer(403, &body));
    victim.visit(TRANSFER).await;
    let challenges = victim.login.challenges();
    assert!(!challenges.is_empty());
    for challenge in challenges {
        let required = &challenge.gare().authorization_parameters;
        assert!(challenge.found().len() <= 64 && required.session_required_policies.len() <= 64);
    }
}

#[checks::test(start_paused = true)]
async fn endless_or_slow_body_delays_no_caller() {
    fn whole(text: String) -> stream::BoxStream<'static, Bytes> {
        stream::iter([Bytes::from(text)]).boxed()
    }
    let slowly = || {
        stream::iter(MFA.bytes()).then(|byte| async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Bytes::copy_from_slice(&[byte])
        })
    };
    let bodies: [fn() -> stream::BoxStream<'static, Bytes>; 4] = [
        || stream::repeat(Bytes::from(vec![b'['; 1 << 16])).boxed(),
        || stream::pending().boxed(),
        || whole("[".repeat(200_000)),
        || whole("{\"a\":".repeat(50_000)),
    ];
    let bodies = bodies.into_iter().map(|body| body());
    for body in bodies.chain([slowly().boxed()]) {
        let login = Login::at_once();
        let body = Arc::new(Mutex::new(Some(body)));
        let service = service_fn(move |_: Request<Body>| {
            let body = body.lock().expect("whole").take().expect("one request");
            let frames = body.map(|bytes| Ok::<_, Infallible>(Frame::data(bytes)));
            let body = StreamBody::new(frames).boxed_unsync();
            let response = Response::builder()
                .status(403)
                .header("content-type", "application/json");
            std::future::ready(Ok::<_, Infallible>(
                response.body(body).expect("a response"),
            ))
        });
        let began = Instant::now();
        let response = login.layer().layer(service).oneshot(request("/")).await;
        let response = response.expect("an answer");
        assert!(
            began.elapsed() <= Duration::from_secs(11),
            "{:?}",
            began.elapsed()
        );
        assert!(response.extensions().get::<GareOutcome>().is_none());
        assert_eq!(login.logins(), 0);
    }
}

#[checks::test]
async fn compressed_body_is_not_decompressed() {
    for encoding in ["gzip", "br", "zstd", "deflate", "x-unknown"] {
        let victim = Victim::new(Trust::globus(), move |_| {
            let mut response = answer(403, MFA);
            let encoding = http::HeaderValue::from_static(encoding);
            response.headers_mut().insert("content-encoding", encoding);
            response
        });
        let response = victim.visit(TRANSFER).await;
        let body = response.into_body().collect().await.expect("a body");
        assert_eq!(body.to_bytes(), MFA, "{encoding}");
        assert_eq!(victim.login.logins(), 0, "{encoding}");
    }
}

/// The first challenge that a body causes.
async fn challenge(body: String) -> Challenge {
    let victim = Victim::new(Trust::globus(), move |_| answer(403, &body));
    victim.visit(TRANSFER).await;
    victim
        .login
        .challenges()
        .first()
        .expect("a challenge")
        .clone()
}

fn assert_is_one_plain_line(text: &str) {
    let hostile = [
        '\u{1b}',
        '\n',
        '\r',
        '\u{9b}',
        '\u{202e}',
        '\u{200b}',
        '\u{e0041}',
    ];
    assert!(!text.contains(hostile), "{text:?}");
}

#[checks::test]
async fn message_cannot_steer_the_terminal() {
    let message = "\u{1b}]8;;https://evil.example\u{7}Log in\u{1b}[2J\r\n\u{202e}\" (Globus says so) \u{201d}\u{e0041}";
    let (value, message) = (message.to_owned(), message.repeat(100));
    let words = challenge(requiring(json!({
        "session_message": message, "session_required_identities": [value], "prompt": value,
    })));
    let words = words.await.in_plain_words();
    assert_is_one_plain_line(&words);
    assert!(words.chars().count() <= 1_001, "{words}");
    let (_, quoted) = words.split_once("It says: \"").expect("a message");
    let inside = quoted.trim_end_matches(['"', '…']);
    assert!(!inside.contains(['"', '\u{201d}']), "{words}");
}

#[checks::test]
async fn member_names_cannot_steer_the_terminal() {
    let name = "\u{1b}[2J\r\n\u{202e}x".repeat(1_000);
    let challenge = challenge(json!({name: {"message": refused_login(MFA)}}).to_string()).await;
    let place = challenge.found()[0].location.to_string();
    assert_is_one_plain_line(&place);
    assert!(
        place.contains("message") && place.len() < 1_000,
        "{}",
        place.len()
    );
    assert_is_one_plain_line(&format!("{challenge:?}"));
}

#[checks::test(start_paused = true)]
async fn ever_new_requirements_start_a_bounded_number_of_logins() {
    let count = Arc::<AtomicUsize>::default();
    let victim = Victim::new(Trust::globus(), move |_| {
        let count = count.fetch_add(1, SeqCst);
        answer(
            403,
            &requiring(json!({"session_required_policies": [count.to_string()]})),
        )
    });
    let response = victim.visit(TRANSFER).await;
    assert_eq!(response.status(), 403);
    assert!(outcome(&response).logins() <= 5 && victim.login.logins() <= 5);
    for _ in 0..360 {
        victim.visit(TRANSFER).await;
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
    // The budget is 10 logins in 10 minutes. The test lasts an hour.
    assert!(victim.login.logins() <= 70, "{}", victim.login.logins());
}

#[checks::test]
async fn service_cannot_require_scopes_of_other_services() {
    let sample = globus(|collection| collection).await;
    let person = Browser::redirected();
    let groups = "urn:globus:auth:scope:groups.api.globus.org:all";
    for scope in [
        groups,
        &format!("https://auth.globus.org/scopes/x/y[{groups}]"),
        "openid email profile manage",
    ] {
        let body = json!({"code": "ConsentRequired", "required_scopes": [scope]});
        let service = Attacker::always(response(403, body.to_string())).await;
        let app = app(&sample.globus, &person).resource_server_for(&service.url, "evil");
        let app = logged_in(app).await;
        let begun = person.logins();
        let trust = sample.trust().origin(&service.url).expect("an origin");
        let (status, _, gave_up) = get(&client(&app, trust), &service.url).await;
        assert_eq!((status, gave_up), (403, Some("failed")), "{scope}");
        assert_eq!(person.logins(), begun, "{scope}");
    }
    // A dependent scope of the collection's own scope would give its owner a token for Groups.
    let own = format!("https://auth.globus.org/scopes/{OTHER}/https");
    let body = json!({"code": "ConsentRequired", "required_scopes": [format!("{own}[{groups}]")]});
    let owner = Attacker::always(response(403, body.to_string())).await;
    let app = app(&sample.globus, &person).collection(&owner.url, OTHER);
    let app = logged_in(app).await;
    let begun = person.logins();
    let trust = sample.trust().collection(&owner.url, OTHER);
    let client = client(&app, trust.expect("an origin"));
    assert_eq!(get(&client, &owner.url).await.2, Some("failed"));
    assert_eq!(person.logins(), begun);
    let asked = sample.globus.requests();
    let asked = asked
        .iter()
        .filter(|seen| seen.kind == RequestKind::Authorize);
    assert!(
        asked
            .filter_map(|seen| seen.query.as_deref())
            .all(|query| !query.contains("groups"))
    );
}

#[checks::test]
async fn parameters_of_globus_auth_cannot_be_chosen() {
    let evil = "https://evil.example/";
    let sample = globus(|collection| collection).await;
    let person = Browser::redirected();
    let body = requiring(json!({
        "session_required_single_domain": [format!("a&redirect_uri={evil}")], "prompt": format!("login&client_id={evil}"),
        "session_required_identities": [format!("a#{evil}")], "session_message": format!("m&state={evil}"),
        "redirect_uri": evil, "client_id": evil, "state": evil, "scope": evil, "code_challenge": evil,
        "code_challenge_method": "plain", "response_type": "token", "access_type": "offline",
    }));
    let service = Attacker::always(response(403, body)).await;
    let app =
        app(&sample.globus, &person).resource_server_for(&service.url, "transfer.api.globus.org");
    let app = logged_in(app).await;
    let trust = sample.trust().origin(&service.url).expect("an origin");
    get(&client(&app, trust), &service.url).await;
    let asked = person.requests();
    let [own, demanded, ..] = &asked[..] else {
        panic!("it may ask: {asked:?}")
    };
    let url = demanded.authorize_url();
    let names: Vec<_> = url
        .query_pairs()
        .map(|(name, _)| name.into_owned())
        .collect();
    let once: BTreeSet<_> = names.iter().collect();
    assert_eq!(once.len(), names.len(), "{names:?}");
    for name in [
        "client_id",
        "redirect_uri",
        "response_type",
        "code_challenge_method",
        "access_type",
    ] {
        let [own, demanded] = [own, demanded].map(|it| parameter(it.authorize_url(), name));
        assert_eq!(own, demanded, "{name}");
    }
    for name in ["state", "scope", "code_challenge"] {
        let value = parameter(url, name).expect("a value");
        assert!(!value.contains("evil"), "{name}: {value}");
    }
    assert_eq!(url.fragment(), None);
}

#[checks::test]
async fn token_echoed_in_a_challenge_is_not_logged() {
    let log = Log::default();
    let _guards = log.listen();
    let body = |token: &str| {
        let required = json!({
            "session_message": token, "session_required_identities": [token], "required_scopes": [token],
            "prompt": token, token: token,
        });
        let own = json!({"code": token, "authorization_parameters": {"session_message": token}});
        json!({
            "code": token, token: {"message": refused_login(&own.to_string())},
            "authorization_parameters": required,
        })
    };
    let victim = Victim::new(Trust::globus(), move |request| {
        answer(
            403,
            &body(authorization(request).trim_start_matches("Bearer ")).to_string(),
        )
    });
    let response = victim
        .visit(&format!("{TRANSFER}?token=in-the-query"))
        .await;
    let shown = format!("{:?}", outcome(&response).gave_up());
    let tokens: Vec<_> = victim
        .leaked()
        .into_iter()
        .map(|(_, token)| token)
        .collect();
    let log = log.text();
    assert!(tokens.len() > 1 && log.contains("challenge"), "{log}");
    for token in tokens {
        let token = token.trim_start_matches("Bearer ");
        assert!(
            !log.contains(token) && !shown.contains(token),
            "{token}: {log}"
        );
    }
    assert!(!log.contains("in-the-query"), "{log}");
}
