//! Queued responses: challenges in the form of each service, limits, and broken back ends.

use std::time::Duration;

use checks::browser::client_without_redirects as client;
use fake_globus::{FakeGlobusBuilder, Limit, RequestKind};
use reqwest::Client;
use serde_json::{Value, json};

use crate::support::{
    ALL, Fixture, assert_denied, json as document_of, ok, page, send, tell, text, told,
};

#[checks::test]
async fn each_service_has_its_own_challenge_form() {
    let fixture = Fixture::open().await;
    let requires = json!({"session_required_policies": ["p"], "session_message": "Please."});
    for (service, path, message, root) in [
        (
            "auth",
            "v2/oauth2/userinfo",
            "/errors/0/message",
            "/errors/0",
        ),
        ("transfer", "v0.10/task_list", "/message", ""),
        ("transfer", "v2/tunnels", "/errors/0/detail", "/errors/0"),
        ("groups", "v2/groups/my_groups", "/detail", ""),
        ("search", "v1/index_list", "/message", ""),
        ("flows", "runs", "/error/detail", ""),
        ("timer", "jobs/", "/error/detail", ""),
        ("compute", "v2/endpoints", "/reason", ""),
        ("gcs", "api/collections", "/message", ""),
        ("actions", "transfer/transfer", "/description", ""),
    ] {
        let order = json!({"service": service, "requires": requires});
        told(&fixture, "fail", order).await;
        let url = fixture.globus.service_url(service).expect("a URL");
        let challenged = send(fixture.http.get(format!("{url}{path}"))).await;
        assert_eq!(challenged.status(), 403, "{service}");
        let document = document_of(challenged).await;
        assert_eq!(text(&document, message), "Please.", "{service}");
        let at = format!("{root}/authorization_parameters/session_required_policies/0");
        assert_eq!(text(&document, &at), "p", "{service}");
        let seen = fixture.globus.requests().pop().expect("a request");
        assert!(seen.challenged, "{service}");
    }
    for unknown in [
        json!({"requires": {"session_required_magic": true}}),
        json!({"service": "grops", "requires": {}}),
    ] {
        assert_eq!(tell(&fixture, "fail", unknown).await.status(), 400);
    }
    let globus = &fixture.globus;
    let requires = requires.to_string();
    globus.require_next("flows", &requires).expect("a service");
    let url = globus.service_url("flows").expect("a URL");
    let challenged = send(fixture.http.get(format!("{url}flows"))).await;
    assert_eq!(
        text(&document_of(challenged).await, "/code"),
        "AuthenticationPolicyRequired"
    );
    globus
        .require_next("grops", &requires)
        .expect_err("no service");
    globus
        .require_next("flows", "{\"code\": \"x\"}")
        .expect_err("no requirement");
}

#[checks::test]
async fn missing_scope_of_groups_and_gcs_is_a_401() {
    let fixture = Fixture::open().await;
    for (service, path) in [
        ("groups", "v2/groups/my_groups"),
        ("gcs", "api/collections"),
    ] {
        let order = json!({"service": service, "requires": {"required_scopes": ["s"]}});
        told(&fixture, "fail", order).await;
        let url = fixture.globus.service_url(service).expect("a URL");
        let challenged = send(fixture.http.get(format!("{url}{path}"))).await;
        assert_eq!(challenged.status(), 401, "{service}");
    }
}

/// The statuses of `count` listings.
async fn statuses(fixture: &Fixture, token: &str, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(fixture.ls_status(token).await);
    }
    statuses
}

#[checks::test]
async fn next_limit_answers_429() {
    let fixture = Fixture::open().await;
    let token = fixture.token();
    told(
        &fixture,
        "limit",
        json!({"next": 2, "operation": "operation_ls", "retry_after": 7}),
    )
    .await;
    let info = fixture.get("v2/oauth2/userinfo", "x").await;
    assert_eq!(info.status(), 401, "another operation");
    let rejected = fixture.ls(&token, "").await;
    assert_eq!(rejected.headers()["retry-after"], "7");
    assert_eq!(rejected.status(), 429);
    let document = document_of(rejected).await;
    assert_eq!(text(&document, "/code"), "TooManyRequests");
    assert_eq!(statuses(&fixture, &token, 2).await, [429, 200]);
}

#[checks::test]
async fn every_third_request_is_answered_429() {
    let limit = Limit::every(3)
        .kind(RequestKind::List)
        .retry_after(Duration::from_secs(2));
    let fixture = Fixture::with(|c| c, |server: FakeGlobusBuilder| server.limit(limit)).await;
    let token = fixture.token();
    assert_eq!(
        statuses(&fixture, &token, 6).await,
        [200, 200, 429, 200, 200, 429]
    );
    fixture.globus.clear_faults();
    assert_eq!(statuses(&fixture, &token, 3).await, [200; 3]);
    // A reset restores the limit of the settings.
    fixture.globus.reset();
    let token = fixture.token();
    assert_eq!(statuses(&fixture, &token, 3).await, [200, 200, 429]);

    fixture.globus.clear_faults();
    let limit = Limit::next(1).service("transfer");
    fixture.globus.limit(limit).expect("a limit");
    assert_eq!(statuses(&fixture, &token, 2).await, [429, 200]);
    fixture.globus.limit(Limit::every(0)).expect_err("no limit");
    for fields in [
        json!({}),
        json!({"next": 1, "every": 1}),
        json!({"next": 0}),
        json!({"next": 1, "service": "x"}),
    ] {
        assert_eq!(tell(&fixture, "limit", fields).await.status(), 400);
    }
}

#[checks::test]
async fn broken_back_end_lasts_for_its_connection() {
    let fixture = Fixture::open().await;
    let endpoint = format!("v0.10/endpoint/{}", fixture.collection);
    let endpoint = ok(fixture.get(&endpoint, &fixture.token()).await).await;
    let url = format!("{}/hello.txt", text(&endpoint, "/https_server"));
    let scope = format!(
        "https://auth.globus.org/scopes/{}/https",
        fixture.collection
    );
    let token = fixture
        .globus
        .issue_token(&fixture.ada, &scope)
        .expect("a token");
    let get = async |client: &Client| {
        let response = send(client.get(&url).bearer_auth(&token)).await;
        (response.status().as_u16(), page(response).await)
    };
    let requires = json!({"session_required_mfa": true});
    let order = json!({"service": "https", "requires": requires});
    told(&fixture, "fail", order).await;
    let (status, shown) = get(&client()).await;
    let result = shown.split_once("c=LOGIN_DENIED\nGridFTP-JSON-Result: ");
    let result = result.map(|(_, result)| serde_json::from_str::<Value>(result));
    let result = result.expect("a rejected login").expect("JSON");
    assert_eq!(
        (status, &result["authorization_parameters"]),
        (404, &requires)
    );

    fixture.globus.break_back_end(1);
    let (broken, whole) = (client(), client());
    for _ in 0..3 {
        let (status, shown) = get(&broken).await;
        assert_eq!(status, 404);
        assert!(
            shown.contains("c=ENDPOINT_ERROR\nGCS Manager Internal Error\n"),
            "{shown}"
        );
        assert_eq!(get(&whole).await, (200, "hello".to_owned()));
    }
    assert_eq!(get(&client()).await.0, 200);
    let head = send(broken.head(&url).bearer_auth(&token)).await;
    assert_eq!(
        (head.status().as_u16(), page(head).await),
        (404, String::new())
    );

    // A fault of another collection has no effect on this one.
    let other = json!({"collection": "00000000-0000-0000-0000-000000000000"});
    told(&fixture, "break-back-end", other).await;
    assert_eq!(get(&client()).await.0, 200);
    let own = json!({"collection": fixture.collection, "error": "internal_error"});
    told(&fixture, "break-back-end", own).await;
    let (_, shown) = get(&whole).await;
    assert!(
        shown.starts_with("GlobusError: v=1 c=INTERNAL_ERROR\n"),
        "{shown}"
    );
    fixture.globus.clear_faults();
    assert_eq!((get(&whole).await.0, get(&broken).await.0), (200, 200));
}

#[checks::test]
async fn lone_mfa_requirement_is_rejected_or_ignored() {
    let fixture = Fixture::open().await;
    let lone = [("session_required_mfa", "True")];
    assert_eq!(fixture.authorize(ALL, &lone).await.status(), 400);
    told(&fixture, "ignore-lone-mfa", json!({})).await;
    assert_eq!(fixture.log_in(ALL, &lone).await["token_type"], "Bearer");
    // With a domain, the requirement is not ignored.
    let person = fake_globus::Person::automatic().without_mfa();
    fixture.globus.set_person(person);
    let both = [lone[0], ("session_required_single_domain", "uchicago.edu")];
    assert_denied(&fixture.answer(ALL, &both).await);
    fixture.globus.ignore_lone_mfa(false);
    assert_eq!(fixture.authorize(ALL, &lone).await.status(), 400);

    let ignoring = Fixture::with(|c| c, |server| server.ignore_lone_mfa(true)).await;
    assert_eq!(ignoring.log_in(ALL, &lone).await["token_type"], "Bearer");
}
