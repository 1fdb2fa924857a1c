//! Compute: endpoints, functions and tasks, and the policy of an endpoint.

use std::time::Duration;

use fake_globus::{ComputeEndpoint, Policy};
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Fixture, json as document_of, ok, send, text, texts};

const ALL: &str = "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all";

struct Site {
    fixture: Fixture,
    url: String,
    token: String,
}

impl Site {
    async fn new(endpoint: ComputeEndpoint) -> Self {
        let fixture = Fixture::with(
            |c| c,
            |server| {
                let other = ComputeEndpoint::new("other").owner("grace@navy.mil");
                server.compute_endpoint(endpoint).compute_endpoint(other)
            },
        )
        .await;
        let url = fixture.globus.service_url("compute").expect("a URL");
        let token = fixture.globus.issue_token(&fixture.ada, ALL);
        Self {
            url: url.to_owned(),
            token: token.expect("a token"),
            fixture,
        }
    }

    async fn get(&self, path: &str) -> Response {
        let request = self.fixture.http.get(format!("{}{path}", self.url));
        send(request.bearer_auth(&self.token)).await
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.fixture.http.post(format!("{}{path}", self.url));
        send(request.bearer_auth(&self.token).json(body)).await
    }

    /// Registers a function; returns its id.
    async fn function(&self) -> String {
        let asked = json!({"function_name": "hello", "function_code": "gASV"});
        let registered = ok(self.post("v3/functions", &asked).await).await;
        text(&registered, "/function_uuid").to_owned()
    }
}

#[checks::test]
async fn endpoints_are_listed_by_role() {
    let site = Site::new(ComputeEndpoint::new("cluster")).await;
    let own = ok(site.get("v2/endpoints").await).await;
    assert_eq!(texts(&own, "", "/name"), ["cluster"]);
    let any = ok(site.get("v2/endpoints?role=any").await).await;
    assert_eq!(texts(&any, "", "/name"), ["cluster", "other"]);
    let id = ComputeEndpoint::new("cluster").id();
    let status = ok(site.get(&format!("v2/endpoints/{id}/status")).await).await;
    assert_eq!(text(&status, "/status"), "online");
}

#[checks::test]
async fn submitted_tasks_succeed() {
    let site = Site::new(ComputeEndpoint::new("cluster")).await;
    let function = site.function().await;
    let shown = ok(site.get(&format!("v2/functions/{function}")).await).await;
    assert_eq!(text(&shown, "/function_name"), "hello");
    let path = format!(
        "v3/endpoints/{}/submit",
        ComputeEndpoint::new("cluster").id()
    );
    let submission = json!({"tasks": {&function: ["args", "more"]}});
    let submitted = ok(site.post(&path, &submission).await).await;
    let tasks: Vec<_> = submitted["tasks"][&function]
        .as_array()
        .expect("tasks")
        .clone();
    assert_eq!(tasks.len(), 2);
    let batch = json!({"task_ids": tasks});
    let batch = ok(site.post("v2/batch_status", &batch).await).await;
    assert_eq!(
        batch["results"].as_object().map(|results| results.len()),
        Some(2)
    );
    let task = tasks[0].as_str().expect("an id");
    let task = ok(site.get(&format!("v2/tasks/{task}")).await).await;
    assert_eq!(text(&task, "/status"), "success");
    let group = text(&submitted, "/task_group_id");
    let group = ok(site.get(&format!("v2/taskgroup/{group}")).await).await;
    assert_eq!(group["tasks"].as_array().map(Vec::len), Some(2));

    // One unknown function, and none of the tasks is kept.
    let group = "6c5f2b8e-5a57-4f6e-9d3c-0d3a8f1f7a10";
    let last = "ffffffff-ffff-ffff-ffff-ffffffffffff";
    let unknown = json!({"tasks": {&function: ["x"], last: ["x"]}, "task_group_id": group});
    assert_eq!(site.post(&path, &unknown).await.status(), 404);
    let group = site.get(&format!("v2/taskgroup/{group}")).await;
    assert_eq!(group.status(), 404);
    let url = format!("{}v2/functions/{function}", site.url);
    let delete = site.fixture.http.delete(url).bearer_auth(&site.token);
    assert_eq!(send(delete).await.status(), 200);
    assert_eq!(
        site.get(&format!("v2/functions/{function}")).await.status(),
        404
    );
}

#[checks::test]
async fn unsatisfied_endpoint_policy_is_a_challenge() {
    let policy = Policy::new("Recent").session_minutes(10);
    let endpoint = ComputeEndpoint::new("cluster").policy(policy.clone());
    let site = Site::new(endpoint.clone()).await;
    let function = site.function().await;
    site.fixture
        .globus
        .clock()
        .advance(Duration::from_secs(601));
    let path = format!("v3/endpoints/{}/submit", endpoint.id());
    let submission = json!({"tasks": {&function: ["args"]}});
    let challenged = site.post(&path, &submission).await;
    assert_eq!(challenged.status(), 403);
    let document = document_of(challenged).await;
    assert_eq!(text(&document, "/code"), "AUTH_POLICY_FAILED");
    assert!(
        text(&document, "/reason").contains("satisfies its policy"),
        "{document}"
    );
    let required = json!({"session_required_policies": [policy.id()]});
    assert_eq!(document["authorization_parameters"], required);
    assert_eq!(site.get("v2/version").await.status(), 200);

    let id = policy.id().to_string();
    let required = [
        ("session_required_policies", id.as_str()),
        ("prompt", "login"),
    ];
    let tokens = site.fixture.log_in(ALL, &required).await;
    let request = site.fixture.http.post(format!("{}{path}", site.url));
    let request = request.bearer_auth(text(&tokens, "/access_token"));
    ok(send(request.json(&submission)).await).await;
}

#[checks::test]
async fn oldest_functions_are_removed() {
    let site = Site::new(ComputeEndpoint::new("cluster")).await;
    site.function().await;
    let functions = |dump: &mut Value| {
        let functions = dump["state"]["compute"]["functions"].as_array_mut();
        std::mem::take(functions.expect("functions"))
    };
    let dumped = || serde_json::from_str::<Value>(&site.fixture.globus.dump()).expect("JSON");
    let mut dump = dumped();
    let function = functions(&mut dump).pop().expect("a function");
    dump["state"]["compute"]["functions"] = vec![function; 10_000].into();
    site.fixture.globus.load(&dump.to_string()).expect("a dump");
    let last = site.function().await;
    let kept = functions(&mut dumped());
    assert_eq!(kept.len(), 10_000);
    assert_eq!(kept.last().expect("a function")["id"], last);
}
