//! Access rules of collections.

use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{self, Fixture, document_code, json as document_of, ok, text, texts};

async fn ask(fixture: &Fixture, method: Method, path: &str, body: &Value) -> Response {
    let path = format!("v0.10/endpoint/{}/{path}", fixture.collection);
    support::ask(fixture, method, &path, body).await
}

async fn list(fixture: &Fixture) -> Value {
    ok(ask(fixture, Method::GET, "access_list", &Value::Null).await).await
}

fn rule(fixture: &Fixture) -> Value {
    json!({
        "DATA_TYPE": "access",
        "principal_type": "identity",
        "principal": fixture.ada.id(),
        "path": "/shared/",
        "permissions": "r",
    })
}

#[checks::test]
async fn access_rule_is_created_changed_and_deleted() {
    let fixture = Fixture::open().await;
    let created = ask(&fixture, Method::POST, "access", &rule(&fixture)).await;
    assert_eq!(created.status(), 201);
    let created = document_of(created).await;
    assert_eq!(created["DATA_TYPE"], "access_create_result");
    let one = format!("access/{}", text(&created, "/access_id"));
    let shown = ok(ask(&fixture, Method::GET, &one, &Value::Null).await).await;
    assert_eq!(shown["permissions"], "r");
    assert_eq!(shown["principal"], json!(fixture.ada.id()));
    assert_eq!(texts(&list(&fixture).await, "/DATA", "/path"), ["/shared/"]);

    let again = ask(&fixture, Method::POST, "access", &rule(&fixture)).await;
    assert_eq!(document_code(again, 409).await, "Exists");
    let changed = ask(&fixture, Method::PUT, &one, &json!({"permissions": "rw"})).await;
    assert_eq!(document_code(changed, 200).await, "Updated");
    assert_eq!(
        texts(&list(&fixture).await, "/DATA", "/permissions"),
        ["rw"]
    );

    let deleted = ask(&fixture, Method::DELETE, &one, &Value::Null).await;
    assert_eq!(document_code(deleted, 200).await, "Deleted");
    for method in [Method::GET, Method::DELETE] {
        let gone = ask(&fixture, method, &one, &Value::Null).await;
        assert_eq!(document_code(gone, 404).await, "AccessRuleNotFound");
    }
}

#[checks::test]
async fn malformed_access_rule_is_rejected() {
    let fixture = Fixture::open().await;
    for (field, value) in [
        ("principal", "nobody"),
        ("path", "/no-slash"),
        ("permissions", "w"),
        ("principal_type", "robot"),
    ] {
        let mut rule = rule(&fixture);
        rule[field] = value.into();
        let rejected = ask(&fixture, Method::POST, "access", &rule).await;
        assert_eq!(rejected.status(), 400, "{field}");
    }
    assert_eq!(list(&fixture).await["length"], 0);
}

#[checks::test]
async fn access_rules_challenge_an_old_session() {
    let fixture = Fixture::new(|c| c.session_minutes(10)).await;
    let token = fixture.token();
    fixture.globus.clock().advance(Duration::from_secs(3600));
    let path = format!("v0.10/endpoint/{}/access_list", fixture.collection);
    let challenged = fixture.get(&path, &token).await;
    assert_eq!(challenged.status(), 502);
    let challenged = document_of(challenged).await;
    assert!(
        challenged["authorization_parameters"].is_object(),
        "{challenged}"
    );
}
