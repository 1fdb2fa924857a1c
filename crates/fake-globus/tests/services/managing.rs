//! Projects, and the policies, clients and scopes that belong to them.

use std::time::Duration;

use fake_globus::{Collection, ComputeEndpoint, FakeGlobusBuilder, Flow, Identity, Person, Policy};
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::{ALL, Fixture, json as document_of, ok, send, text, texts};

const MANAGE: &str = "urn:globus:auth:scope:auth.globus.org:manage_projects";

/// A user with a token for managing projects.
struct Manager<'f> {
    fixture: &'f Fixture,
    token: String,
}

impl<'f> Manager<'f> {
    fn of(fixture: &'f Fixture, identity: &Identity) -> Self {
        let token = fixture.globus.issue_token(identity, MANAGE);
        let token = token.expect("a token");
        Self { fixture, token }
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Response {
        let url = self.fixture.url(&format!("v2/api/{path}"));
        let request = self.fixture.http.request(method, url);
        send(request.bearer_auth(&self.token).json(body)).await
    }

    async fn get(&self, path: &str) -> Value {
        ok(self.ask(Method::GET, path, &Value::Null).await).await
    }

    async fn create(&self, path: &str, body: &Value) -> Value {
        let created = self.ask(Method::POST, path, body).await;
        assert_eq!(created.status(), 201, "{path}");
        document_of(created).await
    }

    async fn project(&self) -> String {
        let admins = [self.fixture.ada.id()];
        let project = json!({"display_name": "Ice", "contact_email": "a@b.c", "admin_ids": admins});
        let created = self.create("projects", &json!({"project": project})).await;
        text(&created, "/project/id").to_owned()
    }

    async fn client(&self, project: &str, kind: &str) -> String {
        let client = json!({"name": "Portal", "project": project, "client_type": kind});
        let created = self.create("clients", &json!({"client": client})).await;
        text(&created, "/client/id").to_owned()
    }
}

#[checks::test]
async fn project_is_managed_by_its_admins_only() {
    let fixture = Fixture::open().await;
    let ada = Manager::of(&fixture, &fixture.ada);
    let grace = Manager::of(&fixture, &Identity::new("grace", "navy.mil"));
    let path = format!("projects/{}", ada.project().await);
    let project = ada.get(&path).await;
    assert_eq!(
        text(&project, "/project/admins/identities/0/username"),
        "ada@uchicago.edu"
    );
    assert_eq!(
        texts(&ada.get("projects").await, "/projects", "/display_name"),
        ["Ice"]
    );
    assert!(texts(&grace.get("projects").await, "/projects", "/id").is_empty());
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let hidden = grace.ask(method, &path, &json!({"project": {}})).await;
        assert_eq!(hidden.status(), 404);
    }
    let changes = json!({"project": {"display_name": "Snow"}});
    let changed = ok(ada.ask(Method::PUT, &path, &changes).await).await;
    assert_eq!(text(&changed, "/project/project_name"), "Snow");
    assert_eq!(text(&changed, "/project/contact_email"), "a@b.c");
    ok(ada.ask(Method::DELETE, &path, &Value::Null).await).await;
    assert!(texts(&ada.get("projects").await, "/projects", "/id").is_empty());
}

#[checks::test]
async fn managing_needs_its_scope() {
    let fixture = Fixture::open().await;
    let openid = fixture.globus.issue_token(&fixture.ada, "openid");
    let openid = openid.expect("a token");
    for path in ["projects", "policies", "clients", "scopes"] {
        let path = format!("v2/api/{path}");
        let rejected = fixture.get(&path, &openid).await;
        assert_eq!(rejected.status(), 403, "{path}");
        assert_eq!(
            text(&document_of(rejected).await, "/errors/0/code"),
            "FORBIDDEN"
        );
        let bare = send(fixture.http.get(fixture.url(&path))).await;
        assert_eq!(bare.status(), 401, "{path}");
    }
}

#[checks::test]
async fn created_policy_applies_to_logins() {
    let fixture = Fixture::open().await;
    let ada = Manager::of(&fixture, &fixture.ada);
    let project = ada.project().await;
    let policy = json!({
        "project_id": project,
        "display_name": "Not of the campus",
        "description": "",
        "domain_constraints_exclude": ["uchicago.edu", "navy.mil"],
    });
    let created = ada.create("policies", &json!({"policy": policy})).await;
    let id = text(&created, "/policy/id");
    let login = [("session_required_policies", id)];
    let required = [ALL, "openid", "profile"].join(" ");
    let tokens = fixture.log_in(&required, &login).await;
    let access = text(&tokens, "/access_token");
    // Only ada's identity of the other domain satisfies the policy.
    let form = [("token", access), ("include", "session_info")];
    let about = ok(fixture.introspect(&form).await).await;
    let authentications = about["session_info"]["authentications"].as_object();
    let authenticated = authentications.expect("a map").values();
    let domains: Vec<_> = authenticated.map(|of| of["idp"].clone()).collect();
    assert_eq!(domains, ["globusid.org"]);

    let everybody = json!({"policy": {"domain_constraints_include": ["nowhere.org"]}});
    let path = format!("policies/{id}");
    ok(ada.ask(Method::PUT, &path, &everybody).await).await;
    crate::support::assert_denied(&fixture.answer(ALL, &login).await);
    ok(ada.ask(Method::DELETE, &path, &Value::Null).await).await;
    assert_eq!(fixture.authorize(ALL, &login).await.status(), 400);
}

#[checks::test]
async fn changed_policy_applies_to_its_collection() {
    let policy = Policy::new("Recent").session_minutes(30);
    let id = policy.id();
    let fixture = Fixture::new(|c: Collection| c.policy(policy)).await;
    let ada = Manager::of(&fixture, &fixture.ada);
    let path = format!("policies/{id}");
    let shown = ada.get(&path).await;
    assert_eq!(shown["policy"]["authentication_assurance_timeout"], 1800);
    let token = fixture.token();
    fixture.globus.clock().advance(Duration::from_secs(60));
    assert_eq!(fixture.ls_status(&token).await, 200);
    let stricter = json!({"policy": {"authentication_assurance_timeout": 35}});
    ok(ada.ask(Method::PUT, &path, &stricter).await).await;
    assert_eq!(fixture.ls_status(&token).await, 403);
    // Seconds survive a dump.
    let dump = fixture.globus.dump();
    fixture.globus.load(&dump).expect("a dump");
    let shown = ada.get(&path).await;
    assert_eq!(shown["policy"]["authentication_assurance_timeout"], 35);
    let deleted = ada.ask(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(deleted.status(), 409);
}

#[checks::test]
async fn changed_policy_applies_to_flows_and_endpoints() {
    let policies = ["of a flow", "of an endpoint"].map(|name| Policy::new(name).session_minutes(1));
    let ids = policies.each_ref().map(Policy::id);
    let [of_flow, of_endpoint] = policies;
    let furnished = |server: FakeGlobusBuilder| {
        let endpoint = ComputeEndpoint::new("cluster").policy(of_endpoint);
        let server = server.flow(Flow::new("Publish").policy(of_flow));
        server.compute_endpoint(endpoint)
    };
    let fixture = Fixture::with(|collection| collection, furnished).await;
    let ada = Manager::of(&fixture, &fixture.ada);
    for id in ids {
        let path = format!("policies/{id}");
        let mfa = json!({"policy": {"high_assurance": true, "required_mfa": true}});
        ok(ada.ask(Method::PUT, &path, &mfa).await).await;
        let shown = ada.get(&path).await;
        assert_eq!(shown["policy"]["required_mfa"], true);
        // The login that satisfies it needs a second factor now.
        fixture.globus.set_person(Person::automatic().without_mfa());
        let id = id.to_string();
        let login = [("session_required_policies", &*id)];
        crate::support::assert_denied(&fixture.answer(ALL, &login).await);
    }
}

#[checks::test]
async fn contradictory_policy_is_rejected() {
    let fixture = Fixture::open().await;
    let ada = Manager::of(&fixture, &fixture.ada);
    let project = ada.project().await;
    let complete = json!({"project_id": project, "display_name": "P"});
    let mfa = json!({"project_id": project, "display_name": "P", "required_mfa": true});
    let never =
        json!({"project_id": project, "display_name": "P", "authentication_assurance_timeout": 0});
    let elsewhere = json!({"project_id": fixture.ada.id(), "display_name": "P"});
    for (policy, status) in [
        (&json!({"display_name": "P"}), 400),
        (&mfa, 400),
        (&never, 400),
        (&elsewhere, 404),
        (&complete, 201),
    ] {
        let body = json!({"policy": policy});
        let answer = ada.ask(Method::POST, "policies", &body).await;
        assert_eq!(answer.status(), status, "{policy}");
    }
    let kept = ada
        .ask(Method::DELETE, &format!("projects/{project}"), &Value::Null)
        .await;
    assert_eq!(kept.status(), 409, "a policy belongs to it");
}

#[checks::test]
async fn credential_of_a_client_authenticates_until_deleted() {
    let fixture = Fixture::open().await;
    let ada = Manager::of(&fixture, &fixture.ada);
    let project = ada.project().await;
    let client = ada.client(&project, "confidential_client").await;
    let path = format!("clients/{client}/credentials");
    let name = json!({"credential": {"name": "first"}});
    let created = ada.create(&path, &name).await;
    let secret = text(&created, "/credential/secret");
    let ask = async || {
        let form = [("grant_type", "client_credentials"), ("scope", ALL)];
        let request = fixture.http.post(fixture.url("v2/oauth2/token"));
        let request = request.basic_auth(&client, Some(secret)).form(&form);
        send(request).await.status().as_u16()
    };
    assert_eq!(ask().await, 200);
    let listed = ada.get(&path).await;
    assert_eq!(texts(&listed, "/credentials", "/name"), ["first"]);
    assert!(listed["credentials"][0]["secret"].is_null());
    let one = format!("{path}/{}", text(&created, "/credential/id"));
    ok(ada.ask(Method::DELETE, &one, &Value::Null).await).await;
    assert_eq!(ask().await, 401);
    let native = ada.client(&project, "public_installed_client").await;
    let path = format!("clients/{native}/credentials");
    let rejected = ada.ask(Method::POST, &path, &name).await;
    assert_eq!(rejected.status(), 400);
}

#[checks::test]
async fn client_is_changed_found_and_deleted() {
    let fixture = Fixture::open().await;
    let ada = Manager::of(&fixture, &fixture.ada);
    let project = ada.project().await;
    let client = ada.client(&project, "public_installed_client").await;
    let path = format!("clients/{client}");
    let changes = json!({"client": {
        "name": "Renamed", "visibility": "private", "fqdns": ["portal.example.org"],
        "redirect_uris": ["https://portal.example.org/callback"],
    }});
    let changed = ok(ada.ask(Method::PUT, &path, &changes).await).await;
    assert_eq!(changed["client"]["visibility"], "private");
    assert_eq!(changed["client"]["public_client"], true);
    let found = ada.get("clients?fqdn=portal.example.org").await;
    assert_eq!(text(&found, "/client/id"), client);
    assert_eq!(
        texts(&ada.get("clients").await, "/clients", "/name"),
        ["Renamed"]
    );
    let login = [
        ("client_id", &*client),
        ("redirect_uri", "https://portal.example.org/callback"),
    ];
    assert_eq!(fixture.authorize(ALL, &login).await.status(), 302);
    ok(ada.ask(Method::DELETE, &path, &Value::Null).await).await;
    assert_eq!(fixture.authorize(ALL, &login).await.status(), 400);
}

#[checks::test]
async fn confidential_client_creates_a_child_client() {
    let fixture = Fixture::open().await;
    let body = json!({"client": {"name": "Child", "public_client": true}});
    let request = fixture.http.post(fixture.url("v2/api/clients"));
    let created = send(fixture.as_confidential(request).json(&body)).await;
    assert_eq!(created.status(), 201);
    let created = document_of(created).await;
    let parent = fixture.globus.confidential_client_id().to_string();
    assert_eq!(text(&created, "/client/parent_client"), parent);
    let bare = send(fixture.http.post(fixture.url("v2/api/clients")).json(&body)).await;
    assert_eq!(bare.status(), 401);
}

#[checks::test]
async fn scope_of_a_client_is_registered_once() {
    let fixture = Fixture::open().await;
    let ada = Manager::of(&fixture, &fixture.ada);
    let client = ada.client(&ada.project().await, "resource_server").await;
    let path = format!("clients/{client}/scopes");
    let body = json!({"scope": {"name": "Manage", "description": "", "scope_suffix": "manage"}});
    let created = ada.create(&path, &body).await;
    let string = format!("https://auth.globus.org/scopes/{client}/manage");
    assert_eq!(text(&created, "/scope/scope_string"), string);
    let again = ada.ask(Method::POST, &path, &body).await;
    assert_eq!(again.status(), 409);
    let found = ada.get(&format!("scopes?scope_strings={string}")).await;
    assert_eq!(texts(&found, "/scopes", "/name"), ["Manage"]);
    let one = format!("scopes/{}", text(&created, "/scope/id"));
    let changes = json!({"scope": {"advertised": true}});
    let changed = ok(ada.ask(Method::PUT, &one, &changes).await).await;
    assert_eq!(changed["scope"]["advertised"], true);
    ok(ada.ask(Method::DELETE, &one, &Value::Null).await).await;
    assert!(texts(&ada.get("scopes").await, "/scopes", "/id").is_empty());
}

#[checks::test]
async fn identity_providers_are_those_of_the_users() {
    let fixture = Fixture::open().await;
    let token = fixture.globus.issue_token(&fixture.ada, "openid");
    let token = token.expect("a token");
    let ask = async |query: &str| {
        let path = format!("v2/api/identity_providers?{query}");
        fixture.get(&path, &token).await
    };
    let found = ok(ask("domains=UChicago.edu,nowhere.org").await).await;
    assert_eq!(
        texts(&found, "/identity_providers", "/name"),
        ["uchicago.edu"]
    );
    let id = text(&found, "/identity_providers/0/id");
    let again = ok(ask(&format!("ids={id}")).await).await;
    assert_eq!(again, found);
    let path = "v2/api/identities?usernames=ada@uchicago.edu";
    let identities = ok(fixture.get(path, &token).await).await;
    assert_eq!(text(&identities, "/identities/0/identity_provider"), id);
    for query in ["", "ids=x&domains=y"] {
        assert_eq!(ask(query).await.status(), 400);
    }
}
