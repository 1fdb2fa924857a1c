//! The endpoints of Flows' API.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::observe::CalledBy;
use crate::record::push_last;
use crate::service::{self, Bearer, Body, Caller, Rejection, Service, challenge_of, rejection};
use crate::state;
use crate::transfer;
use crate::unattended::{OnBehalf, held_up};
use crate::world::{Shared, World};

use super::flow::{self, Flow};
use super::page::Page;
use super::run::{Run, RunRequest, Status};
use super::{ACTION, Flows, KEPT_RUNS, SCOPES};

type Answer = Result<Json<Value>, Rejection>;
type Pairs = Query<Vec<(String, String)>>;

/// Checks that the token has the scope `all` or one of these scopes of Flows.
fn scoped(caller: &Caller, scopes: &[&str]) -> Result<(), Rejection> {
    let has = |name: &&str| caller.scopes.contains(&format!("{SCOPES}{name}"));
    if has(&"all") || scopes.iter().any(has) {
        return Ok(());
    }
    Err(missing_scope(&format!("{SCOPES}{}", scopes[0])))
}

fn missing_scope(scope: &str) -> Rejection {
    let message = format!("This action requires the following scope: {scope}");
    rejection::<Flows>(StatusCode::FORBIDDEN, "MissingScope", &message)
}

fn not_found(what: &str, id: &str) -> Rejection {
    let message = format!("No {what} exists with id value {id}");
    rejection::<Flows>(StatusCode::NOT_FOUND, "NotFound", &message)
}

/// Checks that each filter is supported.
fn filters(pairs: &[(String, String)], known: &[&str]) -> Result<(), Rejection> {
    let mut filters = pairs.iter().filter(|(name, _)| name.starts_with("filter_"));
    let Some((name, _)) = filters.find(|(name, _)| !known.contains(&name.as_str())) else {
        return Ok(());
    };
    let message = format!("fake-globus does not know {name}");
    let status = StatusCode::NOT_IMPLEMENTED;
    Err(rejection::<Flows>(status, "NotImplemented", &message))
}

fn value<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    // The command line also sends filters without a value.
    let mut pairs = pairs.iter().filter(|(_, value)| !value.is_empty());
    let pair = pairs.find(|(known, _)| known == name);
    pair.map(|(_, value)| value.as_str())
}

pub(super) async fn flows(
    State(world): State<Shared>,
    caller: Bearer<Flows>,
    Query(pairs): Pairs,
) -> Answer {
    scoped(&caller, &["view_flows", "manage_flows"])?;
    filters(&pairs, &["filter_fulltext", "filter_roles", "filter_role"])?;
    let page = Page::parse(&pairs)?;
    let text = value(&pairs, "filter_fulltext").unwrap_or_default();
    let text = text.to_lowercase();
    let fits = |flow: &&Flow| {
        let title = flow.title.to_lowercase();
        text.split_whitespace().all(|word| title.contains(word))
    };
    let base = world.url(Flows::NAME);
    let state = world.state();
    let found = state.flows.flows.iter().filter(fits);
    let documents = found.map(|flow| flow.document(&base)).collect();
    Ok(Json(page.of("flows", documents)))
}

pub(super) async fn flow(
    State(world): State<Shared>,
    caller: Bearer<Flows>,
    Path(id): Path<String>,
) -> Answer {
    scoped(&caller, &["view_flows", "manage_flows"])?;
    let flow = find_flow(&world, &id)?;
    Ok(Json(flow.document(&world.url(Flows::NAME))))
}

fn find_flow(world: &World, id: &str) -> Result<Flow, Rejection> {
    let wanted: Option<Uuid> = id.parse().ok();
    let state = world.state();
    let found = wanted.and_then(|id| state.flows.flow(id));
    found.cloned().ok_or_else(|| not_found("flow", id))
}

/// The caller, with a token for the flow's own resource server and a session that satisfies the
/// flow's policies.
fn authorized(
    world: &World,
    headers: &HeaderMap,
    called_by: &CalledBy,
    flow: &Flow,
) -> Result<Caller, Rejection> {
    let caller = service::caller(world, headers, &flow.id.to_string()).ok_or_else(|| {
        let status = StatusCode::UNAUTHORIZED;
        rejection::<Flows>(status, "AuthenticationError", "")
    })?;
    called_by.name(&caller.user);
    if !caller.scopes.contains(&flow.scope()) {
        return Err(missing_scope(&flow.scope()));
    }
    let now = world.clock.now();
    match flow.requirement(&caller.session, &caller.user, now) {
        None => Ok(caller),
        Some(gare) => Err(challenge_of::<Flows>(&gare)),
    }
}

/// The status of a run with this input.
fn status(
    state: &state::State,
    world: &World,
    flow: &Flow,
    by: &OnBehalf,
    input: &Value,
) -> Status {
    let scope = flow.scope();
    let above = [&*scope, ACTION, transfer::ALL];
    match held_up(state, world.clock.now(), by, &above, input) {
        Some(held_up) => Status::Inactive(held_up),
        None => Status::Succeeded,
    }
}

pub(super) async fn start(
    State(world): State<Shared>,
    Path(id): Path<String>,
    Extension(called_by): Extension<CalledBy>,
    headers: HeaderMap,
    body: Body<Flows, RunRequest>,
) -> Result<Response, Rejection> {
    let flow = find_flow(&world, &id)?;
    let caller = authorized(&world, &headers, &called_by, &flow)?;
    let asked = body.content;
    let (by, now) = (OnBehalf::of(&caller), world.clock.now());
    let mut state = world.state();
    let run = Run {
        id: Uuid::new_v4(),
        flow: flow.id,
        flow_title: flow.title.clone(),
        status: status(&state, &world, &flow, &by, &asked.body),
        by,
        asked,
        started: now,
        ended: now,
    };
    let document = run.starting();
    push_last(&mut state.flows.runs, run, KEPT_RUNS);
    Ok((StatusCode::CREATED, Json(document)).into_response())
}

/// `POST flows/{id}/validate_run`. Every input is valid.
pub(super) async fn validate(
    State(world): State<Shared>,
    Path(id): Path<String>,
    Extension(called_by): Extension<CalledBy>,
    headers: HeaderMap,
) -> Answer {
    let flow = find_flow(&world, &id)?;
    authorized(&world, &headers, &called_by, &flow)?;
    Ok(Json(json!({"message": "validation successful"})))
}

/// `GET runs`: the caller's own runs, the last one first.
pub(super) async fn runs(
    State(world): State<Shared>,
    caller: Bearer<Flows>,
    Query(pairs): Pairs,
) -> Answer {
    scoped(&caller, &["run_status", "run_manage"])?;
    let known = [
        "filter_flow_id",
        "filter_status",
        "filter_roles",
        "filter_role",
    ];
    filters(&pairs, &known)?;
    let page = Page::parse(&pairs)?;
    let among = |name: &str, own: &str| {
        let wanted = value(&pairs, name);
        wanted.is_none_or(|wanted| wanted.split(',').any(|wanted| wanted == own))
    };
    let state = world.state();
    let own = state.flows.runs.iter().rev().filter(|run| {
        run.by.user == caller.user.id()
            && among("filter_flow_id", &run.flow.to_string())
            && among("filter_status", run.status.name())
    });
    let documents = own.map(|run| run.document());
    Ok(Json(page.of("runs", documents.collect())))
}

/// Calls `act` with a run of `user`.
fn with_run<T>(
    world: &World,
    user: Uuid,
    id: &str,
    act: impl FnOnce(&mut Run) -> Result<T, Rejection>,
) -> Result<T, Rejection> {
    let wanted: Option<Uuid> = id.parse().ok();
    let mut state = world.state();
    let mut runs = state.flows.runs.iter_mut();
    let run = runs.find(|run| Some(run.id) == wanted && run.by.user == user);
    let run = run.ok_or_else(|| not_found("run", id))?;
    act(run)
}

pub(super) async fn run(
    State(world): State<Shared>,
    caller: Bearer<Flows>,
    Path(id): Path<String>,
    Query(pairs): Pairs,
) -> Answer {
    scoped(&caller, &["run_status", "run_manage"])?;
    let (of, mut document) = with_run(&world, caller.user.id(), &id, |run| {
        Ok((run.flow, run.document()))
    })?;
    let described = value(&pairs, "include_flow_description");
    if described.is_some_and(|described| described.eq_ignore_ascii_case("true")) {
        let state = world.state();
        let flow = state.flows.flow(of);
        document["flow_description"] = flow.map(Flow::description).unwrap_or_default();
    }
    Ok(Json(document))
}

pub(super) async fn definition(
    State(world): State<Shared>,
    caller: Bearer<Flows>,
    Path(id): Path<String>,
) -> Answer {
    scoped(&caller, &["run_status", "run_manage"])?;
    with_run(&world, caller.user.id(), &id, |run| {
        Ok(Json(json!({
            "flow_id": run.flow,
            "definition": flow::part("definition"),
            "input_schema": flow::part("input_schema"),
        })))
    })
}

pub(super) async fn log(
    State(world): State<Shared>,
    caller: Bearer<Flows>,
    Path(id): Path<String>,
    Query(pairs): Pairs,
) -> Answer {
    scoped(&caller, &["run_status", "run_manage"])?;
    let page = Page::parse(&pairs)?;
    with_run(&world, caller.user.id(), &id, |run| {
        Ok(Json(page.of("entries", run.log())))
    })
}

/// `POST runs/{id}/resume`. The run continues with the session of this request's token, which must
/// be for the flow's own resource server.
pub(super) async fn resume(
    State(world): State<Shared>,
    Path(id): Path<String>,
    Extension(called_by): Extension<CalledBy>,
    headers: HeaderMap,
) -> Answer {
    let (flow, input) = {
        let wanted: Option<Uuid> = id.parse().ok();
        let state = world.state();
        let mut runs = state.flows.runs.iter();
        let run = runs.find(|run| Some(run.id) == wanted);
        let found = run.and_then(|run| Some((state.flows.flow(run.flow)?.clone(), run)));
        let (flow, run) = found.ok_or_else(|| not_found("run", &id))?;
        (flow, run.asked.body.clone())
    };
    let caller = authorized(&world, &headers, &called_by, &flow)?;
    let by = OnBehalf::of(&caller);
    let status = status(&world.state(), &world, &flow, &by, &input);
    let now = world.clock.now();
    with_run(&world, caller.user.id(), &id, |run| {
        if !matches!(run.status, Status::Inactive(_)) {
            return Err(conflict(run, "'INACTIVE'"));
        }
        (run.by, run.status, run.ended) = (by, status, now);
        Ok(Json(run.starting()))
    })
}

pub(super) async fn cancel(
    State(world): State<Shared>,
    caller: Bearer<Flows>,
    Path(id): Path<String>,
) -> Answer {
    scoped(&caller, &["run_manage"])?;
    let now = world.clock.now();
    with_run(&world, caller.user.id(), &id, |run| {
        if !matches!(run.status, Status::Inactive(_)) {
            return Err(conflict(run, "'ACTIVE', 'INACTIVE'"));
        }
        (run.status, run.ended) = (Status::Cancelled, now);
        Ok(Json(run.document()))
    })
}

pub(super) async fn release(
    State(world): State<Shared>,
    caller: Bearer<Flows>,
    Path(id): Path<String>,
) -> Answer {
    scoped(&caller, &["run_manage"])?;
    let (released, document) = with_run(&world, caller.user.id(), &id, |run| {
        if matches!(run.status, Status::Inactive(_)) {
            return Err(conflict(run, "'ENDED', 'SUCCEEDED', 'FAILED'"));
        }
        Ok((run.id, run.document()))
    })?;
    world.state().flows.runs.retain(|run| run.id != released);
    Ok(Json(document))
}

fn conflict(run: &Run, must: &str) -> Rejection {
    let (id, status) = (run.id, run.status.name());
    let message = format!(
        "Run {id} has status '{status}' but must have status in {{{must}}} for requested operation"
    );
    rejection::<Flows>(StatusCode::CONFLICT, "StateConflict", &message)
}
