//! The HTTP control plane: `/_fake/...` on every origin, for test programs in any language.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::challenges;
use super::command::{self, Command, Dump};
use super::record::{RequestKind, SeenRequest};
use super::world::Shared;

/// The default of `timeout_ms`: how long `GET requests` waits.
const PATIENCE_MS: u64 = 10_000;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/_fake/health", get(health))
        .route("/_fake/environment", get(environment))
        .route("/_fake/clock", get(clock))
        .route("/_fake/state", get(state))
        .route("/_fake/requests", get(requests))
        .route("/_fake/challenges", get(all_challenges))
        .route("/_fake/violations", get(violations))
        .route("/_fake/counts", get(counts))
        .route("/_fake/{command}", post(command))
        // A dump may be larger than any other body.
        .route_layer(DefaultBodyLimit::disable())
        .route_layer(from_fn(closed_to_pages))
}

/// Rejects a request of a web page, which a browser marks as such.
async fn closed_to_pages(request: Request, next: Next) -> Response {
    if is_of_a_page(request.headers()) {
        return failed(
            StatusCode::FORBIDDEN,
            "web pages may not control this server",
        );
    }
    next.run(request).await
}

fn is_of_a_page(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site");
    headers.contains_key(header::ORIGIN) || site.is_some_and(|site| site != "none")
}

fn failed(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"error": error}))).into_response()
}

async fn health() -> Json<Value> {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

async fn environment(State(world): State<Shared>) -> Json<Value> {
    Json(json!(BTreeMap::from_iter(world.environment())))
}

async fn clock(State(world): State<Shared>) -> Json<Value> {
    Json(command::clock(&world))
}

async fn state(State(world): State<Shared>) -> Json<Dump> {
    Json(Dump::of(&world))
}

async fn counts(State(world): State<Shared>) -> Json<Value> {
    Json(json!(world.log().counts))
}

async fn all_challenges() -> Json<Value> {
    let each = challenges::ALL.iter().map(|challenge| {
        json!({"id": challenge.id, "service": challenge.service, "status": challenge.http_status})
    });
    Json(json!({"challenges": each.collect::<Vec<_>>()}))
}

async fn violations(State(world): State<Shared>) -> Json<Value> {
    let log = world.log();
    let violations = log.violations.iter();
    let each = violations.map(|found| json!({"kind": found.kind, "detail": found.detail}));
    Json(json!({"violations": each.collect::<Vec<_>>()}))
}

/// The query of `GET requests`: which requests to return, and how many to wait for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestFilter {
    kind: Option<RequestKind>,
    operation: Option<String>,
    #[serde(default)]
    at_least: usize,
    timeout_ms: Option<u64>,
}

impl RequestFilter {
    fn is_met(&self, seen: &SeenRequest) -> bool {
        let operation = self.operation.as_deref();
        self.kind.is_none_or(|kind| kind == seen.kind)
            && operation.is_none_or(|operation| seen.operation == Some(operation))
    }
}

async fn requests(
    State(world): State<Shared>,
    wanted: Result<Query<RequestFilter>, QueryRejection>,
) -> Response {
    let wanted = match wanted {
        Ok(Query(wanted)) => wanted,
        Err(rejection) => return failed(StatusCode::BAD_REQUEST, &rejection.body_text()),
    };
    let patience = Duration::from_millis(wanted.timeout_ms.unwrap_or(PATIENCE_MS));
    let come = world.wait_for_requests(wanted.at_least, |seen| wanted.is_met(seen));
    if tokio::time::timeout(patience, come).await.is_err() {
        let error = format!("there were no {} requests in time", wanted.at_least);
        return failed(StatusCode::REQUEST_TIMEOUT, &error);
    }
    let log = world.log();
    let seen = log.requests.iter().filter(|seen| wanted.is_met(seen));
    let documents: Vec<Value> = seen.map(document).collect();
    Json(json!({"requests": documents})).into_response()
}

fn document(seen: &SeenRequest) -> Value {
    json!({
        "kind": seen.kind,
        "operation": seen.operation,
        "method": seen.method.as_str(),
        "path": seen.path,
        "query": seen.query,
        "user": seen.user,
        "status": seen.status,
        "challenged": seen.challenged,
    })
}

/// `POST /_fake/{command}`: applies the command with the fields of the JSON body.
async fn command(State(world): State<Shared>, Path(name): Path<String>, body: Bytes) -> Response {
    let fields = if body.is_empty() {
        Ok(json!({}))
    } else {
        serde_json::from_slice(&body)
    };
    let command = fields.and_then(|mut fields: Value| {
        if let Value::Object(fields) = &mut fields {
            fields.insert("command".to_owned(), name.replace('-', "_").into());
        }
        serde_json::from_value::<Command>(fields)
    });
    let done = command
        .map_err(|error| error.to_string())
        .and_then(|command| {
            let done = command.apply(&world);
            done.map_err(|error| error.to_string())
        });
    match done {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => failed(StatusCode::BAD_REQUEST, &error),
    }
}
