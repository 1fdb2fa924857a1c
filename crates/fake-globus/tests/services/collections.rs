//! Changes to the documents of collections, and the search.

use fake_globus::Collection;
use reqwest::Response;
use serde_json::{Value, json};

use crate::submission::copy;
use crate::support::{Fixture, document_code, json as document_of, ok, send, texts};

async fn put(fixture: &Fixture, below: &str, body: impl Into<String>) -> Response {
    let url = fixture.url(&format!("v0.10/endpoint/{}{below}", fixture.collection));
    let request = fixture.http.put(url).bearer_auth(fixture.token());
    let request = request.header("content-type", "application/json");
    send(request.body(body.into())).await
}

async fn document(fixture: &Fixture) -> Value {
    let path = format!("v0.10/endpoint/{}", fixture.collection);
    ok(fixture.get(&path, &fixture.token()).await).await
}

/// The names that the search finds, sorted.
async fn found(fixture: &Fixture, query: &str) -> Vec<String> {
    let path = format!("v0.10/endpoint_search?{query}");
    let list = ok(fixture.get(&path, &fixture.token()).await).await;
    let names = texts(&list, "/DATA", "/display_name");
    let mut names: Vec<_> = names.into_iter().map(ToOwned::to_owned).collect();
    names.sort();
    names
}

#[checks::test]
async fn changed_document_is_returned_and_found() {
    let fixture = Fixture::open().await;
    let changes = json!({"display_name": "Glaciers", "description": "Ice", "public": false});
    let changed = put(&fixture, "", changes.to_string()).await;
    assert_eq!(document_code(changed, 200).await, "Updated");
    let document = document(&fixture).await;
    assert_eq!(document["display_name"], "Glaciers");
    assert_eq!(document["description"], "Ice");
    assert_eq!(document["public"], false);
    assert_eq!(
        found(&fixture, "filter_fulltext=glaciers").await,
        ["Glaciers"]
    );
    fixture.globus.reset();
    assert!(found(&fixture, "filter_fulltext=glaciers").await.is_empty());
}

#[checks::test]
async fn change_of_a_fixed_field_is_rejected() {
    let fixture = Fixture::open().await;
    for changes in [
        json!({"owner_id": fixture.ada.id()}),
        json!({"display_name": ""}),
        json!({"description": "Ice", "high_assurance": true}),
    ] {
        let rejected = put(&fixture, "", changes.to_string()).await;
        assert_eq!(
            document_code(rejected, 400).await,
            "BadRequest",
            "{changes}"
        );
    }
    assert_eq!(document(&fixture).await["description"], Value::Null);
}

#[checks::test]
async fn verification_needs_a_subscription() {
    let fixture = Fixture::open().await;
    let verified = json!({"subscription_admin_verified": true}).to_string();
    let rejected = put(&fixture, "/subscription_admin_verified", &*verified).await;
    let rejected = document_of(rejected).await;
    let message =
        "The collection must be associated with a subscription to set subscription_admin_verified";
    assert_eq!(rejected["message"], message);
    let subscription = json!({"subscription_id": "DEFAULT"}).to_string();
    let subscribed = put(&fixture, "/subscription", subscription).await;
    assert_eq!(document_code(subscribed, 200).await, "Updated");
    let done = put(&fixture, "/subscription_admin_verified", verified).await;
    assert_eq!(document_code(done, 200).await, "Updated");
    let document = document(&fixture).await;
    assert_eq!(document["subscription_admin_verified"], true);
    assert!(document["subscription_id"].is_string());
    let broken = r#"{"subscription_admin_verified": nonsense}"#;
    let rejected = put(&fixture, "/subscription_admin_verified", broken).await;
    assert_eq!(document_code(rejected, 400).await, "BadRequest");
}

#[checks::test]
async fn search_filters_and_pages() {
    let fixture = Fixture::with(
        |collection| collection,
        |server| {
            let root = std::env::temp_dir();
            let other = Collection::new("Climate", root);
            server.collection(other)
        },
    )
    .await;
    let own = document(&fixture).await["display_name"].clone();
    let own = own.as_str().expect("text");
    copy(&fixture, "/hello.txt", "/copy.txt").await;
    let owner = document(&fixture).await["owner_id"].clone();
    let owner = owner.as_str().expect("text");
    let both = ["Climate", own];
    for (query, expected) in [
        ("filter_fulltext=climate", &["Climate"][..]),
        ("filter_scope=all", &both),
        ("filter_scope=recently-used", &[own]),
        ("filter_scope=my-endpoints", &[]),
        (&format!("filter_owner_id={owner}"), &both),
        (&format!("filter_owner_id={}", fixture.ada.id()), &[]),
        ("filter_entity_type=GCSv5_mapped_collection", &both),
        ("filter_entity_type=GCP_mapped_collection", &[]),
        ("filter_non_functional=1", &[]),
    ] {
        assert_eq!(found(&fixture, query).await, expected, "{query}");
    }
    let mut pages = found(&fixture, "limit=1&offset=0").await;
    pages.extend(found(&fixture, "limit=1&offset=1").await);
    pages.sort();
    assert_eq!(pages, both);
    let path = "v0.10/endpoint_search?limit=1";
    let first = ok(fixture.get(path, &fixture.token()).await).await;
    assert_eq!(first["has_next_page"], true);
    for query in ["filter_scope=nonsense", "filter_nonsense=1", "limit=x"] {
        let path = format!("v0.10/endpoint_search?{query}");
        let rejected = fixture.get(&path, &fixture.token()).await;
        assert_eq!(rejected.status(), 400, "{query}");
    }
}
