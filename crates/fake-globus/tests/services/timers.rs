//! Timers.

use std::time::Duration;

use fake_globus::{Collection, Flow, Policy};
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{ALL, Fixture, json as document_of, ok, send, text, texts};

const TIMER: &str = "https://auth.globus.org/scopes/524230d7-ea86-4a52-8312-86065a9e0417/timer";
const ACTION: &str = "https://auth.globus.org/scopes/actions.globus.org/transfer/transfer";

struct Site {
    fixture: Fixture,
    url: String,
    token: String,
}

impl Site {
    async fn new(collection: impl FnOnce(Collection) -> Collection, flow: Flow) -> Self {
        let fixture = Fixture::with(collection, |server| server.flow(flow)).await;
        let url = fixture.globus.service_url("timer").expect("a URL");
        let mut site = Self {
            url: url.to_owned(),
            token: String::new(),
            fixture,
        };
        site.token = site.token(TIMER);
        site
    }

    async fn guarded(collection: impl FnOnce(Collection) -> Collection) -> Self {
        Self::new(collection, Flow::new("Publish")).await
    }

    fn token(&self, scopes: &str) -> String {
        let token = self.fixture.globus.issue_token(&self.fixture.ada, scopes);
        token.expect("a token")
    }

    async fn post(&self, path: &str, token: &str, body: &Value) -> Response {
        let request = self.fixture.http.post(format!("{}{path}", self.url));
        send(request.bearer_auth(token).json(body)).await
    }

    fn transfer(&self, schedule: &Value) -> Value {
        let id = &self.fixture.collection;
        let body = json!({"DATA": [], "source_endpoint": id, "destination_endpoint": id});
        json!({"timer": {
            "timer_type": "transfer", "name": "nightly", "schedule": schedule, "body": body,
        }})
    }

    async fn create(&self, timer: &Value) -> String {
        let response = self.post("v2/timer", &self.token, timer).await;
        assert_eq!(response.status(), 201);
        text(&document_of(response).await, "/timer/job_id").to_owned()
    }

    async fn job(&self, id: &str) -> Value {
        let request = self.fixture.http.get(format!("{}jobs/{id}", self.url));
        ok(send(request.bearer_auth(&self.token)).await).await
    }

    async fn resume(&self, id: &str, token: &str) {
        ok(self
            .post(&format!("jobs/{id}/resume"), token, &json!({}))
            .await)
        .await;
    }

    fn wait(&self, seconds: u64) {
        let clock = self.fixture.globus.clock();
        clock.advance(Duration::from_secs(seconds));
    }
}

fn hourly() -> Value {
    json!({"type": "recurring", "interval_seconds": 3600, "end": {"count": 3}})
}

#[checks::test]
async fn timer_runs_by_the_clock_until_its_end() {
    let site = Site::guarded(|c| c).await;
    let id = site.create(&site.transfer(&hourly())).await;
    let job = site.job(&id).await;
    assert_eq!(
        (job["n_runs"].as_u64(), text(&job, "/status")),
        (Some(1), "loaded")
    );
    site.wait(3600);
    assert_eq!(site.job(&id).await["n_runs"], 2);
    site.wait(36_000);
    let job = site.job(&id).await;
    assert_eq!(
        (job["n_runs"].as_u64(), text(&job, "/status")),
        (Some(3), "ended")
    );
    assert_eq!(job["next_run"], Value::Null);
}

#[checks::test]
async fn timer_without_a_consent_is_inactive_until_resumed() {
    let site = Site::guarded(Collection::data_access).await;
    let id = site.create(&site.transfer(&hourly())).await;
    let job = site.job(&id).await;
    assert_eq!(text(&job, "/status"), "inactive");
    assert_eq!(
        text(&job, "/inactive_reason/cause"),
        "globus_auth_requirements"
    );
    let gare = &job["inactive_reason"]["detail"];
    assert_eq!(text(gare, "/code"), "ConsentRequired");
    let collection = &site.fixture.collection;
    let data_access = format!("https://auth.globus.org/scopes/{collection}/data_access");
    let scope = format!("{TIMER}[*{ALL}[*{data_access}]]");
    let required = &gare["authorization_parameters"]["required_scopes"];
    assert_eq!(required, &json!([scope]));
    site.resume(&id, &site.token(&scope)).await;
    let job = site.job(&id).await;
    assert_eq!(
        (job["n_runs"].as_u64(), text(&job, "/status")),
        (Some(1), "loaded")
    );
    assert_eq!(job["inactive_reason"], Value::Null);
}

#[checks::test]
async fn timer_with_an_old_session_resumes_with_a_new_one() {
    let site = Site::guarded(|c| c.session_minutes(90)).await;
    let id = site.create(&site.transfer(&hourly())).await;
    site.wait(3 * 3600);
    let job = site.job(&id).await;
    // The session satisfied the second run, but not the third.
    assert_eq!(
        (job["n_runs"].as_u64(), text(&job, "/status")),
        (Some(2), "inactive")
    );
    let gare = &job["inactive_reason"]["detail"];
    let required = &gare["authorization_parameters"]["session_required_single_domain"];
    assert_eq!(required, &json!(["uchicago.edu"]));
    let fresh = site.token(TIMER);
    let keep = json!({"update_credentials": false});
    ok(site.post(&format!("jobs/{id}/resume"), &fresh, &keep).await).await;
    assert_eq!(text(&site.job(&id).await, "/status"), "inactive");
    site.resume(&id, &fresh).await;
    assert_eq!(text(&site.job(&id).await, "/status"), "ended");
}

#[checks::test]
async fn expired_session_makes_a_timer_inactive() {
    let site = Site::guarded(|c| c.session_minutes(90)).await;
    let id = site.create(&site.transfer(&hourly())).await;
    assert_eq!(text(&site.job(&id).await, "/status"), "loaded");
    let expired = site.fixture.globus.expire_sessions(&site.fixture.ada);
    expired.expect("a known identity");
    site.wait(3600);
    assert_eq!(text(&site.job(&id).await, "/status"), "inactive");
}

#[checks::test]
async fn paused_timer_names_its_user_as_the_cause() {
    let site = Site::guarded(|c| c).await;
    let schedule = json!({"type": "once", "datetime": "2999-01-01T00:00:00+00:00"});
    let id = site.create(&site.transfer(&schedule)).await;
    assert_eq!(text(&site.job(&id).await, "/status"), "new");
    ok(site
        .post(&format!("jobs/{id}/pause"), &site.token, &json!({}))
        .await)
    .await;
    let reason = json!({"cause": "user", "detail": null});
    assert_eq!(site.job(&id).await["inactive_reason"], reason);
    site.resume(&id, &site.token).await;
    assert_eq!(text(&site.job(&id).await, "/status"), "new");
    let request = site.fixture.http.delete(format!("{}jobs/{id}", site.url));
    ok(send(request.bearer_auth(&site.token)).await).await;
    let request = site.fixture.http.get(format!("{}jobs/", site.url));
    let jobs = ok(send(request.bearer_auth(&site.token)).await).await;
    assert_eq!(jobs["jobs"], json!([]));
}

#[checks::test]
async fn flow_timer_obeys_the_policies_of_its_flow() {
    let policy = Policy::new("Recent").session_minutes(30);
    let flow = Flow::new("Guarded").policy(policy.clone());
    let site = Site::new(|c| c, flow.clone()).await;
    let timer = json!({"timer": {
        "timer_type": "flow", "flow_id": flow.id(), "schedule": hourly(), "body": {},
    }});
    let id = site.create(&timer).await;
    let job = site.job(&id).await;
    assert_eq!(
        (text(&job, "/status"), text(&job, "/scope")),
        ("loaded", &*flow.scope())
    );
    site.wait(3600);
    let job = site.job(&id).await;
    let gare = &job["inactive_reason"]["detail"];
    let required = &gare["authorization_parameters"]["session_required_policies"];
    assert_eq!(required, &json!([policy.id()]));
}

#[checks::test]
async fn timer_in_the_older_form_runs() {
    let site = Site::guarded(Collection::data_access).await;
    let id = &site.fixture.collection;
    let body = json!({
        "name": "older", "start": "2022-04-01T19:30:00+00:00", "interval": 864_000, "stop_after_n": 1,
        "callback_url": "https://actions.automate.globus.org/transfer/transfer/run",
        "callback_body": {"body": {"source_endpoint_id": id}}, "scope": ACTION,
    });
    let created = site.post("jobs/", &site.token, &body).await;
    assert_eq!(created.status(), 201);
    let job = document_of(created).await;
    let job = site.job(text(&job, "/job_id")).await;
    let gare = &job["inactive_reason"]["detail"];
    let scope = &gare["authorization_parameters"]["required_scopes"][0];
    assert!(
        scope
            .as_str()
            .is_some_and(|scope| scope.starts_with(ACTION)),
        "{scope}"
    );

    let rejected = site.post("jobs", &site.token, &json!({})).await;
    assert_eq!(rejected.status(), 422);
    let rejected = document_of(rejected).await;
    assert_eq!(
        texts(&rejected, "/detail", "/loc/1"),
        ["start", "callback_url"]
    );
}

#[checks::test]
async fn invalid_timers_are_rejected() {
    let site = Site::guarded(|c| c).await;
    for schedule in [
        json!({"type": "recurring", "interval_seconds": 0}),
        json!({"type": "once", "datetime": "tomorrow"}),
        json!({"type": "hourly"}),
    ] {
        let timer = site.transfer(&schedule);
        let rejected = site.post("v2/timer", &site.token, &timer).await;
        assert_eq!(rejected.status(), 422, "{schedule}");
    }
    for body in [json!({}), json!([1]), json!("timer"), json!(1)] {
        let rejected = site.post("v2/timer", &site.token, &body).await;
        assert_eq!(rejected.status(), 422, "{body}");
    }
    let other = "https://auth.globus.org/scopes/524230d7-ea86-4a52-8312-86065a9e0417/other";
    let timer = site.transfer(&hourly());
    let rejected = site.post("v2/timer", &site.token(other), &timer).await;
    assert_eq!(rejected.status(), 403);
    let gare = document_of(rejected).await;
    assert_eq!(
        gare["authorization_parameters"]["required_scopes"],
        json!([TIMER])
    );
}
