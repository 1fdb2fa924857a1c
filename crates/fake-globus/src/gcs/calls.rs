//! The endpoints of the GCS Manager API. All are read-only.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::gare::Gare;
use crate::service::{Bearer, Rejection, Service, challenge_of, rejection};
use crate::state::Served;
use crate::transfer;
use crate::world::{Shared, World};

use super::document::{self, credential_id, gateway_id};
use super::{Gcs, MANAGE, result};

type Answer = Result<Json<Value>, Rejection>;

fn success(data: impl IntoIterator<Item = Value>) -> Json<Value> {
    let (status, detail) = (StatusCode::OK, json!("success"));
    let mut document = result("1.0.0", status, "success", "Operation successful", detail);
    document["data"] = data.into_iter().collect();
    Json(document)
}

fn scoped(caller: &Bearer<Gcs>) -> Result<(), Rejection> {
    if caller.scopes.iter().any(|scope| scope == MANAGE) {
        return Ok(());
    }
    let gare = Gare::consent("Missing required scopes", vec![MANAGE.to_owned()]);
    Err(challenge_of::<Gcs>(&gare))
}

/// `GET /info`. It needs no token.
pub(super) async fn info() -> Json<Value> {
    success(document::info())
}

pub(super) async fn endpoint(State(world): State<Shared>, caller: Bearer<Gcs>) -> Answer {
    scoped(&caller)?;
    Ok(success([document::endpoint(&world.url(Gcs::NAME))]))
}

/// `GET /collections`: all collections. Their policies apply to `GET /collections/{id}` only.
pub(super) async fn collections(State(world): State<Shared>, caller: Bearer<Gcs>) -> Answer {
    scoped(&caller)?;
    let all = world.state().collections.clone();
    let each = all.iter();
    Ok(success(each.map(|served| {
        document::collection(&world, &served.collection)
    })))
}

/// The collection that `is_it` finds, if the caller's session satisfies it. `what` is the noun for
/// errors.
fn allowed(
    world: &World,
    caller: &Bearer<Gcs>,
    what: &str,
    is_it: impl Fn(&Served) -> bool,
) -> Result<Arc<Served>, Rejection> {
    scoped(caller)?;
    let found = world
        .state()
        .collections
        .iter()
        .find(|served| is_it(served))
        .cloned();
    let served = found.ok_or_else(|| {
        let message = format!("No such {what}");
        rejection::<Gcs>(StatusCode::NOT_FOUND, "NotFound", &message)
    })?;
    let now = world.clock.now();
    let (collection, user) = (&served.collection, &caller.user);
    match transfer::requirement(collection, user, &caller.session, now) {
        Some(gare) => Err(challenge_of::<Gcs>(&gare)),
        None => Ok(served),
    }
}

pub(super) async fn collection(
    State(world): State<Shared>,
    caller: Bearer<Gcs>,
    Path(id): Path<String>,
) -> Answer {
    let wanted: Option<Uuid> = id.parse().ok();
    let is_it = |served: &Served| Some(served.collection.id) == wanted;
    let served = allowed(&world, &caller, "collection", is_it)?;
    Ok(success([document::collection(&world, &served.collection)]))
}

pub(super) async fn gateways(State(world): State<Shared>, caller: Bearer<Gcs>) -> Answer {
    scoped(&caller)?;
    let state = world.state();
    let each = state.collections.iter();
    Ok(success(
        each.map(|served| document::gateway(&served.collection)),
    ))
}

pub(super) async fn gateway(
    State(world): State<Shared>,
    caller: Bearer<Gcs>,
    Path(id): Path<String>,
) -> Answer {
    let wanted: Option<Uuid> = id.parse().ok();
    let is_it = |served: &Served| Some(gateway_id(&served.collection)) == wanted;
    let served = allowed(&world, &caller, "storage gateway", is_it)?;
    Ok(success([document::gateway(&served.collection)]))
}

/// `GET /user_credentials`: the caller's own, one for each gateway.
pub(super) async fn credentials(State(world): State<Shared>, caller: Bearer<Gcs>) -> Answer {
    scoped(&caller)?;
    let state = world.state();
    let each = state.collections.iter();
    Ok(success(each.map(|served| {
        document::credential(&served.collection, &caller.user)
    })))
}

pub(super) async fn credential(
    State(world): State<Shared>,
    caller: Bearer<Gcs>,
    Path(id): Path<String>,
) -> Answer {
    let wanted: Option<Uuid> = id.parse().ok();
    let is_it = |served: &Served| Some(credential_id(&served.collection, &caller.user)) == wanted;
    let served = allowed(&world, &caller, "user credential", is_it)?;
    Ok(success([document::credential(
        &served.collection,
        &caller.user,
    )]))
}
