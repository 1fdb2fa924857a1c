//! Requests for the fixtures of services other than Auth and Transfer, and the objects they need.

use checks::browser::client_without_redirects;
use checks::sample::Sample;
use fake_globus::{Collection, ComputeEndpoint, FakeGlobusBuilder, Flow, Group};
use serde_json::{Value, json};

pub(crate) const FLOWS: &str =
    "https://auth.globus.org/scopes/eec9b274-0c81-4334-bdc2-54e90e689b9a/all";
const GROUPS: &str = "urn:globus:auth:scope:groups.api.globus.org:all";
const TIMERS: &str = "https://auth.globus.org/scopes/524230d7-ea86-4a52-8312-86065a9e0417/timer";
const COMPUTE: &str = "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all";

/// The request for a fixture. `of_flow`: with a token for the flow instead of the service.
pub(crate) struct Request {
    pub(crate) name: &'static str,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    pub(crate) of_flow: bool,
}

fn flow() -> Flow {
    Flow::new("Publish")
}

fn group() -> Group {
    Group::new("Climate").member("ada@uchicago.edu", "admin")
}

fn cluster() -> ComputeEndpoint {
    ComputeEndpoint::new("cluster")
}

/// A collection that requires a consent: without it a run is inactive.
fn guarded() -> Collection {
    Collection::new("Guarded", std::env::temp_dir()).data_access()
}

/// A server with an object of each kind.
pub(crate) fn furnished(server: FakeGlobusBuilder) -> FakeGlobusBuilder {
    let server = server.flow(flow()).group(group());
    server.compute_endpoint(cluster()).collection(guarded())
}

/// Sends requests to the services, with tokens.
pub(crate) struct Services<'s> {
    sample: &'s Sample,
    endpoint: String,
}

impl<'s> Services<'s> {
    pub(crate) async fn new(sample: &'s Sample) -> Self {
        let url = sample.globus.service_url("gcs").expect("a URL");
        let info = client_without_redirects().get(format!("{url}api/info"));
        let info: Value = info
            .send()
            .await
            .expect("it answers")
            .json()
            .await
            .expect("JSON");
        let endpoint = info["data"][0]["endpoint_id"].as_str().expect("an id");
        Self {
            sample,
            endpoint: endpoint.to_owned(),
        }
    }

    /// A token for the service; `None` for Auth, Transfer and Search.
    pub(crate) fn token(&self, service: &str, of_flow: bool) -> Option<String> {
        let scope = match service {
            "flows" if of_flow => flow().scope(),
            "flows" => FLOWS.to_owned(),
            "groups" => GROUPS.to_owned(),
            "timer" => TIMERS.to_owned(),
            "compute" => COMPUTE.to_owned(),
            "gcs" => format!("urn:globus:auth:scope:{}:manage_collections", self.endpoint),
            _ => return None,
        };
        let token = self.sample.globus.issue_token(&self.sample.ada, &scope);
        Some(token.expect("a token"))
    }

    async fn post(&self, service: &str, path: &str, body: &Value, of_flow: bool) -> Value {
        let url = self.sample.globus.service_url(service).expect("a URL");
        let token = self.token(service, of_flow).expect("a token");
        let request = client_without_redirects().post(format!("{url}{path}"));
        let response = request.bearer_auth(token).json(body).send().await;
        let response = response.expect("it answers");
        assert!(
            response.status().is_success(),
            "{path}: {}",
            response.status()
        );
        response.json().await.expect("JSON")
    }

    async fn run(&self, body: Value) -> String {
        let path = format!("flows/{}/run", flow().id());
        let run = self
            .post("flows", &path, &json!({"body": body}), true)
            .await;
        run["run_id"].as_str().expect("an id").to_owned()
    }

    async fn inactive_run(&self) -> String {
        self.run(json!({"source": guarded().id()})).await
    }

    async fn timer(&self, body: Value) -> String {
        let timer = self.post("timer", "v2/timer", &body, false).await;
        timer["timer"]["job_id"].as_str().expect("an id").to_owned()
    }

    pub(crate) async fn requests(&self) -> Vec<Request> {
        let mut requests = Vec::new();
        requests.extend(self.of_flows().await);
        requests.extend(self.of_timers().await);
        requests.extend(self.of_compute().await);
        requests.extend(self.of_groups());
        requests.extend(self.of_gcs().await);
        requests
    }

    async fn of_flows(&self) -> Vec<Request> {
        let id = flow().id();
        let (ended, released) = (self.run(json!({})).await, self.run(json!({})).await);
        let (cancelled, resumed) = (self.inactive_run().await, self.inactive_run().await);
        let input = json!({"body": {"source_path": "/x"}, "label": "x", "tags": ["x"]});
        let mut requests = vec![
            get("flows.list_flows", "flows".to_owned()),
            get("flows.get_flow", format!("flows/{id}")),
            get("flows.list_runs", "runs".to_owned()),
            get(
                "flows.get_run",
                format!("runs/{ended}?include_flow_description=True"),
            ),
            get(
                "flows.get_run_definition",
                format!("runs/{ended}/definition"),
            ),
            get("flows.get_run_logs", format!("runs/{ended}/log")),
            post("flows.run_flow", format!("flows/{id}/run"), input),
            post(
                "flows.validate_run",
                format!("flows/{id}/validate_run"),
                json!({}),
            ),
            post(
                "flows.resume_run",
                format!("runs/{resumed}/resume"),
                json!({}),
            ),
            post(
                "flows.cancel_run",
                format!("runs/{cancelled}/cancel"),
                json!({}),
            ),
            post(
                "flows.delete_run",
                format!("runs/{released}/release"),
                json!({}),
            ),
        ];
        for request in &mut requests {
            request.of_flow = ["flows.run_flow", "flows.resume_run", "flows.validate_run"]
                .contains(&request.name);
        }
        requests
    }

    async fn of_timers(&self) -> Vec<Request> {
        let once = json!({"timer": {
            "timer_type": "transfer", "name": "once", "body": transfer(),
            "schedule": {"type": "once"},
        }});
        let recurring = json!({"timer": {
            "timer_type": "transfer", "name": "weekly", "body": transfer(),
            "schedule": {"type": "recurring", "interval_seconds": 604_800, "end": {"count": 2}},
        }});
        let job = json!({
            "start": "2022-04-01T19:30:00+00:00", "interval": 864_000, "name": "older",
            "callback_url": "https://actions.automate.globus.org/transfer/transfer/run",
            "callback_body": {"body": transfer()},
        });
        let (kept, deleted) = (self.timer(recurring.clone()).await, self.timer(once).await);
        vec![
            post("timer.create_timer", "v2/timer".to_owned(), recurring),
            post("timer.create_job", "jobs/".to_owned(), job),
            get("timer.get_job", format!("jobs/{kept}")),
            get("timer.list_jobs", "jobs/".to_owned()),
            post("timer.pause_job", format!("jobs/{kept}/pause"), json!({})),
            post("timer.resume_job", format!("jobs/{kept}/resume"), json!({})),
            get("timer.delete_job", format!("jobs/{deleted}")),
        ]
    }

    async fn of_compute(&self) -> Vec<Request> {
        let asked = json!({
            "function_name": "hello", "function_code": "x",
            "metadata": {"python_version": "3.12.6", "sdk_version": "2.28.1"},
        });
        let register = async || {
            let function = self.post("compute", "v2/functions", &asked, false).await;
            function["function_uuid"]
                .as_str()
                .expect("an id")
                .to_owned()
        };
        let (kept, deleted) = (register().await, register().await);
        let id = cluster().id();
        let submission = json!({"tasks": {&kept: ["x", "y"]}});
        let path = format!("v3/endpoints/{id}/submit");
        let submitted = self.post("compute", &path, &submission, false).await;
        let task = submitted["tasks"][&kept][0].as_str().expect("an id");
        let group = submitted["task_group_id"].as_str().expect("an id");
        let endpoint = format!("v2/endpoints/{id}");
        vec![
            get("compute.v2.get_version", "v2/version".to_owned()),
            get("compute.v2.get_endpoints", "v2/endpoints".to_owned()),
            get("compute.v2.get_endpoint", endpoint.clone()),
            get(
                "compute.v2.get_endpoint_status",
                format!("{endpoint}/status"),
            ),
            post(
                "compute.v2.register_function",
                "v2/functions".to_owned(),
                asked.clone(),
            ),
            post(
                "compute.v3.register_function",
                "v3/functions".to_owned(),
                asked.clone(),
            ),
            get("compute.v2.get_function", format!("v2/functions/{kept}")),
            get(
                "compute.v2.delete_function",
                format!("v2/functions/{deleted}"),
            ),
            post("compute.v3.submit", path, submission),
            get("compute.v2.get_task", format!("v2/tasks/{task}")),
            post(
                "compute.v2.get_task_batch",
                "v2/batch_status".to_owned(),
                json!({"task_ids": [task]}),
            ),
            get("compute.v2.get_task_group", format!("v2/taskgroup/{group}")),
        ]
    }

    fn of_groups(&self) -> Vec<Request> {
        let id = group().id();
        let asked = json!({"name": "New", "description": "No stairs."});
        vec![
            get("groups.get_my_groups", "v2/groups/my_groups".to_owned()),
            get("groups.get_group", format!("v2/groups/{id}")),
            post("groups.create_group", "v2/groups".to_owned(), asked),
        ]
    }

    async fn of_gcs(&self) -> Vec<Request> {
        let url = self.sample.globus.service_url("gcs").expect("a URL");
        let token = self.token("gcs", false).expect("a token");
        let list = async |what: &str| {
            let request = client_without_redirects().get(format!("{url}{what}"));
            let found = request
                .bearer_auth(&token)
                .send()
                .await
                .expect("it answers");
            let found: Value = found.json().await.expect("JSON");
            found["data"][0]["id"].as_str().expect("an id").to_owned()
        };
        let gateway = list("storage_gateways").await;
        let credential = list("user_credentials").await;
        vec![
            get("globus_connect_server.get_gcs_info", "api/info".to_owned()),
            get(
                "globus_connect_server.get_endpoint",
                "api/endpoint".to_owned(),
            ),
            get(
                "globus_connect_server.get_collection_list",
                "api/collections".to_owned(),
            ),
            get(
                "globus_connect_server.get_storage_gateway_list",
                "api/storage_gateways".to_owned(),
            ),
            get(
                "globus_connect_server.get_storage_gateway",
                format!("api/storage_gateways/{gateway}"),
            ),
            get(
                "globus_connect_server.get_user_credential_list",
                "api/user_credentials".to_owned(),
            ),
            get(
                "globus_connect_server.get_user_credential",
                format!("api/user_credentials/{credential}"),
            ),
        ]
    }
}

/// The body of a transfer, as the SDK writes it.
fn transfer() -> Value {
    json!({
        "DATA": [{"DATA_TYPE": "transfer_item", "source_path": "/a", "destination_path": "/b"}],
        "DATA_TYPE": "transfer",
    })
}

fn get(name: &'static str, path: String) -> Request {
    Request {
        name,
        path,
        body: None,
        of_flow: false,
    }
}

fn post(name: &'static str, path: String, body: Value) -> Request {
    Request {
        body: Some(body),
        ..get(name, path)
    }
}
