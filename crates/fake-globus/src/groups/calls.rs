//! The endpoints of Groups' API.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::gare::Gare;
use crate::service::{Bearer, Body, Rejection, Service, challenge_of, rejection};
use crate::world::{Shared, World};

use super::Groups;
use super::group::Group;

type Answer = Result<Json<Value>, Rejection>;

/// Checks that the token has this scope or the scope `all`.
fn scoped(caller: &Bearer<Groups>, name: &str) -> Result<(), Rejection> {
    let [wanted, all] = [name, "all"].map(|name| format!("{}{name}", Groups::SCOPES));
    let has = |scope: &String| caller.scopes.contains(scope);
    if has(&wanted) || has(&all) {
        return Ok(());
    }
    Err(challenge_of::<Groups>(&Gare::consent(
        "Missing scope",
        vec![wanted],
    )))
}

const VIEW: &str = "view_my_groups_and_memberships";

pub(super) async fn mine(State(world): State<Shared>, caller: Bearer<Groups>) -> Answer {
    scoped(&caller, VIEW)?;
    let now = world.clock.now();
    let state = world.state();
    let groups = state.groups.iter();
    let own = groups.filter(|group| group.has(&caller.user));
    Ok(Json(
        own.map(|group| group.document(&caller, now)).collect(),
    ))
}

/// A group that the caller is a member of, if the caller's session satisfies it.
fn own(world: &World, caller: &Bearer<Groups>, id: &str) -> Result<Group, Rejection> {
    let wanted: Option<Uuid> = id.parse().ok();
    let state = world.state();
    let mut groups = state.groups.iter();
    let found = groups.find(|group| Some(group.id) == wanted && group.has(&caller.user));
    let group = found.ok_or_else(|| {
        let message = format!("There is no group {id}, or the caller is not a member");
        rejection::<Groups>(StatusCode::NOT_FOUND, "GroupNotFound", &message)
    })?;
    match group.requirement(caller, world.clock.now()) {
        Some(gare) => Err(challenge_of::<Groups>(&gare)),
        None => Ok(group.clone()),
    }
}

/// `GET /v2/groups/{id}`; `include=memberships` adds all members.
pub(super) async fn one(
    State(world): State<Shared>,
    caller: Bearer<Groups>,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Answer {
    scoped(&caller, VIEW)?;
    let group = own(&world, &caller, &id)?;
    let mut document = group.whole(&caller, world.clock.now());
    let includes = |wanted: &str| {
        let mut pairs = pairs.iter().filter(|(name, _)| name == "include");
        pairs.any(|(_, values)| values.split(',').any(|value| value == wanted))
    };
    if includes("memberships") {
        document["memberships"] = group.memberships(&world.state().users).into();
    }
    Ok(Json(document))
}

pub(super) async fn policies(
    State(world): State<Shared>,
    caller: Bearer<Groups>,
    Path(id): Path<String>,
) -> Answer {
    scoped(&caller, VIEW)?;
    Ok(Json(own(&world, &caller, &id)?.policies()))
}

#[derive(Deserialize)]
pub(super) struct GroupRequest {
    name: String,
    #[serde(default)]
    description: Option<String>,
}

/// `POST /v2/groups`: the caller becomes the first member and admin.
pub(super) async fn create(
    State(world): State<Shared>,
    caller: Bearer<Groups>,
    body: Body<Groups, GroupRequest>,
) -> Result<Response, Rejection> {
    scoped(&caller, "all")?;
    let asked = body.content;
    let group = Group::new(asked.name)
        .with_id(Uuid::new_v4())
        .member(caller.user.primary.username(), "admin")
        .described(asked.description.as_deref().unwrap_or_default());
    let document = group.whole(&caller, world.clock.now());
    world.state().groups.push(group);
    Ok((StatusCode::CREATED, Json(document)).into_response())
}

pub(super) async fn delete(
    State(world): State<Shared>,
    caller: Bearer<Groups>,
    Path(id): Path<String>,
) -> Answer {
    scoped(&caller, "all")?;
    let group = own(&world, &caller, &id)?;
    if !group.is_administered_by(&caller.user) {
        let message = "Only an admin of the group may delete it";
        return Err(rejection::<Groups>(
            StatusCode::FORBIDDEN,
            "Forbidden",
            message,
        ));
    }
    world.state().groups.retain(|known| known.id != group.id);
    Ok(Json(group.whole(&caller, world.clock.now())))
}
