//! Groups, and their challenges.

use std::time::Duration;

use fake_globus::{Group, Identity};
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Fixture, json as document_of, ok, send, text, texts};

const GROUPS: &str = "urn:globus:auth:scope:groups.api.globus.org:";

struct Site {
    fixture: Fixture,
    url: String,
}

impl Site {
    async fn new(group: Group) -> Self {
        let fixture = Fixture::with(
            |c| c,
            |server| {
                let others = Group::new("Others").member("grace@navy.mil", "admin");
                server.group(group).group(others)
            },
        )
        .await;
        let url = fixture.globus.service_url("groups").expect("a URL");
        Self {
            url: url.to_owned(),
            fixture,
        }
    }

    fn token(&self, scope: &str) -> String {
        let scope = format!("{GROUPS}{scope}");
        let token = self.fixture.globus.issue_token(&self.fixture.ada, &scope);
        token.expect("a token")
    }

    async fn get(&self, path: &str, token: &str) -> Response {
        let request = self
            .fixture
            .http
            .get(format!("{}v2/groups{path}", self.url));
        send(request.bearer_auth(token)).await
    }
}

fn climate() -> Group {
    Group::new("Climate")
        .member("ada@globusid.org", "manager")
        .member("grace@navy.mil", "member")
}

#[checks::test]
async fn own_groups_are_listed_with_memberships() {
    let site = Site::new(climate()).await;
    let token = site.token("view_my_groups_and_memberships");
    let mine = ok(site.get("/my_groups", &token).await).await;
    assert_eq!(texts(&mine, "", "/name"), ["Climate"]);
    let membership = &mine[0]["my_memberships"][0];
    assert_eq!(text(membership, "/username"), "ada@globusid.org");
    assert_eq!(text(membership, "/role"), "manager");
    let id = climate().id();
    let whole = ok(site
        .get(&format!("/{id}?include=memberships"), &token)
        .await)
    .await;
    let members = texts(&whole, "/memberships", "/username");
    assert_eq!(members, ["ada@globusid.org", "grace@navy.mil"]);
    let others = Group::new("Others").id();
    assert_eq!(site.get(&format!("/{others}"), &token).await.status(), 404);
}

#[checks::test]
async fn missing_scope_is_a_401_that_names_it() {
    let site = Site::new(climate()).await;
    let challenged = site.get("/my_groups", &site.token("other")).await;
    assert_eq!(challenged.status(), 401);
    let document = document_of(challenged).await;
    assert_eq!(text(&document, "/code"), "ConsentRequired");
    assert_eq!(text(&document, "/detail"), "Missing scope");
    let required = &document["authorization_parameters"]["required_scopes"];
    let wanted = format!("{GROUPS}view_my_groups_and_memberships");
    assert_eq!(required, &json!([wanted]));
}

#[checks::test]
async fn high_assurance_group_requires_a_recent_login() {
    let site = Site::new(climate().session_minutes(10)).await;
    // The token's session has ada@uchicago.edu, but the member is her other identity.
    let token = site.token("all");
    let path = format!("/{}", climate().id());
    let challenged = site.get(&path, &token).await;
    assert_eq!(challenged.status(), 403);
    let document = document_of(challenged).await;
    let required = &document["authorization_parameters"]["session_required_identities"];
    let member = Identity::new("ada", "globusid.org").id();
    assert_eq!(required, &json!([member]));

    let member = member.to_string();
    let required = [("session_required_identities", member.as_str())];
    let scope = format!("{GROUPS}all");
    let tokens = site.fixture.log_in(&scope, &required).await;
    let token = text(&tokens, "/access_token");
    let group = ok(site.get(&path, token).await).await;
    assert_eq!(group["enforce_session"], true);
    let left = group["session_timeouts"][&member]["expires_in"].as_u64();
    assert!(
        left.is_some_and(|left| (500..=600).contains(&left)),
        "{left:?}"
    );
    site.fixture
        .globus
        .clock()
        .advance(Duration::from_secs(601));
    assert_eq!(site.get(&path, token).await.status(), 403);
    assert_eq!(site.get("/my_groups", token).await.status(), 200);
}

#[checks::test]
async fn group_with_an_endless_session_is_listed() {
    let site = Site::new(climate().session_minutes(u64::MAX)).await;
    let mine = ok(site.get("/my_groups", &site.token("all")).await).await;
    assert_eq!(texts(&mine, "", "/name"), ["Climate"]);
    site.fixture.globus.shutdown().await.expect("no panic");
}

#[checks::test]
async fn group_is_created_and_deleted_by_its_admin() {
    let site = Site::new(climate()).await;
    let token = site.token("all");
    let request = site.fixture.http.post(format!("{}v2/groups", site.url));
    let asked = json!({"name": "New", "description": "of today"});
    let created = send(request.bearer_auth(&token).json(&asked)).await;
    assert_eq!(created.status(), 201);
    let group: Value = document_of(created).await;
    assert_eq!(text(&group, "/description"), "of today");
    let delete = async |id: &str| {
        let url = format!("{}v2/groups/{id}", site.url);
        send(site.fixture.http.delete(url).bearer_auth(&token))
            .await
            .status()
    };
    assert_eq!(delete(&climate().id().to_string()).await, 403);
    assert_eq!(delete(text(&group, "/id")).await, 200);
    let mine = ok(site.get("/my_groups", &token).await).await;
    assert_eq!(texts(&mine, "", "/name"), ["Climate"]);
}
