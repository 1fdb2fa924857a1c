//! Several resource servers at one origin: each flow has its own, beside that of all flows.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GareOptions, GareOutcome, GaveUp, Session, Trust};
use globus_login::{GlobusApp, GlobusAppBuilder, MemoryStore};
use http::header::AUTHORIZATION;
use http::{Request, Response};
use http_body_util::Full;
use serde_json::json;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::endpoint::*;
use crate::support::*;

const FLOWS: &str = "https://flows.automate.globus.org";
const FLOW: &str = "6c54cade-bde5-45c1-bdea-f4bd71dba2cc";
const FLOW_SCOPE: &str = "https://auth.globus.org/scopes/6c54cade-bde5-45c1-bdea-f4bd71dba2cc/run";

const REQUIRED: &str =
    r#"{"code":"AuthorizationRequired","authorization_parameters":{"session_required_mfa":true}}"#;

/// The tokens that a service was sent, in order.
type Sent = Arc<Mutex<Vec<String>>>;

/// Sends a request through a layer of `app`. `answers` is the status of the service for a token.
async fn send(
    app: &GlobusApp,
    request: Request<Full<Bytes>>,
    answers: fn(&str) -> u16,
) -> (Vec<String>, u16, Option<GaveUp>) {
    let sent = Sent::default();
    let log = Arc::clone(&sent);
    let service = service_fn(move |request: Request<Full<Bytes>>| {
        let token = request.headers().get(AUTHORIZATION);
        let token = token.map_or("", |token| token.to_str().expect("text"));
        let token = token.trim_start_matches("Bearer ").to_owned();
        let status = answers(&token);
        log.lock().expect("whole").push(token);
        let body = if status < 400 { "" } else { REQUIRED };
        let answer = Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .body(Full::<Bytes>::from(body));
        async move { Ok::<_, Infallible>(answer.expect("an answer")) }
    });
    let session = Session::builder(app.clone()).trust(Trust::globus()).build();
    let client = GareLayer::from_session(session).layer(service);
    let answer = client.oneshot(request).await.expect("an answer");
    let outcome = answer.extensions().get::<GareOutcome>();
    let gave_up = outcome.and_then(GareOutcome::gave_up).cloned();
    let sent = std::mem::take(&mut *sent.lock().expect("whole"));
    (sent, answer.status().as_u16(), gave_up)
}

fn get(url: &str) -> Request<Full<Bytes>> {
    let request = Request::get(url).body(Full::default());
    request.expect("a request")
}

fn get_as(url: &str, server: &str) -> Request<Full<Bytes>> {
    let mut request = get(url);
    let options = GareOptions::new().resource_server(server);
    request.extensions_mut().insert(options);
    request
}

fn with_rules(builder: GlobusAppBuilder) -> GlobusAppBuilder {
    builder
        .resource_server_below(format!("{FLOWS}/flows/{FLOW}/"), "replaced")
        .resource_server_below(format!("{FLOWS}/flows/{FLOW}"), FLOW)
        .resource_server_below(format!("{FLOWS}/flows/{FLOW}/runs/old"), "old-runs")
        .resource_server_below("https://transfer.api.globus.org/flows", "elsewhere")
}

#[checks::test]
async fn path_gets_the_token_of_its_resource_server() {
    let store = MemoryStore::new();
    for server in [
        FLOW,
        "flows.globus.org",
        "old-runs",
        "elsewhere",
        "replaced",
        TRANSFER_SERVER,
    ] {
        keep(&store, stored(server, server, true)).await;
    }
    let app = GlobusApp::user(CLIENT).auth_url("http://127.0.0.1:1");
    let app = with_rules(app).store(store).build().expect("an app");
    let flow = format!("{FLOWS}/flows/{FLOW}");
    for (request, server) in [
        (get(FLOWS), "flows.globus.org"),
        (get(&format!("{FLOWS}/flows")), "flows.globus.org"),
        (
            get(&format!("{FLOWS}/runs/flows/{FLOW}")),
            "flows.globus.org",
        ),
        // Another path that begins with the same text.
        (get(&format!("{flow}-2/run")), "flows.globus.org"),
        (get(&flow), FLOW),
        (get(&format!("{flow}/run?x=1")), FLOW),
        (get(&format!("{flow}/runs/older")), FLOW),
        (get(&format!("{flow}/runs/old/1")), "old-runs"),
        (get("https://transfer.api.globus.org/flows/x"), "elsewhere"),
        (get("https://transfer.api.globus.org/"), TRANSFER_SERVER),
        // The resource server that the request names counts first.
        (
            get_as(&format!("{flow}/run"), "flows.globus.org"),
            "flows.globus.org",
        ),
        (get_as(FLOWS, FLOW), FLOW),
        // No other token is sent instead.
        (get_as(&flow, "unknown"), ""),
    ] {
        let url = request.uri().to_string();
        let (sent, status, _) = send(&app, request, |_| 200).await;
        assert_eq!((sent, status), (vec![server.to_owned()], 200), "{url}");
    }
}

#[checks::test]
async fn login_for_a_flow_is_replayed_with_its_own_token() {
    for has_token in [true, false] {
        let mut given = login("given");
        if has_token {
            let mut flow = refreshed(FLOW, "given-flow");
            flow["scope"] = FLOW_SCOPE.into();
            let tokens = given["other_tokens"].as_array_mut();
            tokens.expect("a list").push(flow);
        }
        let endpoint = Endpoint::always(answer(200, &given)).await;
        let store = MemoryStore::new();
        for server in ["flows.globus.org", FLOW] {
            let token = stored(server, &format!("old-{server}"), true);
            keep(
                &store,
                checks::tokens::with(&token, json!({"identity_id": ADA})),
            )
            .await;
        }
        let app = with_rules(endpoint.app()).scopes([TRANSFER_ALL, FLOW_SCOPE]);
        let app = app.store(store).build().expect("an app");
        let request = get(&format!("{FLOWS}/flows/{FLOW}/run"));
        let (sent, status, gave_up) = send(&app, request, |token| match token {
            "given-flow" => 200,
            _ => 403,
        })
        .await;
        let old = format!("old-{FLOW}");
        if has_token {
            assert_eq!((sent, status), (vec![old, "given-flow".to_owned()], 200));
        } else {
            // Neither the token of all flows nor any other is sent instead.
            assert_eq!(status, 403);
            assert!(sent.iter().all(|token| *token == old), "{sent:?}");
            assert!(gave_up.is_some());
        }
    }
}

#[checks::test]
fn invalid_url_of_a_rule_is_a_setup_error() {
    for url in [
        "/flows",
        "ftp://flows.automate.globus.org",
        "https://a@b.example/",
    ] {
        let app = GlobusApp::user(CLIENT).resource_server_below(url, FLOW);
        let error = app.build().expect_err("no origin").to_string();
        assert!(error.contains(url), "{error}");
    }
}
