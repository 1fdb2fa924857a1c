//! The endpoints of Compute's API.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::record::push_last;
use crate::service::{Bearer, Body, Rejection, challenge_of, rejection};
use crate::world::{Shared, World};

use super::endpoint::ComputeEndpoint;
use super::task::{Function, FunctionRequest, Task};
use super::{Compute, ComputeState, KEPT};

type Answer = Result<Json<Value>, Rejection>;
type Pairs = Query<Vec<(String, String)>>;

fn not_found(what: &str, id: &str) -> Rejection {
    let code = format!("{what}NotFound");
    let message = format!("{what} {id} could not be resolved");
    rejection::<Compute>(StatusCode::NOT_FOUND, &code, &message)
}

/// `GET /v2/version`. It needs no token.
pub(super) async fn version(Query(pairs): Pairs) -> Json<Value> {
    let version = "1.23.0";
    if pairs.iter().any(|(name, _)| name == "service") {
        return Json(json!({
            "api": version,
            "min_sdk_version": "1.0.0a6",
            "min_endpoint_version": "1.0.0a0",
            "git_sha": "0000000000000000000000000000000000000000",
        }));
    }
    Json(version.into())
}

/// `GET /v2/endpoints`: the caller's own endpoints, or all with `role=any`.
pub(super) async fn endpoints(
    State(world): State<Shared>,
    caller: Bearer<Compute>,
    Query(pairs): Pairs,
) -> Json<Value> {
    let any = pairs
        .iter()
        .any(|(name, value)| name == "role" && value == "any");
    let state = world.state();
    let endpoints = state.compute.endpoints.iter();
    let shown = endpoints.filter(|endpoint| any || endpoint.is_of(&caller.user));
    Json(
        shown
            .map(|endpoint| endpoint.listed(&caller.user))
            .collect(),
    )
}

/// The endpoint with this id, if the caller's session satisfies its policies.
fn usable(world: &World, caller: &Bearer<Compute>, id: &str) -> Result<ComputeEndpoint, Rejection> {
    let wanted: Option<Uuid> = id.parse().ok();
    let state = world.state();
    let mut endpoints = state.compute.endpoints.iter();
    let found = endpoints.find(|endpoint| Some(endpoint.id) == wanted);
    let endpoint = found.ok_or_else(|| not_found("Endpoint", id))?;
    match endpoint.requirement(caller, world.clock.now()) {
        None => Ok(endpoint.clone()),
        Some(gare) => Err(challenge_of::<Compute>(&gare)),
    }
}

pub(super) async fn endpoint(
    State(world): State<Shared>,
    caller: Bearer<Compute>,
    Path(id): Path<String>,
) -> Answer {
    Ok(Json(usable(&world, &caller, &id)?.document()))
}

pub(super) async fn status(
    State(world): State<Shared>,
    caller: Bearer<Compute>,
    Path(id): Path<String>,
) -> Answer {
    usable(&world, &caller, &id)?;
    Ok(Json(json!({
        "status": "online",
        "details": {
            "total_workers": 1,
            "idle_workers": 1,
            "pending_tasks": 0,
            "outstanding_tasks": 0,
            "managers": 1,
        },
    })))
}

pub(super) async fn register(
    State(world): State<Shared>,
    caller: Bearer<Compute>,
    body: Body<Compute, FunctionRequest>,
) -> Json<Value> {
    let asked = body.content;
    let (id, owner) = (Uuid::new_v4(), caller.user.id());
    let functions = &mut world.state().compute.functions;
    push_last(functions, Function { id, owner, asked }, KEPT);
    Json(json!({"function_uuid": id}))
}

pub(super) async fn function(
    State(world): State<Shared>,
    _: Bearer<Compute>,
    Path(id): Path<String>,
) -> Answer {
    let state = world.state();
    let mut functions = state.compute.functions.iter();
    let found = functions.find(|function| Some(function.id) == id.parse().ok());
    let function = found.ok_or_else(|| not_found("Function", &id))?;
    Ok(Json(function.document()))
}

pub(super) async fn delete_function(
    State(world): State<Shared>,
    caller: Bearer<Compute>,
    Path(id): Path<String>,
) -> Answer {
    let functions = &mut world.state().compute.functions;
    let before = functions.len();
    let is_it = |function: &Function| {
        Some(function.id) == id.parse().ok() && function.owner == caller.user.id()
    };
    functions.retain(|function| !is_it(function));
    if functions.len() == before {
        return Err(not_found("Function", &id));
    }
    Ok(Json(json!({"result": 302})))
}

#[derive(Deserialize)]
pub(super) struct Submission {
    /// The arguments of each task, by function.
    tasks: BTreeMap<Uuid, Vec<Value>>,
    #[serde(default)]
    task_group_id: Option<Uuid>,
}

/// `POST /v3/endpoints/{id}/submit`.
pub(super) async fn submit(
    State(world): State<Shared>,
    caller: Bearer<Compute>,
    Path(id): Path<String>,
    body: Body<Compute, Submission>,
) -> Answer {
    let endpoint = usable(&world, &caller, &id)?;
    let submission = body.content;
    let group = submission.task_group_id.unwrap_or_else(Uuid::new_v4);
    let at = world.clock.now();
    let compute = &mut world.state().compute;
    let known = |id: &Uuid| compute.functions.iter().any(|function| function.id == *id);
    if let Some(unknown) = submission.tasks.keys().find(|id| !known(id)) {
        return Err(not_found("Function", &unknown.to_string()));
    }
    let mut tasks = BTreeMap::new();
    for (function, calls) in submission.tasks {
        let ids: Vec<Uuid> = calls.iter().map(|_| Uuid::new_v4()).collect();
        for id in &ids {
            let task = Task {
                id: *id,
                owner: caller.user.id(),
                group,
                at,
            };
            push_last(&mut compute.tasks, task, KEPT);
        }
        tasks.insert(function, ids);
    }
    Ok(Json(json!({
        "request_id": Uuid::new_v4(),
        "task_group_id": group,
        "endpoint_id": endpoint.id,
        "tasks": tasks,
    })))
}

/// The caller's tasks that are `wanted`.
fn own<'s>(
    state: &'s ComputeState,
    caller: &Bearer<Compute>,
    wanted: impl Fn(&Task) -> bool,
) -> Vec<&'s Task> {
    let tasks = state.tasks.iter();
    let own = tasks.filter(|task| task.owner == caller.user.id() && wanted(task));
    own.collect()
}

pub(super) async fn task(
    State(world): State<Shared>,
    caller: Bearer<Compute>,
    Path(id): Path<String>,
) -> Answer {
    let state = world.state();
    let found = own(&state.compute, &caller, |task| {
        Some(task.id) == id.parse().ok()
    });
    let task = found.first().ok_or_else(|| not_found("Task", &id))?;
    Ok(Json(task.document()))
}

#[derive(Deserialize)]
pub(super) struct Batch {
    task_ids: Vec<Uuid>,
}

pub(super) async fn batch(
    State(world): State<Shared>,
    caller: Bearer<Compute>,
    body: Body<Compute, Batch>,
) -> Json<Value> {
    let state = world.state();
    let found = own(&state.compute, &caller, |task| {
        body.content.task_ids.contains(&task.id)
    });
    let results = found
        .iter()
        .map(|task| (task.id.to_string(), task.document()));
    let results: BTreeMap<_, _> = results.collect();
    Json(json!({"response": "batch", "results": results}))
}

pub(super) async fn group(
    State(world): State<Shared>,
    caller: Bearer<Compute>,
    Path(id): Path<String>,
) -> Answer {
    let state = world.state();
    let found = own(&state.compute, &caller, |task| {
        Some(task.group) == id.parse().ok()
    });
    if found.is_empty() {
        return Err(not_found("TaskGroup", &id));
    }
    let tasks: Vec<Value> = found.iter().map(|task| task.listed()).collect();
    Ok(Json(json!({
        "taskgroup_id": id,
        "create_websockets_queue": false,
        "tasks": tasks,
    })))
}
