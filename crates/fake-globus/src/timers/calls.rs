//! The endpoints of Timers' API.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::gare::Gare;
use crate::service::{Bearer, Body, Rejection, challenge_of, rejection};
use crate::state;
use crate::unattended::OnBehalf;
use crate::world::{Shared, World};

use super::schedule::{self, Schedule};
use super::timer::{Inactive, Timer, Work};
use super::{TIMER, Timers};

type Answer = Result<Json<Value>, Rejection>;

/// Checks that the token has the scope of Timers.
fn scoped(caller: &Bearer<Timers>) -> Result<(), Rejection> {
    if caller.scopes.iter().any(|scope| scope == TIMER) {
        return Ok(());
    }
    let gare = Gare::consent("Missing required scope", vec![TIMER.to_owned()]);
    Err(challenge_of::<Timers>(&gare))
}

/// The error for invalid fields of the body: each a name and a message.
fn invalid(fields: &[(&str, &str)]) -> Rejection {
    let details = fields.iter().map(
        |(field, message)| json!({"loc": ["body", field], "msg": message, "type": "value_error"}),
    );
    let document = json!({"detail": details.collect::<Vec<_>>()});
    (StatusCode::UNPROCESSABLE_ENTITY, Json(document))
        .into_response()
        .into()
}

#[derive(Deserialize)]
struct TimerRequest {
    #[serde(default)]
    name: Option<String>,
    schedule: schedule::ScheduleRequest,
    body: Value,
    #[serde(flatten)]
    kind: Kind,
}

#[derive(Deserialize)]
#[serde(tag = "timer_type", rename_all = "lowercase")]
enum Kind {
    Transfer,
    Flow { flow_id: Uuid },
}

/// `POST /v2/timer`.
pub(super) async fn create(
    State(world): State<Shared>,
    caller: Bearer<Timers>,
    mut body: Body<Timers, Value>,
) -> Result<Response, Rejection> {
    scoped(&caller)?;
    let timer = body.content.get_mut("timer").map(Value::take);
    let asked: TimerRequest = serde_json::from_value(timer.unwrap_or_default())
        .map_err(|error| invalid(&[("timer", &error.to_string())]))?;
    let now = world.clock.now();
    let schedule = Schedule::of(&asked.schedule, now);
    let schedule = schedule.map_err(|error| invalid(&[("schedule", &error)]))?;
    let work = match asked.kind {
        Kind::Transfer => Work::Transfer,
        Kind::Flow { flow_id } => {
            let state = world.state();
            let flow = state.flows.flow(flow_id);
            let flow = flow.ok_or_else(|| invalid(&[("flow_id", "there is no such flow")]))?;
            let scope = flow.scope();
            Work::Flow { id: flow_id, scope }
        }
    };
    let timer = Timer {
        id: Uuid::new_v4(),
        name: asked.name,
        by: OnBehalf::of(&caller),
        work,
        body: asked.body,
        schedule,
        submitted: now,
        runs: 0,
        last_run: None,
        inactive: None,
    };
    let document = json!({"timer": timer.document()});
    world.state().timers.push(timer);
    Ok((StatusCode::CREATED, Json(document)).into_response())
}

#[derive(Deserialize)]
pub(super) struct JobRequest {
    #[serde(default)]
    name: Option<String>,
    start: Option<String>,
    #[serde(default)]
    interval: Option<f64>,
    #[serde(default)]
    stop_after: Option<String>,
    #[serde(default)]
    stop_after_n: Option<u64>,
    callback_url: Option<String>,
    #[serde(default)]
    callback_body: Value,
    #[serde(default)]
    scope: Option<String>,
}

/// `POST /jobs/`: creates a timer in the older form.
pub(super) async fn create_job(
    State(world): State<Shared>,
    caller: Bearer<Timers>,
    body: Body<Timers, JobRequest>,
) -> Result<Response, Rejection> {
    scoped(&caller)?;
    let job = body.content;
    let (Some(start), Some(url)) = (job.start.as_deref(), job.callback_url.clone()) else {
        let fields = [
            ("start", job.start.is_none()),
            ("callback_url", job.callback_url.is_none()),
        ];
        let missing = fields.into_iter().filter(|(_, missing)| *missing);
        let missing: Vec<_> = missing
            .map(|(field, _)| (field, "field required"))
            .collect();
        return Err(invalid(&missing));
    };
    let time =
        |field: &str, text: &str| schedule::time(text).map_err(|error| invalid(&[(field, &error)]));
    let until = job.stop_after.as_deref();
    // Intervals are whole seconds.
    let interval = job.interval.map(|seconds| seconds as u64);
    let timer = Timer {
        id: Uuid::new_v4(),
        name: job.name,
        by: OnBehalf::of(&caller),
        work: Work::Callback {
            url,
            scope: job.scope,
        },
        body: job.callback_body,
        schedule: Schedule {
            start: time("start", start)?,
            interval: interval.filter(|seconds| *seconds > 0),
            runs: job.stop_after_n.or(interval.is_none().then_some(1)),
            until: until.map(|until| time("stop_after", until)).transpose()?,
        },
        submitted: world.clock.now(),
        runs: 0,
        last_run: None,
        inactive: None,
    };
    let document = timer.job();
    world.state().timers.push(timer);
    Ok((StatusCode::CREATED, Json(document)).into_response())
}

/// Performs the due runs of all timers.
fn catch_up(state: &mut state::State, world: &World) {
    let mut timers = std::mem::take(&mut state.timers);
    for timer in &mut timers {
        timer.catch_up(state, world.clock.now());
    }
    state.timers = timers;
}

pub(super) async fn list(State(world): State<Shared>, caller: Bearer<Timers>) -> Answer {
    scoped(&caller)?;
    let mut state = world.state();
    catch_up(&mut state, &world);
    let timers = state.timers.iter();
    let own = timers.filter(|timer| timer.by.user == caller.user.id());
    let jobs: Vec<Value> = own.map(Timer::job).collect();
    Ok(Json(json!({"jobs": jobs})))
}

/// Calls `act` with a timer of the caller.
fn with_timer<T>(
    world: &World,
    caller: &Bearer<Timers>,
    id: &str,
    act: impl FnOnce(&mut Timer) -> T,
) -> Result<T, Rejection> {
    scoped(caller)?;
    let wanted: Option<Uuid> = id.parse().ok();
    let mut state = world.state();
    catch_up(&mut state, world);
    let mut timers = state.timers.iter_mut();
    let found = timers.find(|timer| Some(timer.id) == wanted && timer.by.user == caller.user.id());
    found.map(act).ok_or_else(|| {
        let message = format!("No job {id} was found");
        rejection::<Timers>(StatusCode::NOT_FOUND, "NotFound", &message)
    })
}

pub(super) async fn one(
    State(world): State<Shared>,
    caller: Bearer<Timers>,
    Path(id): Path<String>,
) -> Answer {
    with_timer(&world, &caller, &id, |timer| Json(timer.job()))
}

pub(super) async fn pause(
    State(world): State<Shared>,
    caller: Bearer<Timers>,
    Path(id): Path<String>,
) -> Answer {
    with_timer(&world, &caller, &id, |timer| {
        timer.inactive.get_or_insert(Inactive::Paused);
        let message = format!("Successfully paused job {}.", timer.id);
        Json(json!({"message": message}))
    })
}

#[derive(Deserialize)]
pub(super) struct Resumption {
    #[serde(default)]
    update_credentials: Option<bool>,
}

/// `POST /jobs/{id}/resume`. The timer continues with the session of this request's token if
/// `update_credentials` is true; by default, if the timer waited for another login or a consent.
pub(super) async fn resume(
    State(world): State<Shared>,
    caller: Bearer<Timers>,
    Path(id): Path<String>,
    body: Body<Timers, Resumption>,
) -> Answer {
    with_timer(&world, &caller, &id, |timer| {
        let was_required = matches!(timer.inactive, Some(Inactive::Required(_)));
        if body.content.update_credentials.unwrap_or(was_required) {
            timer.by = OnBehalf::of(&caller);
        }
        timer.inactive = None;
        let message = format!("Successfully resumed job {}.", timer.id);
        Json(json!({"message": message}))
    })
}

pub(super) async fn delete(
    State(world): State<Shared>,
    caller: Bearer<Timers>,
    Path(id): Path<String>,
) -> Answer {
    let (deleted, document) = with_timer(&world, &caller, &id, |timer| (timer.id, timer.job()))?;
    world.state().timers.retain(|timer| timer.id != deleted);
    Ok(Json(document))
}
