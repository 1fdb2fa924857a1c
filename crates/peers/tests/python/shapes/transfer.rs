//! Requests for the fixtures of Transfer.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Fixture;
use super::globus::Globus;
use super::request::Request;

fn task(collection: &str) -> Value {
    json!({
        "submission_id": Uuid::new_v4(),
        "endpoint": collection,
        "source_endpoint": collection,
        "destination_endpoint": collection,
        "DATA": [{"source_path": "/hello.txt", "destination_path": "/copy.txt", "path": "/copy.txt"}],
    })
}

async fn bookmark(globus: &Globus<'_>) -> String {
    let name = Uuid::new_v4();
    let body = json!({"endpoint_id": globus.sample.collection, "name": name, "path": "/"});
    globus.made("transfer", "v0.10/bookmark", body, "/id").await
}

async fn access_point(globus: &Globus<'_>) -> String {
    let request = Request::at("v2/stream_access_points");
    let (_, list) = globus.ask("transfer", Method::GET, request).await;
    let mut points = list["data"].as_array().expect("a list").iter();
    // Other collections require more than a token.
    let point = points.find(|point| point["attributes"]["display_name"] == "Samples");
    let id = point.and_then(|point| point["id"].as_str());
    id.expect("an access point").to_owned()
}

async fn tunnel_body(globus: &Globus<'_>) -> Value {
    let point = access_point(globus).await;
    let end = json!({"data": {"type": "StreamAccessPoint", "id": point}});
    json!({"data": {
        "type": "Tunnel",
        "attributes": {"label": "Test Tunnel", "submission_id": Uuid::new_v4()},
        "relationships": {"initiator": end, "listener": end},
    }})
}

async fn tunnel(globus: &Globus<'_>) -> String {
    let body = tunnel_body(globus).await;
    globus
        .made("transfer", "v2/tunnels", body, "/data/id")
        .await
}

/// The request for a fixture of Transfer.
pub(super) async fn request(globus: &Globus<'_>, fixture: &Fixture) -> Option<Request> {
    let id = &globus.sample.collection.to_string();
    let operation = |name: &str| Request::at(format!("v0.10/operation/endpoint/{id}/{name}"));
    let endpoint = |below: &str| Request::at(format!("v0.10/endpoint/{id}{below}"));
    let name = fixture.name.trim_start_matches("transfer.");
    Some(
        match (name.trim_start_matches("v2."), fixture.case.as_str()) {
            ("get_endpoint", "default") => endpoint(""),
            ("update_endpoint", "default") => endpoint("").json(json!({"description": "Ice"})),
            ("set_subscription_id", "default") => {
                endpoint("/subscription").json(json!({"subscription_id": "DEFAULT"}))
            }
            ("set_subscription_id", "not_found") => {
                let path = format!("v0.10/endpoint/{}/subscription", Uuid::new_v4());
                Request::at(path).json(json!({"subscription_id": "DEFAULT"}))
            }
            ("set_subscription_admin_verified", "default") => {
                let subscribe =
                    endpoint("/subscription").json(json!({"subscription_id": "DEFAULT"}));
                globus.ask("transfer", Method::PUT, subscribe).await;
                endpoint("/subscription_admin_verified")
                    .json(json!({"subscription_admin_verified": true}))
            }
            ("set_subscription_admin_verified", "non_valid_verified_status") => {
                endpoint("/subscription_admin_verified")
                    .text(r#"{"subscription_admin_verified": nonsense}"#)
            }
            ("set_subscription_admin_verified", "non_subscribed_endpoint") => {
                let unsubscribe = endpoint("/subscription").json(json!({"subscription_id": null}));
                globus.ask("transfer", Method::PUT, unsubscribe).await;
                endpoint("/subscription_admin_verified")
                    .json(json!({"subscription_admin_verified": true}))
            }
            ("get_submission_id", "default") => Request::at("v0.10/submission_id"),
            ("operation_mkdir", "default") => operation("mkdir").json(json!({"path": "/made"})),
            ("operation_rename", "default") => {
                operation("rename").json(json!({"old_path": "/made", "new_path": "/renamed"}))
            }
            ("operation_stat", "default") => operation("stat?path=/hello.txt"),
            ("operation_stat", "not_found") => operation("stat?path=/nowhere"),
            ("operation_stat", "permission_denied") => operation("stat?path=/../out"),
            ("submit_transfer", "default") => Request::at("v0.10/transfer").json(task(id)),
            ("submit_transfer", "failure") => {
                let mut nothing = task(id);
                nothing["DATA"] = json!([]);
                Request::at("v0.10/transfer").json(nothing)
            }
            ("submit_delete", "default") => Request::at("v0.10/delete").json(task(id)),
            ("cancel_task", "default") => {
                let task = globus.made("transfer", "v0.10/transfer", task(id), "/task_id");
                Request::at(format!("v0.10/task/{}/cancel", task.await))
            }
            ("task_list", "default") => Request::at("v0.10/task_list"),
            ("create_bookmark", "default") => {
                let collection = json!({"data": {"type": "Collection", "id": id}});
                Request::at("v2/bookmarks").json(json!({"data": {
                    "type": "Bookmark",
                    "attributes": {"name": "public datasets", "path": "/"},
                    "relationships": {"collection": collection},
                }}))
            }
            ("get_bookmark" | "delete_bookmark", "default") => {
                Request::at(format!("v2/bookmarks/{}", bookmark(globus).await))
            }
            ("update_bookmark", "default") => {
                let attributes = json!({"name": Uuid::new_v4(), "path": "/new/"});
                Request::at(format!("v2/bookmarks/{}", bookmark(globus).await))
                    .json(json!({"data": {"type": "Bookmark", "attributes": attributes}}))
            }
            ("list_bookmarks", "default") => {
                bookmark(globus).await;
                Request::at("v2/bookmarks")
            }
            ("list_stream_access_points", "default") => Request::at("v2/stream_access_points"),
            ("get_stream_access_point", "default") => Request::at(format!(
                "v2/stream_access_points/{}",
                access_point(globus).await
            )),
            ("create_tunnel", "default") => {
                Request::at("v2/tunnels").json(tunnel_body(globus).await)
            }
            ("list_tunnels", "default") => {
                tunnel(globus).await;
                Request::at("v2/tunnels")
            }
            ("get_tunnel" | "delete_tunnel", "default") => {
                Request::at(format!("v2/tunnels/{}", tunnel(globus).await))
            }
            ("get_tunnel_events", "default") => {
                Request::at(format!("v2/tunnels/{}/events", tunnel(globus).await))
            }
            ("update_tunnel", "default") => {
                Request::at(format!("v2/tunnels/{}", tunnel(globus).await))
                    .json(json!({"data": {"type": "Tunnel", "attributes": {"state": "STOPPING"}}}))
            }
            _ => return None,
        },
    )
}
