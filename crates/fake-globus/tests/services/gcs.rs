//! The GCS Manager API.

use std::time::Duration;

use fake_globus::{Collection, Policy};
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Fixture, json as document_of, ok, send, text, texts};

struct Site {
    fixture: Fixture,
    url: String,
    endpoint: String,
}

impl Site {
    async fn new(collection: impl FnOnce(Collection) -> Collection) -> Self {
        let fixture = Fixture::new(collection).await;
        let url = fixture.globus.service_url("gcs").expect("a URL");
        let url = format!("{url}api/");
        let info = ok(send(fixture.http.get(format!("{url}info"))).await).await;
        Self {
            endpoint: text(&info, "/data/0/endpoint_id").to_owned(),
            url,
            fixture,
        }
    }

    fn scope(&self, name: &str) -> String {
        format!("urn:globus:auth:scope:{}:{name}", self.endpoint)
    }

    fn token(&self, name: &str) -> String {
        let scope = self.scope(name);
        let token = self.fixture.globus.issue_token(&self.fixture.ada, &scope);
        token.expect("a token")
    }

    async fn get(&self, path: &str, token: &str) -> Response {
        let request = self.fixture.http.get(format!("{}{path}", self.url));
        send(request.bearer_auth(token)).await
    }

    /// The challenge of the collection.
    async fn challenge(&self, token: &str) -> Value {
        let path = format!("collections/{}", self.fixture.collection);
        let challenged = self.get(&path, token).await;
        assert_eq!(challenged.status(), 403);
        let document = document_of(challenged).await;
        assert_eq!(text(&document, "/DATA_TYPE"), "result#1.1.0");
        assert_eq!(text(&document, "/code"), "permission_denied");
        document
    }
}

#[checks::test]
async fn collections_gateways_and_credentials_are_listed() {
    let site = Site::new(|c| c.domain("uchicago.edu")).await;
    let token = site.token("manage_collections");
    let endpoint = ok(site.get("endpoint", &token).await).await;
    assert_eq!(text(&endpoint, "/data/0/gcs_manager_url"), site.url);
    let collections = ok(site.get("collections", &token).await).await;
    assert_eq!(
        texts(&collections, "/data", "/id"),
        [&site.fixture.collection]
    );
    let gateway = text(&collections, "/data/0/storage_gateway_id");
    let gateway = ok(site
        .get(&format!("storage_gateways/{gateway}"), &token)
        .await)
    .await;
    assert_eq!(
        gateway["data"][0]["allowed_domains"],
        json!(["uchicago.edu"])
    );
    let credentials = ok(site.get("user_credentials", &token).await).await;
    let credential = text(&credentials, "/data/0/id");
    let credential = ok(site
        .get(&format!("user_credentials/{credential}"), &token)
        .await)
    .await;
    assert_eq!(text(&credential, "/data/0/username"), "ada");
    let unknown = site.get("collections/nonsense", &token).await;
    assert_eq!(unknown.status(), 404);
    assert_eq!(text(&document_of(unknown).await, "/code"), "not_found");
}

#[checks::test]
async fn missing_scope_is_named_in_the_detail() {
    let site = Site::new(|c| c).await;
    let challenged = site.get("collections", &site.token("other")).await;
    assert_eq!(challenged.status(), 401);
    let document = document_of(challenged).await;
    assert_eq!(text(&document, "/code"), "not_authorized");
    let detail = json!({
        "DATA_TYPE": "missing_required_scopes#1.0.0",
        "required_scopes": [site.scope("manage_collections")],
    });
    assert_eq!(document["detail"], detail);
    assert_eq!(site.fixture.globus.counts().challenges, 1);
}

#[checks::test]
async fn challenge_names_the_allowed_domains() {
    let site = Site::new(|c| c.domain("uchicago.edu").session_minutes(10)).await;
    let token = site.token("manage_collections");
    site.fixture
        .globus
        .clock()
        .advance(Duration::from_secs(601));
    let document = site.challenge(&token).await;
    let domains = json!(["uchicago.edu"]);
    assert_eq!(document["detail"]["allowed_domains"], domains);
    let parameters = &document["authorization_parameters"];
    assert_eq!(parameters["session_required_single_domain"], domains);
}

#[checks::test]
async fn challenge_names_the_policy_of_a_collection() {
    let policy = Policy::new("Elsewhere").domain("anl.gov");
    let id = policy.id();
    let site = Site::new(|c| c.policy(policy)).await;
    let document = site.challenge(&site.token("manage_collections")).await;
    assert_eq!(document["detail"], Value::Null);
    let parameters = &document["authorization_parameters"];
    assert_eq!(parameters["session_required_policies"], json!([id]));
}
