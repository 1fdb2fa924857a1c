//! The HTTP control plane.

use std::path::Path;
use std::time::Duration;

use fake_globus::{Config, FakeGlobus, FakeGlobusBuilder, RequestKind};
use serde_json::{Value, json};

use crate::support::{
    ALL, Fixture, OPENID, json as document_of, ok, page, send, tell, text, texts, told,
};

async fn look(fixture: &Fixture, path: &str) -> Value {
    ok(send(fixture.http.get(fixture.url(&format!("_fake/{path}")))).await).await
}

async fn log_in(fixture: &Fixture, scopes: &str) -> String {
    let fields = json!({"identity": "ada@uchicago.edu", "scopes": scopes});
    text(&told(fixture, "log-in", fields).await, "/access_token").to_owned()
}

#[checks::test]
async fn clock_is_advanced_over_http() {
    let fixture = Fixture::new(|c| c.session_minutes(10)).await;
    let token = log_in(&fixture, ALL).await;
    let before = look(&fixture, "clock").await["unix"].as_u64();
    let before = before.expect("a time");
    told(&fixture, "advance-clock", json!({"seconds": 661})).await;
    assert_eq!(fixture.ls_status(&token).await, 502);
    let after = look(&fixture, "clock").await["unix"].as_u64();
    assert!(after >= Some(before + 661));
    let set = told(&fixture, "set-clock", json!({"unix": before + 100_000})).await;
    assert_eq!(set["unix"], before + 100_000);
    for rejected in [before, u64::MAX] {
        let rejected = tell(&fixture, "set-clock", json!({"unix": rejected})).await;
        assert_eq!(rejected.status(), 400);
    }
}

#[checks::test]
async fn clock_is_on_the_origin_of_every_service() {
    let fixture = Fixture::open().await;
    fixture.globus.clock().advance(Duration::from_secs(100));
    for name in ["auth", "transfer", "groups", "flows"] {
        let url = fixture.globus.service_url(name).expect("a service");
        let clock = ok(send(fixture.http.get(format!("{url}_fake/clock"))).await).await;
        assert_eq!(clock["ahead_ms"], 100_000, "{name}");
    }
}

#[checks::test]
async fn commands_end_sessions_consents_and_tokens() {
    let fixture = Fixture::new(|c| c.session_minutes(10)).await;
    let token = log_in(&fixture, ALL).await;
    assert_eq!(fixture.ls_status(&token).await, 200);
    let grace = json!({"identity": "grace@navy.mil"});
    told(&fixture, "expire-sessions", grace).await;
    assert_eq!(fixture.ls_status(&token).await, 200);
    let ada = json!({"identity": "ada@globusid.org"});
    told(&fixture, "expire-sessions", ada).await;
    assert_eq!(fixture.ls_status(&token).await, 502);
    told(&fixture, "revoke-token", json!({"token": token})).await;
    assert_eq!(fixture.ls_status(&token).await, 401);

    let fixture = Fixture::new(|c| c.data_access()).await;
    let data_access = format!(
        "https://auth.globus.org/scopes/{}/data_access",
        fixture.collection
    );
    let token = log_in(&fixture, &format!("{ALL}[*{data_access}]")).await;
    assert_eq!(fixture.ls_status(&token).await, 200);
    let ada = json!({"identity": "ada@uchicago.edu"});
    told(&fixture, "revoke-consents", ada).await;
    assert_eq!(fixture.ls_status(&token).await, 403);
    let again = json!({
        "identity": "ada@uchicago.edu", "client": null, "scopes": format!("{ALL}[{data_access}]"),
    });
    told(&fixture, "grant-consents", again).await;
    assert_eq!(fixture.ls_status(&token).await, 200);
}

#[checks::test]
async fn fail_answers_the_next_requests() {
    let fixture = Fixture::open().await;
    let token = fixture.token();
    let limited = json!({
        "operation": "operation_ls", "times": 2, "status": 429, "retry_after": 7,
        "body": "{\"code\": \"Busy\", \"message\": \"later\"}",
    });
    told(&fixture, "fail", limited).await;
    let info = fixture.get("v2/oauth2/userinfo", "x").await;
    assert_eq!(info.status(), 401, "another operation");
    for _ in 0..2 {
        let rejected = fixture.ls(&token, "").await;
        assert_eq!(rejected.status(), 429);
        assert_eq!(rejected.headers()["retry-after"], "7");
    }
    assert_eq!(fixture.ls_status(&token).await, 200);

    told(&fixture, "fail", json!({"kind": "list", "reset": true})).await;
    let request = fixture.http.get(fixture.url(&fixture.operation("ls")));
    let cut = match request.bearer_auth(&token).send().await {
        Ok(response) => response.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(cut, "the connection ends");
    told(&fixture, "fail", json!({"status": 503})).await;
    told(&fixture, "clear-faults", json!({})).await;
    assert_eq!(fixture.ls_status(&token).await, 200);
}

#[checks::test]
async fn recorded_challenges_are_returned_by_id() {
    let fixture = Fixture::open().await;
    let token = fixture.token();
    let listed = look(&fixture, "challenges").await;
    let ids = texts(&listed, "/challenges", "/id");
    assert!(ids.len() > 70, "{}", ids.len());
    for id in ids {
        told(
            &fixture,
            "fail",
            json!({"operation": "operation_ls", "challenge": id}),
        )
        .await;
        let rejected = fixture.ls(&token, "").await;
        assert!(
            !rejected.status().is_success() || id.contains("200"),
            "{id}"
        );
        assert_eq!(page(rejected).await, checks::corpus::body(id), "{id}");
        let seen = fixture.globus.requests().pop().expect("a request");
        assert!(seen.challenged, "{id}");
    }
    let unknown = tell(&fixture, "fail", json!({"challenge": "nonsense"})).await;
    assert_eq!(unknown.status(), 400);
}

#[checks::test]
async fn unknown_commands_and_fields_are_rejected() {
    let fixture = Fixture::open().await;
    for (command, fields) in [
        ("nonsense", json!({})),
        ("reset", json!({"hard": true})),
        ("fail", json!({"statsu": 500})),
        ("fail", json!({"status": 500, "times": 0})),
        ("fail", json!({})),
        ("fail", json!({"status": 500, "operation": "operation_sl"})),
        (
            "fail",
            json!({"status": 500, "service": "auth", "operation": "operation_ls"}),
        ),
        ("fail", json!({"body": "{}"})),
        ("fail", json!({"delay_ms": 1, "retry_after": 1})),
        ("fail", json!({"delay_ms": 1, "content_type": "text/plain"})),
        ("limit", json!({"next": 1, "operation": "operation_sl"})),
        ("advance-clock", json!({"seconds": -1})),
        (
            "log-in",
            json!({"identity": "nobody@nowhere.org", "scopes": ALL}),
        ),
        (
            "add-collection",
            json!({"name": "x", "root": "/no/such/place"}),
        ),
        ("add-identity", json!({"username": "ada@uchicago.edu"})),
        ("advance-clock", json!([])),
    ] {
        let rejected = tell(&fixture, command, fields).await;
        assert_eq!(rejected.status(), 400, "{command}");
        let error = document_of(rejected).await;
        assert!(!text(&error, "/error").is_empty(), "{error}");
    }
}

#[checks::test]
async fn web_pages_cannot_use_the_control_plane() {
    let fixture = Fixture::open().await;
    for (name, value, status) in [
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-origin", 403),
        ("origin", "http://evil.example", 403),
        ("sec-fetch-site", "none", 200),
        ("host", "evil.example", 421),
    ] {
        let request = fixture.http.get(fixture.url("_fake/state"));
        let response = send(request.header(name, value)).await;
        assert_eq!(response.status(), status, "{name}: {value}");
        let cors = response
            .headers()
            .contains_key("access-control-allow-origin");
        assert!(!cors, "{name}: {value}");
    }
}

#[checks::test]
async fn identities_and_collections_are_added_at_run_time() {
    let fixture = Fixture::open().await;
    let identity = json!({"username": "eve@navy.mil"});
    told(&fixture, "add-identity", identity).await;
    let root = fixture.dir.path();
    let added = json!({"name": "Late", "root": root, "domains": ["navy.mil"]});
    let added = told(&fixture, "add-collection", added).await;
    let fields = json!({"identity": "eve@navy.mil", "scopes": ALL});
    let token = told(&fixture, "log-in", fields).await;
    let ls = format!("v0.10/operation/endpoint/{}/ls", text(&added, "/id"));
    let token = text(&token, "/access_token");
    assert_eq!(fixture.get(&ls, token).await.status(), 200);

    told(&fixture, "reset", json!({})).await;
    assert_eq!(fixture.get(&ls, token).await.status(), 401);
    assert_eq!(fixture.ls_status(&fixture.token()).await, 200);
}

#[checks::test]
async fn dumped_state_is_loaded_by_another_server() {
    let fixture = Fixture::new(|c| c.domain("uchicago.edu").session_minutes(10)).await;
    let tokens = fixture.log_in(&format!("{OPENID} {ALL}"), &[]).await;
    let token = text(&tokens, "/other_tokens/0/access_token");
    fixture.globus.clock().advance(Duration::from_secs(300));
    let dump = fixture.globus.dump();
    let document: Value = serde_json::from_str(&dump).expect("JSON");
    assert_eq!(look(&fixture, "state").await, document);

    let other = Fixture::open().await;
    assert_eq!(other.ls_status(token).await, 401);
    other.globus.load(&dump).expect("a dump");
    assert_eq!(other.ls_status(token).await, 200);
    other.globus.clock().advance(Duration::from_secs(400));
    assert_eq!(other.ls_status(token).await, 502);
    other.globus.load("{}").expect_err("no dump");

    // A dump of 70 MB.
    let body = format!("{{\"state\": {dump}{}}}", " ".repeat(70 << 20));
    let request = other.http.post(other.url("_fake/load")).body(body);
    assert_eq!(send(request).await.status(), 200);
}

#[checks::test]
async fn requests_are_awaited_and_listed() {
    let fixture = Fixture::open().await;
    let token = fixture.token();
    let query = "requests?operation=operation_ls&at_least=2";
    let (shown, ()) = tokio::join!(look(&fixture, query), async {
        fixture.ls(&token, "").await;
        fixture.get("v2/oauth2/userinfo", &token).await;
        fixture.ls(&token, "?path=/nowhere").await;
    });
    let statuses = shown["requests"].as_array().expect("a list").iter();
    let statuses: Vec<_> = statuses.map(|seen| seen["status"].as_u64()).collect();
    assert_eq!(statuses, [Some(200), Some(404)]);
    fixture.globus.wait_for_requests(3).await;
    let violations = look(&fixture, "violations").await;
    assert_eq!(
        text(&violations, "/violations/0/kind"),
        "wrong_resource_server"
    );
    assert_eq!(look(&fixture, "counts").await["listings"], 2);
    let late = fixture.url("_fake/requests?kind=mkdir&at_least=1&timeout_ms=1");
    let unknown = send(fixture.http.get(late)).await;
    assert_eq!(unknown.status(), 400);
    assert!(!text(&document_of(unknown).await, "/error").is_empty());
    let late = fixture.url("_fake/requests?kind=submit&at_least=1&timeout_ms=1");
    assert_eq!(send(fixture.http.get(late)).await.status(), 408);
    let kinds = fixture.globus.requests().into_iter().map(|seen| seen.kind);
    assert_eq!(kinds.filter(|kind| *kind == RequestKind::List).count(), 2);
}

#[checks::test]
async fn configuration_sets_up_a_server() {
    let directory = tempfile::tempdir().expect("a directory");
    let config = json!({
        "identities": [{"username": "bob@anl.gov", "full_name": "Bob"}],
        "person": {"login": "approve", "mfa": false},
        "clients": [
            {"id": "8e1a0d5c-4d0b-4d0e-9c57-0a3f3f1f0b11", "name": "Mine", "secret": "xyzzy"},
            // The client of the `globus` command line, which the server also has by default.
            {"id": "95fdeba8-fac2-42bd-a357-e068d82ff78e", "name": "Command line"},
        ],
        "collections": [{"name": "Data", "root": directory.path(), "policies": [{"name": "Any"}]}],
        "consents": [{"identity": "bob@anl.gov", "scopes": ALL}],
    });
    let config: Config = serde_json::from_value(config).expect("a configuration");
    let globus = FakeGlobusBuilder::from(config).start().await;
    let globus: FakeGlobus = globus.expect("a server");
    assert_eq!(globus.client_secret(), "xyzzy");
    let id = globus.confidential_client_id().to_string();
    assert_eq!(id, "8e1a0d5c-4d0b-4d0e-9c57-0a3f3f1f0b11");
    let unknown = serde_json::from_value::<Config>(json!({"prot": 1}));
    unknown.expect_err("an unknown field");
}

#[checks::test]
async fn rejected_collection_takes_no_port() {
    let root = tempfile::tempdir().expect("a directory");
    let mut first = (20_000..).step_by(20);
    let (port, globus) = loop {
        let port = first.next().expect("a port");
        // Other programs may listen on some of the ports.
        if let Ok(globus) = FakeGlobus::builder().port(port).start().await {
            break (port, globus);
        }
    };
    let url = format!("{}_fake/add-collection", globus.auth_url());
    let add = async |name: &str, root: &Path| {
        let request = reqwest::Client::new().post(&url);
        send(request.json(&json!({"name": name, "root": root}))).await
    };
    let missing = root.path().join("missing");
    assert_eq!(add("Missing", &missing).await.status(), 400);
    let added = ok(add("Data", root.path()).await).await;
    let expected = format!("http://127.0.0.1:{}/", port + 9);
    assert_eq!(added["https_server"], expected);
}

#[checks::test]
async fn request_is_shown_without_the_secrets_of_its_query() {
    let fixture = Fixture::open().await;
    let path = "v2/oauth2/userinfo?access_token=one&state=two&code=three&client_secret=";
    fixture.get(path, "x").await;
    let seen = fixture.globus.requests().pop().expect("a request");
    let shown = format!("{seen:?}");
    let query = "access_token=***&state=two&code=***&client_secret=***";
    assert!(shown.contains(query), "{shown}");
    assert!(path.ends_with(&seen.query.expect("a query")));
}
