//! Flows and runs.

use std::time::Duration;

use fake_globus::{Collection, Flow, Policy};
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{ALL, Fixture, json as document_of, ok, send, text, texts};

const SCOPES: &str = "https://auth.globus.org/scopes/eec9b274-0c81-4334-bdc2-54e90e689b9a/";
const ACTION: &str = "https://auth.globus.org/scopes/actions.globus.org/transfer/transfer";

struct Site {
    fixture: Fixture,
    flow: Flow,
    url: String,
    /// A token for Flows.
    token: String,
}

impl Site {
    async fn new(flow: Flow, collection: impl FnOnce(Collection) -> Collection) -> Self {
        let offered = flow.clone();
        let fixture = Fixture::with(collection, |server| server.flow(offered)).await;
        let token = fixture
            .globus
            .issue_token(&fixture.ada, &format!("{SCOPES}all"));
        Self {
            url: fixture
                .globus
                .service_url("flows")
                .expect("a URL")
                .to_owned(),
            token: token.expect("a token"),
            flow,
            fixture,
        }
    }

    async fn open() -> Self {
        Self::new(Flow::new("Publish"), |c| c).await
    }

    fn token(&self, scopes: &str) -> String {
        let token = self.fixture.globus.issue_token(&self.fixture.ada, scopes);
        token.expect("a token")
    }

    async fn get(&self, path: &str) -> Response {
        let request = self.fixture.http.get(format!("{}{path}", self.url));
        send(request.bearer_auth(&self.token)).await
    }

    async fn post(&self, path: &str, token: &str, body: &Value) -> Response {
        let request = self.fixture.http.post(format!("{}{path}", self.url));
        send(request.bearer_auth(token).json(body)).await
    }

    /// Starts a run on the collection.
    async fn start(&self, token: &str) -> Response {
        let input = json!({"source": {"id": self.fixture.collection}});
        let body = json!({"body": input, "label": "monthly", "tags": ["cool"]});
        let path = format!("flows/{}/run", self.flow.id());
        self.post(&path, token, &body).await
    }

    /// Starts a run; returns its id.
    async fn started(&self, token: &str) -> String {
        let response = self.start(token).await;
        assert_eq!(response.status(), 201);
        let document = document_of(response).await;
        assert_eq!(document["status"], "ACTIVE");
        text(&document, "/run_id").to_owned()
    }

    async fn run(&self, id: &str) -> Value {
        ok(self.get(&format!("runs/{id}")).await).await
    }
}

#[checks::test]
async fn flow_is_listed_and_runs_to_its_end() {
    let site = Site::open().await;
    let flows = ok(site.get("flows?filter_fulltext=pub").await).await;
    assert_eq!(texts(&flows, "/flows", "/title"), ["Publish"]);
    let none = ok(site.get("flows?filter_fulltext=other").await).await;
    assert_eq!(none["flows"], json!([]));
    let flow = ok(site.get(&format!("flows/{}", site.flow.id())).await).await;
    assert_eq!(text(&flow, "/globus_auth_scope"), site.flow.scope());

    let id = site.started(&site.token(&site.flow.scope())).await;
    let run = site.run(&id).await;
    assert_eq!(text(&run, "/status"), "SUCCEEDED");
    assert_eq!(text(&run, "/details/code"), "FlowSucceeded");
    assert_eq!(text(&run, "/label"), "monthly");
    let runs = ok(site.get("runs").await).await;
    assert_eq!(texts(&runs, "/runs", "/run_id"), [&id]);
    let log = ok(site.get(&format!("runs/{id}/log")).await).await;
    let codes = texts(&log, "/entries", "/code");
    assert_eq!(codes, ["FlowStarted", "FlowSucceeded"]);
    assert!(site.fixture.violations().is_empty());
}

#[checks::test]
async fn flow_needs_a_token_for_its_own_server() {
    let site = Site::open().await;
    assert_eq!(site.start(&site.token).await.status(), 401);
    let other = format!("https://auth.globus.org/scopes/{}/other", site.flow.id());
    let rejected = site.start(&site.token(&other)).await;
    assert_eq!(rejected.status(), 403);
    let document = document_of(rejected).await;
    assert_eq!(text(&document, "/error/code"), "MISSING_SCOPE");
    assert!(text(&document, "/error/detail").ends_with(&site.flow.scope()));
}

#[checks::test]
async fn unsatisfied_flow_policy_is_a_challenge() {
    let policy = Policy::new("Recent").session_minutes(10);
    let flow = Flow::new("Guarded").policy(policy.clone());
    let site = Site::new(flow, |c| c).await;
    let token = site.token(&site.flow.scope());
    site.fixture
        .globus
        .clock()
        .advance(Duration::from_secs(601));
    let challenged = site.start(&token).await;
    assert_eq!(challenged.status(), 403);
    let document = document_of(challenged).await;
    assert_eq!(text(&document, "/code"), "AuthenticationPolicyRequired");
    let code = text(&document, "/error/code");
    assert_eq!(code, "AUTHENTICATION_POLICY_REQUIRED");
    let parameters = &document["authorization_parameters"];
    let required = &parameters["session_required_policies"];
    assert_eq!(required, &json!([policy.id()]));
    assert_eq!(site.fixture.globus.counts().challenges, 1);

    // Auth knows the policy: a login satisfies it.
    let id = policy.id().to_string();
    let required = [
        ("session_required_policies", id.as_str()),
        ("prompt", "login"),
    ];
    let scope = site.flow.scope();
    let tokens = site.fixture.log_in(&scope, &required).await;
    let started = site.start(text(&tokens, "/access_token")).await;
    assert_eq!(started.status(), 201);
}

#[checks::test]
async fn run_without_a_consent_is_inactive_until_resumed() {
    let site = Site::new(Flow::new("Publish"), Collection::data_access).await;
    let scope = site.flow.scope();
    let id = site.started(&site.token(&scope)).await;
    let run = site.run(&id).await;
    assert_eq!(text(&run, "/status"), "INACTIVE");
    let details = &run["details"];
    assert_eq!(text(details, "/code"), "ConsentRequired");
    let collection = &site.fixture.collection;
    let data_access = format!("https://auth.globus.org/scopes/{collection}/data_access");
    let of_action = format!("{ACTION}[*{ALL}[*{data_access}]]");
    let of_run = format!("{scope}[*{of_action}]");
    let required = &details["authorization_parameters"]["required_scopes"];
    assert_eq!(required, &json!([of_run]));
    let action = &details["action_statuses"][0];
    assert_eq!(text(action, "/status"), "INACTIVE");
    assert_eq!(text(action, "/details/required_scope"), of_action);
    let inactive = ok(site
        .get("runs?filter_status=INACTIVE&filter_flow_id=")
        .await)
    .await;
    assert_eq!(texts(&inactive, "/runs", "/run_id"), [&id]);

    // The run stays inactive without the consent, and continues with it.
    let resume = format!("runs/{id}/resume");
    ok(site.post(&resume, &site.token(&scope), &json!({})).await).await;
    assert_eq!(text(&site.run(&id).await, "/status"), "INACTIVE");
    ok(site.post(&resume, &site.token(&of_run), &json!({})).await).await;
    assert_eq!(text(&site.run(&id).await, "/status"), "SUCCEEDED");
    let again = site.post(&resume, &site.token(&scope), &json!({})).await;
    assert_eq!(again.status(), 409);
}

#[checks::test]
async fn run_with_an_old_session_is_inactive() {
    let site = Site::new(Flow::new("Publish"), |c| {
        c.domain("uchicago.edu").session_minutes(10)
    })
    .await;
    let token = site.token(&site.flow.scope());
    site.fixture
        .globus
        .clock()
        .advance(Duration::from_secs(601));
    let id = site.started(&token).await;
    let run = site.run(&id).await;
    let parameters = &run["details"]["authorization_parameters"];
    let required = &parameters["session_required_single_domain"];
    assert_eq!(required, &json!(["uchicago.edu"]));
    assert_eq!(text(&run, "/details/code"), "AuthorizationRequired");

    let release = format!("runs/{id}/release");
    let early = site.post(&release, &site.token, &json!({})).await;
    assert_eq!(early.status(), 409);
    let cancel = format!("runs/{id}/cancel");
    let cancelled = ok(site.post(&cancel, &site.token, &json!({})).await).await;
    assert_eq!(text(&cancelled, "/details/code"), "FlowCanceled");
    ok(site.post(&release, &site.token, &json!({})).await).await;
    assert_eq!(site.get(&format!("runs/{id}")).await.status(), 404);
}

#[checks::test]
async fn runs_are_paged() {
    let site = Site::open().await;
    let token = site.token(&site.flow.scope());
    for _ in 0..3 {
        site.started(&token).await;
    }
    let first = ok(site.get("runs?per_page=2").await).await;
    assert_eq!(
        (first["has_next_page"].as_bool(), first["limit"].as_u64()),
        (Some(true), Some(2))
    );
    let marker = text(&first, "/marker");
    let rest = ok(site.get(&format!("runs?per_page=2&marker={marker}")).await).await;
    assert_eq!(rest["runs"].as_array().map(Vec::len), Some(1));
    for size in ["x", "0"] {
        let rejected = site.get(&format!("runs?per_page={size}")).await;
        assert_eq!(rejected.status(), 422, "{size}");
    }
    assert_eq!(site.get("runs?filter_label=x").await.status(), 501);
}
