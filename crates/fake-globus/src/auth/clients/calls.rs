//! The endpoints of the API of clients.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::auth::client::authenticate;
use crate::auth::error::{self, AuthError, Created};
use crate::auth::manager::Manager;
use crate::auth::params::Params;
use crate::state::{Client, State as ServerState};
use crate::world::{Shared, World};

use super::{ClientBody, Details, Fields, document, instance, managed, register};

type Body = Result<Json<ClientBody>, JsonRejection>;
type Managing = Result<Manager, Response>;

fn one_of(state: &ServerState, client: &Client) -> Json<Value> {
    Json(json!({"client": document(state, client)}))
}

/// The client that authenticates itself by HTTP Basic.
fn itself(world: &World, headers: &HeaderMap) -> Result<Client, AuthError> {
    let client = authenticate(world, headers, &Params(Vec::new()));
    client.map_err(|_| error::unauthorized())
}

/// `POST /v2/api/clients`: an instance of a native client, a child of a confidential one, or a
/// client of a project.
pub(in crate::auth) async fn create(
    State(world): State<Shared>,
    headers: HeaderMap,
    caller: Managing,
    body: Body,
) -> Result<Created, Response> {
    let response = IntoResponse::into_response;
    let fields = error::body(body).map_err(response)?.client;
    let template = fields.template_id.as_ref().filter(|id| !id.is_null());
    if let Some(template) = template {
        let template = template.as_str().unwrap_or_default().to_owned();
        let instance = instance::create(&world, &template, fields);
        return instance.map(Created).map_err(response);
    }
    match fields.project {
        Some(project) => {
            let user = caller?.user.clone();
            let managed = world.state().auth.managed(&user, project);
            managed.map_err(response)?;
            new(&world, fields, Details::default())
        }
        None => itself(&world, &headers).and_then(|parent| {
            let parent = Some(parent.id);
            new(
                &world,
                fields,
                Details {
                    parent,
                    ..Details::default()
                },
            )
        }),
    }
    .map_err(response)
}

fn new(world: &World, fields: Fields, details: Details) -> Result<Created, AuthError> {
    let kind = fields.kind()?;
    if fields.name.is_none() {
        return Err(error::bad_request("name is required"));
    }
    let mut state = world.state();
    let client = register(&mut state, fields, kind, details);
    Ok(Created(one_of(&state, &client)))
}

/// `GET /v2/api/clients`: the clients of the caller's projects, or the client with this `fqdn`.
pub(in crate::auth) async fn list(
    State(world): State<Shared>,
    caller: Manager,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, AuthError> {
    let params = Params(pairs);
    let state = world.state();
    let own = |id: &Uuid| managed(&state, &caller.user, &id.to_string()).ok();
    let fqdn = params.first("fqdn");
    if fqdn.is_empty() {
        let clients = state.auth.clients.keys().filter_map(own);
        let documents: Vec<Value> = clients.map(|client| document(&state, &client)).collect();
        return Ok(Json(json!({"clients": documents})));
    }
    let mut named = state.auth.clients.iter();
    let named = named.find(|(_, details)| details.fqdns.iter().any(|known| known == fqdn));
    let client = named.and_then(|(id, _)| own(id));
    let client = client.ok_or_else(|| error::not_found("no such client"))?;
    Ok(one_of(&state, &client))
}

/// `GET /v2/api/clients/{id}`: by a manager of the client, or by the client itself.
pub(in crate::auth) async fn one(
    State(world): State<Shared>,
    headers: HeaderMap,
    caller: Managing,
    Path(id): Path<String>,
) -> Result<Json<Value>, AuthError> {
    let client = known(&world, &headers, caller, &id)?;
    Ok(one_of(&world.state(), &client))
}

/// `PUT /v2/api/clients/{id}`: changes the given fields.
pub(in crate::auth) async fn update(
    State(world): State<Shared>,
    headers: HeaderMap,
    caller: Managing,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    let fields = error::body(body)?.client;
    if fields.client_type.is_some() || fields.public_client.is_some() {
        return Err(error::bad_request("the type of a client cannot be changed"));
    }
    let mut client = known(&world, &headers, caller, &id)?;
    let mut state = world.state();
    let mut details = state.auth.clients.remove(&client.id).unwrap_or_default();
    // A client cannot move to another project.
    let project = details.project;
    fields.apply(&mut client, &mut details);
    details.project = project;
    state.auth.clients.insert(client.id, details);
    state.clients.insert(client.id, client.clone());
    Ok(one_of(&state, &client))
}

/// `DELETE /v2/api/clients/{id}`: by a manager of the client, or by the client itself. Revokes the
/// client's tokens.
pub(in crate::auth) async fn delete(
    State(world): State<Shared>,
    headers: HeaderMap,
    caller: Managing,
    Path(id): Path<String>,
) -> Result<Json<Value>, AuthError> {
    let client = known(&world, &headers, caller, &id)?;
    let now = world.clock.now();
    let mut state = world.state();
    let document = one_of(&state, &client);
    state.clients.remove(&client.id);
    state.auth.clients.remove(&client.id);
    state.auth.scopes.retain(|scope| scope.client != client.id);
    state.users.retain(|user| user.id() != client.id);
    let tokens = state.tokens.values_mut();
    tokens
        .filter(|token| token.grant.client == client.id)
        .for_each(|token| token.revoke(now));
    Ok(document)
}

/// The client with this id, if the caller manages it or is the client itself.
fn known(
    world: &World,
    headers: &HeaderMap,
    caller: Managing,
    id: &str,
) -> Result<Client, AuthError> {
    if let Ok(caller) = caller {
        return managed(&world.state(), &caller.user, id);
    }
    let client = itself(world, headers)?;
    if id.parse() != Ok(client.id) || client.secret.is_none() {
        return Err(error::forbidden("a client may manage only itself"));
    }
    Ok(client)
}
