//! The API of projects, whose admins manage clients and policies.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::given::set;
use crate::identity::User;
use crate::state::State as ServerState;
use crate::world::Shared;

use super::AuthState;
use super::error::{self, AuthError, Created};
use super::identities;
use super::manager::Manager;

/// A project.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Project {
    pub(super) id: Uuid,
    display_name: String,
    contact_email: String,
    admin_ids: Option<Vec<Uuid>>,
    /// Only the creator of the project counts as a member of these groups.
    admin_group_ids: Option<Vec<Uuid>>,
    creator: Uuid,
}

#[derive(Debug, Deserialize)]
pub(super) struct ProjectBody {
    project: Fields,
}

#[derive(Debug, Deserialize)]
struct Fields {
    display_name: Option<String>,
    contact_email: Option<String>,
    admin_ids: Option<Vec<Uuid>>,
    admin_group_ids: Option<Vec<Uuid>>,
}

type Body = Result<Json<ProjectBody>, JsonRejection>;

impl Project {
    fn is_managed_by(&self, user: &User) -> bool {
        let admins = self.admin_ids.iter().flatten();
        let is_admin = admins.into_iter().any(|id| user.identity(*id).is_some());
        is_admin || self.admin_group_ids.is_some() && self.creator == user.id()
    }

    fn document(&self, state: &ServerState) -> Value {
        let admins = self.admin_ids.iter().flatten();
        let admins = admins.filter_map(|id| state.user_of_identity(*id)?.identity(*id));
        let identities: Vec<Value> = admins.map(identities::document).collect();
        let groups = self.admin_group_ids.iter().flatten();
        let groups = groups.map(|id| {
            json!({
                "id": id,
                "name": id,
                "description": null,
                "organization": null,
            })
        });
        let groups: Vec<Value> = groups.collect();
        json!({
            "id": self.id,
            "display_name": self.display_name,
            "project_name": self.display_name,
            "contact_email": self.contact_email,
            "admin_ids": self.admin_ids,
            "admin_group_ids": self.admin_group_ids,
            "admins": {"identities": identities, "groups": groups},
        })
    }
}

impl AuthState {
    /// The index of the project, if `user` manages it.
    fn place(&self, user: &User, id: &str) -> Result<usize, AuthError> {
        let mut projects = self.projects.iter();
        let found = projects
            .position(|project| project.id.to_string() == id && project.is_managed_by(user));
        found.ok_or_else(|| error::not_found("no such project"))
    }

    /// Whether `user` manages the project.
    pub(super) fn manages(&self, user: &User, project: Option<Uuid>) -> bool {
        project.is_some_and(|id| self.place(user, &id.to_string()).is_ok())
    }

    /// The id of the project, if `user` manages it.
    pub(super) fn managed(&self, user: &User, project: Uuid) -> Result<Uuid, AuthError> {
        self.place(user, &project.to_string()).map(|_| project)
    }
}

fn one_of(project: Value) -> Json<Value> {
    Json(json!({"project": project}))
}

pub(super) async fn list(State(world): State<Shared>, caller: Manager) -> Json<Value> {
    let state = world.state();
    let own = state.auth.projects.iter();
    let own = own.filter(|project| project.is_managed_by(&caller.user));
    let documents: Vec<Value> = own.map(|project| project.document(&state)).collect();
    Json(json!({"projects": documents}))
}

pub(super) async fn one(
    State(world): State<Shared>,
    caller: Manager,
    Path(id): Path<String>,
) -> Result<Json<Value>, AuthError> {
    let state = world.state();
    let place = state.auth.place(&caller.user, &id)?;
    Ok(one_of(state.auth.projects[place].document(&state)))
}

pub(super) async fn create(
    State(world): State<Shared>,
    caller: Manager,
    body: Body,
) -> Result<Created, AuthError> {
    let fields = error::body(body)?.project;
    let required = |field: Option<String>, name: &str| field.ok_or_else(|| error::missing(name));
    if fields.admin_ids.is_none() && fields.admin_group_ids.is_none() {
        return Err(error::missing("admin_ids or admin_group_ids"));
    }
    let project = Project {
        id: Uuid::new_v4(),
        display_name: required(fields.display_name, "display_name")?,
        contact_email: required(fields.contact_email, "contact_email")?,
        admin_ids: fields.admin_ids,
        admin_group_ids: fields.admin_group_ids,
        creator: caller.user.id(),
    };
    let mut state = world.state();
    let document = project.document(&state);
    state.auth.projects.push(project);
    Ok(Created(one_of(document)))
}

pub(super) async fn update(
    State(world): State<Shared>,
    caller: Manager,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    let fields = error::body(body)?.project;
    let mut state = world.state();
    let place = state.auth.place(&caller.user, &id)?;
    let project = &mut state.auth.projects[place];
    set(&mut project.display_name, fields.display_name);
    set(&mut project.contact_email, fields.contact_email);
    set(&mut project.admin_ids, fields.admin_ids.map(Some));
    set(
        &mut project.admin_group_ids,
        fields.admin_group_ids.map(Some),
    );
    Ok(one_of(state.auth.projects[place].document(&state)))
}

/// `DELETE /v2/api/projects/{id}`. Fails with 409 while clients or policies belong to the project.
pub(super) async fn delete(
    State(world): State<Shared>,
    caller: Manager,
    Path(id): Path<String>,
) -> Result<Json<Value>, AuthError> {
    let mut state = world.state();
    let place = state.auth.place(&caller.user, &id)?;
    let project = state.auth.projects[place].id;
    let mut policies = state.auth.policies.iter();
    let mut clients = state.auth.clients.values();
    if policies.any(|policy| policy.project == Some(project))
        || clients.any(|client| client.project == Some(project))
    {
        return Err(error::conflict("clients or policies belong to the project"));
    }
    let document = state.auth.projects[place].document(&state);
    state.auth.projects.remove(place);
    Ok(one_of(document))
}
