//! Bookmarks, in both versions of Transfer's API.

use fake_globus::Identity;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{
    ALL, Fixture, ask, document_code, json as document_of, ok, send, text, texts,
};

async fn create(fixture: &Fixture, name: &str) -> Value {
    let body = json!({"endpoint_id": fixture.collection, "name": name, "path": "/data/"});
    let created = ask(fixture, Method::POST, "v0.10/bookmark", &body).await;
    assert_eq!(created.status(), 201);
    document_of(created).await
}

#[checks::test]
async fn bookmark_is_created_renamed_and_deleted() {
    let fixture = Fixture::open().await;
    let bookmark = create(&fixture, "Data").await;
    let path = format!("v0.10/bookmark/{}", text(&bookmark, "/id"));
    let renamed = ask(&fixture, Method::PUT, &path, &json!({"name": "Samples"})).await;
    assert_eq!(ok(renamed).await["name"], "Samples");
    let list = ok(fixture.get("v0.10/bookmark_list", &fixture.token()).await).await;
    assert_eq!(texts(&list, "/DATA", "/name"), ["Samples"]);
    let deleted = ask(&fixture, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(document_code(deleted, 200).await, "BookmarkDeleted");
    let gone = ask(&fixture, Method::GET, &path, &Value::Null).await;
    assert_eq!(document_code(gone, 404).await, "BookmarkNotFound");
}

#[checks::test]
async fn bookmark_name_is_unique_per_user() {
    let fixture = Fixture::open().await;
    let bookmark = create(&fixture, "Data").await;
    let other = create(&fixture, "Other").await;
    let taken = json!({"name": "Data"});
    let path = |of: &Value| format!("v0.10/bookmark/{}", text(of, "/id"));
    let rejected = ask(&fixture, Method::PUT, &path(&other), &taken).await;
    assert_eq!(document_code(rejected, 409).await, "Conflict");
    let own = ask(&fixture, Method::PUT, &path(&bookmark), &taken).await;
    assert_eq!(own.status(), 200);

    let grace = Identity::new("grace", "navy.mil");
    let grace = fixture.globus.issue_token(&grace, ALL).expect("a token");
    let hidden = fixture.get(&path(&bookmark), &grace).await;
    assert_eq!(hidden.status(), 404);
}

#[checks::test]
async fn second_version_lists_the_same_bookmarks() {
    let fixture = Fixture::open().await;
    let old = create(&fixture, "Old").await;
    let related = json!({"type": "Collection", "id": fixture.collection});
    let given = json!({"data": {
        "type": "Bookmark",
        "attributes": {"name": "New", "path": "/new/"},
        "relationships": {"collection": {"data": related}},
    }});
    let created = ask(&fixture, Method::POST, "v2/bookmarks", &given).await;
    assert_eq!(created.status(), 201);
    let created = document_of(created).await;
    assert_eq!(
        created["data"]["relationships"]["collection"]["data"],
        related
    );

    let list = ok(fixture.get("v2/bookmarks", &fixture.token()).await).await;
    assert_eq!(texts(&list, "/data", "/attributes/name"), ["Old", "New"]);
    assert_eq!(list["included"][0]["id"], json!(fixture.collection));
    let path = format!("v2/bookmarks/{}", text(&old, "/id"));
    let changes = json!({"data": {"type": "Bookmark", "attributes": {"path": "/moved/"}}});
    let changed = ask(&fixture, Method::PATCH, &path, &changes).await;
    assert_eq!(ok(changed).await["data"]["attributes"]["path"], "/moved/");
    let deleted = ask(&fixture, Method::DELETE, &path, &Value::Null).await;
    assert!(ok(deleted).await["meta"]["request_id"].is_string());
}

#[checks::test]
async fn second_version_errors_are_json_api() {
    let fixture = Fixture::open().await;
    let missing = format!("v2/bookmarks/{}", Uuid::new_v4());
    let bare = send(fixture.http.get(fixture.url("v2/bookmarks"))).await;
    for (response, status, code) in [
        (
            fixture.get(&missing, &fixture.token()).await,
            404,
            "BookmarkNotFound",
        ),
        (
            fixture.get("v2/nonsense", &fixture.token()).await,
            501,
            "NotImplemented",
        ),
        (bare, 401, "ClientError.AuthenticationFailed"),
    ] {
        assert_eq!(response.status(), status);
        assert_eq!(
            response.headers()["content-type"],
            "application/vnd.api+json"
        );
        let document = document_of(response).await;
        assert_eq!(text(&document, "/errors/0/code"), code);
        assert_eq!(text(&document, "/errors/0/status"), status.to_string());
        assert!(!text(&document, "/errors/0/detail").is_empty());
    }
}
