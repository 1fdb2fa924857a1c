//! The API of scopes that clients register.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::given::set;
use crate::identity::User;
use crate::state::State as ServerState;
use crate::world::Shared;

use super::clients;
use super::error::{self, AuthError, Created};
use super::manager::Manager;
use super::params::Params;

/// A scope of a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Registered {
    pub(super) id: Uuid,
    pub(super) client: Uuid,
    scope_suffix: String,
    name: String,
    description: String,
    advertised: bool,
    allows_refresh_token: bool,
    required_domains: Vec<String>,
    dependent_scopes: Vec<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ScopeBody {
    scope: Fields,
}

#[derive(Debug, Deserialize)]
struct Fields {
    scope_suffix: Option<String>,
    name: Option<String>,
    description: Option<String>,
    advertised: Option<bool>,
    allows_refresh_token: Option<bool>,
    required_domains: Option<Vec<String>>,
    dependent_scopes: Option<Vec<Value>>,
}

type Body = Result<Json<ScopeBody>, JsonRejection>;

impl Registered {
    fn scope_string(&self) -> String {
        let (client, suffix) = (self.client, &self.scope_suffix);
        format!("https://auth.globus.org/scopes/{client}/{suffix}")
    }

    fn document(&self) -> Value {
        json!({
            "id": self.id,
            "client": self.client,
            "scope_string": self.scope_string(),
            "name": self.name,
            "description": self.description,
            "advertised": self.advertised,
            "allows_refresh_token": self.allows_refresh_token,
            "required_domains": self.required_domains,
            "dependent_scopes": self.dependent_scopes,
        })
    }

    fn apply(&mut self, fields: Fields) {
        set(&mut self.scope_suffix, fields.scope_suffix);
        set(&mut self.name, fields.name);
        set(&mut self.description, fields.description);
        set(&mut self.advertised, fields.advertised);
        set(&mut self.allows_refresh_token, fields.allows_refresh_token);
        set(&mut self.required_domains, fields.required_domains);
        set(&mut self.dependent_scopes, fields.dependent_scopes);
    }
}

fn one_of(scope: &Registered) -> Json<Value> {
    Json(json!({"scope": scope.document()}))
}

fn is_managed(state: &ServerState, user: &User, scope: &Registered) -> bool {
    clients::managed(state, user, &scope.client.to_string()).is_ok()
}

fn place(state: &ServerState, user: &User, id: &str) -> Result<usize, AuthError> {
    let mut scopes = state.auth.scopes.iter();
    let found =
        scopes.position(|scope| scope.id.to_string() == id && is_managed(state, user, scope));
    found.ok_or_else(|| error::not_found("no such scope"))
}

/// `GET /v2/api/scopes`: the scopes of the caller's clients, or any scopes by `ids` or
/// `scope_strings`.
pub(super) async fn list(
    State(world): State<Shared>,
    caller: Manager,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, AuthError> {
    let params = Params(pairs);
    let (ids, strings) = (params.api_list("ids")?, params.api_list("scope_strings")?);
    let state = world.state();
    let wanted = |scope: &&Registered| {
        if ids.is_empty() && strings.is_empty() {
            return is_managed(&state, &caller.user, scope);
        }
        ids.contains(&scope.id.to_string()) || strings.contains(&scope.scope_string())
    };
    let scopes = state.auth.scopes.iter().filter(wanted);
    let documents: Vec<Value> = scopes.map(Registered::document).collect();
    Ok(Json(json!({"scopes": documents})))
}

pub(super) async fn one(
    State(world): State<Shared>,
    caller: Manager,
    Path(id): Path<String>,
) -> Result<Json<Value>, AuthError> {
    let state = world.state();
    let place = place(&state, &caller.user, &id)?;
    Ok(one_of(&state.auth.scopes[place]))
}

/// `POST /v2/api/clients/{id}/scopes`.
pub(super) async fn create(
    State(world): State<Shared>,
    caller: Manager,
    Path(client): Path<String>,
    body: Body,
) -> Result<Created, AuthError> {
    let fields = error::body(body)?.scope;
    if fields.scope_suffix.is_none() || fields.name.is_none() {
        return Err(error::bad_request("name and scope_suffix are required"));
    }
    let mut state = world.state();
    let mut scope = Registered {
        id: Uuid::new_v4(),
        client: clients::managed(&state, &caller.user, &client)?.id,
        scope_suffix: String::new(),
        name: String::new(),
        description: String::new(),
        advertised: false,
        allows_refresh_token: true,
        required_domains: Vec::new(),
        dependent_scopes: Vec::new(),
    };
    scope.apply(fields);
    let mut known = state.auth.scopes.iter();
    if known.any(|known| known.scope_string() == scope.scope_string()) {
        return Err(error::conflict("the scope exists already"));
    }
    let document = one_of(&scope);
    state.auth.scopes.push(scope);
    Ok(Created(document))
}

/// `PUT /v2/api/scopes/{id}`: changes the given fields.
pub(super) async fn update(
    State(world): State<Shared>,
    caller: Manager,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    let fields = error::body(body)?.scope;
    let mut state = world.state();
    let place = place(&state, &caller.user, &id)?;
    let scope = &mut state.auth.scopes[place];
    scope.apply(fields);
    Ok(one_of(scope))
}

pub(super) async fn delete(
    State(world): State<Shared>,
    caller: Manager,
    Path(id): Path<String>,
) -> Result<Json<Value>, AuthError> {
    let mut state = world.state();
    let place = place(&state, &caller.user, &id)?;
    Ok(one_of(&state.auth.scopes.remove(place)))
}
