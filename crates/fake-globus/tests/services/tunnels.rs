//! Tunnels between stream access points.

use std::time::Duration;

use fake_globus::Collection;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Fixture, ask, json as document_of, ok, text, texts};

async fn points(fixture: &Fixture) -> Vec<String> {
    let list = ok(fixture
        .get("v2/stream_access_points", &fixture.token())
        .await)
    .await;
    let ids = texts(&list, "/data", "/id").into_iter();
    ids.map(ToOwned::to_owned).collect()
}

fn tunnel(ends: &[String], submission: Uuid) -> Value {
    let end = |id: &str| json!({"data": {"type": "StreamAccessPoint", "id": id}});
    json!({"data": {
        "type": "Tunnel",
        "attributes": {"label": "Stream", "submission_id": submission},
        "relationships": {"initiator": end(&ends[0]), "listener": end(&ends[1])},
    }})
}

async fn two_collections() -> Fixture {
    Fixture::with(
        |collection| collection,
        |server| server.collection(Collection::new("Listener", std::env::temp_dir())),
    )
    .await
}

#[checks::test]
async fn tunnel_is_active_once_its_listener_is_known() {
    let fixture = two_collections().await;
    let body = tunnel(&points(&fixture).await, Uuid::new_v4());
    let created = ok(ask(&fixture, Method::POST, "v2/tunnels", &body).await).await;
    assert_eq!(
        text(&created, "/data/attributes/state"),
        "AWAITING_LISTENER"
    );
    let again = ok(ask(&fixture, Method::POST, "v2/tunnels", &body).await).await;
    assert_eq!(again["data"], created["data"]);

    let path = format!("v2/tunnels/{}", text(&created, "/data/id"));
    let update = async |attributes: Value| {
        let body = json!({"data": {"type": "Tunnel", "attributes": attributes}});
        ask(&fixture, Method::PATCH, &path, &body).await
    };
    let listening = json!({"listener_ip_address": "127.0.0.1", "listener_port": 7000});
    let active = ok(update(listening).await).await;
    assert_eq!(text(&active, "/data/attributes/state"), "TUNNEL_ACTIVE");
    let stopping = ok(update(json!({"state": "STOPPING"})).await).await;
    assert_eq!(text(&stopping, "/data/attributes/state"), "STOPPING");
    assert_eq!(update(json!({"label": "Late"})).await.status(), 409);
    let events = ok(fixture
        .get(&format!("{path}/events"), &fixture.token())
        .await)
    .await;
    let codes = texts(&events, "/data", "/attributes/code");
    assert_eq!(codes, ["STARTED", "TUNNEL_ACTIVE", "TUNNEL_STOPPED"]);
    ok(ask(&fixture, Method::DELETE, &path, &Value::Null).await).await;
    assert_eq!(fixture.get(&path, &fixture.token()).await.status(), 404);
}

#[checks::test]
async fn tunnel_challenge_is_json_api() {
    let fixture = Fixture::new(|c| c.session_minutes(10)).await;
    let point = points(&fixture).await.remove(0);
    let token = fixture.token();
    fixture.globus.clock().advance(Duration::from_secs(3600));
    let body = tunnel(&[point.clone(), point], Uuid::new_v4());
    let challenged = fixture.post_json("v2/tunnels", &token, &body).await;
    assert_eq!(challenged.status(), 502);
    let challenged = document_of(challenged).await;
    let parameters = challenged.pointer("/errors/0/authorization_parameters");
    assert!(parameters.is_some_and(Value::is_object), "{challenged}");
    let found = globus_gare::gare::detect(challenged.to_string().as_bytes());
    assert!(!found.is_empty(), "{challenged}");
}

#[checks::test]
async fn tunnel_without_two_ends_is_rejected() {
    let fixture = two_collections().await;
    let mut ends = points(&fixture).await;
    ends[1] = Uuid::new_v4().to_string();
    let body = tunnel(&ends, Uuid::new_v4());
    let rejected = ask(&fixture, Method::POST, "v2/tunnels", &body).await;
    assert_eq!(rejected.status(), 404);
    let bare = json!({"data": {"type": "Tunnel"}});
    let rejected = ask(&fixture, Method::POST, "v2/tunnels", &bare).await;
    assert_eq!(rejected.status(), 400);
}
