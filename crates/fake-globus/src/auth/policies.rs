//! The API of authentication policies: policies of projects, and policies from the server's
//! settings.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::collection::Policy;
use crate::given::{given, set};
use crate::identity::User;
use crate::state::State as ServerState;
use crate::world::Shared;

use super::error::{self, AuthError, Created};
use super::manager::Manager;

#[derive(Debug, Deserialize)]
pub(super) struct PolicyBody {
    policy: Fields,
}

#[derive(Debug, Deserialize)]
struct Fields {
    project_id: Option<Uuid>,
    display_name: Option<String>,
    description: Option<String>,
    high_assurance: Option<bool>,
    /// In seconds.
    authentication_assurance_timeout: Option<u64>,
    required_mfa: Option<bool>,
    #[serde(default, deserialize_with = "given")]
    domain_constraints_include: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "given")]
    domain_constraints_exclude: Option<Option<Vec<String>>>,
}

type Body = Result<Json<PolicyBody>, JsonRejection>;

impl Fields {
    /// Applies the given fields to a policy. Changes nothing if the result would contradict itself.
    fn apply(self, policy: &mut Policy) -> Result<(), AuthError> {
        let mut changed = policy.clone();
        set(&mut changed.project, self.project_id.map(Some));
        set(&mut changed.name, self.display_name);
        set(&mut changed.description, self.description);
        set(&mut changed.high_assurance, self.high_assurance);
        let timeout = self.authentication_assurance_timeout;
        let included = self
            .domain_constraints_include
            .map(Option::unwrap_or_default);
        let excluded = self
            .domain_constraints_exclude
            .map(Option::unwrap_or_default);
        let demand = &mut changed.demand;
        set(
            &mut demand.max_age,
            timeout.map(Duration::from_secs).map(Some),
        );
        set(&mut demand.mfa, self.required_mfa);
        set(&mut demand.domains, included);
        set(&mut demand.excluded_domains, excluded);
        if demand.mfa && !changed.high_assurance {
            let detail = "required_mfa requires high_assurance";
            return Err(error::bad_request(detail));
        }
        if demand.is_never_met() {
            let detail = "authentication_assurance_timeout must not be 0";
            return Err(error::bad_request(detail));
        }
        *policy = changed;
        Ok(())
    }
}

fn document(policy: &Policy) -> Value {
    let demand = &policy.demand;
    let list = |domains: &[String]| (!domains.is_empty()).then(|| domains.to_vec());
    json!({
        "id": policy.id,
        "project_id": policy.project,
        "display_name": policy.name,
        "description": policy.description,
        "high_assurance": policy.high_assurance,
        "authentication_assurance_timeout": demand.max_age.map(|age| age.as_secs()),
        "required_mfa": demand.mfa,
        "domain_constraints_include": list(&demand.domains),
        "domain_constraints_exclude": list(&demand.excluded_domains),
    })
}

fn one_of(policy: &Policy) -> Json<Value> {
    Json(json!({"policy": document(policy)}))
}

/// Whether `user` manages the policy. Every user manages a policy from the server's settings.
fn is_managed(state: &ServerState, user: &User, policy: &Policy) -> bool {
    policy.project.is_none() || state.auth.manages(user, policy.project)
}

fn found<'s>(state: &'s ServerState, user: &User, id: &str) -> Result<&'s Policy, AuthError> {
    let policy = id.parse().ok().and_then(|id| state.policy(id));
    let managed = policy.filter(|policy| is_managed(state, user, policy));
    managed.ok_or_else(|| error::not_found("no such policy"))
}

/// `GET /v2/api/policies`: the policies of the caller's projects, and those from the server's
/// settings.
pub(super) async fn list(State(world): State<Shared>, caller: Manager) -> Json<Value> {
    let state = world.state();
    let mut policies: Vec<&Policy> = state.policies().collect();
    policies.retain(|policy| is_managed(&state, &caller.user, policy));
    // Several collections may have copies of one policy.
    policies.sort_by_key(|policy| policy.id);
    policies.dedup_by_key(|policy| policy.id);
    let documents: Vec<Value> = policies.into_iter().map(document).collect();
    Json(json!({"policies": documents}))
}

pub(super) async fn one(
    State(world): State<Shared>,
    caller: Manager,
    Path(id): Path<String>,
) -> Result<Json<Value>, AuthError> {
    let state = world.state();
    found(&state, &caller.user, &id).map(one_of)
}

pub(super) async fn create(
    State(world): State<Shared>,
    caller: Manager,
    body: Body,
) -> Result<Created, AuthError> {
    let fields = error::body(body)?.policy;
    let project = fields
        .project_id
        .ok_or_else(|| error::missing("project_id"))?;
    if fields.display_name.is_none() {
        return Err(error::missing("display_name"));
    }
    let mut policy = Policy::new("").with_id(Uuid::new_v4());
    fields.apply(&mut policy)?;
    let mut state = world.state();
    state.auth.managed(&caller.user, project)?;
    let document = one_of(&policy);
    state.auth.policies.push(policy);
    Ok(Created(document))
}

/// `PUT /v2/api/policies/{id}`: changes the given fields. The change takes effect at once, also for
/// collections, flows and endpoints with this policy.
pub(super) async fn update(
    State(world): State<Shared>,
    caller: Manager,
    Path(id): Path<String>,
    body: Body,
) -> Result<Json<Value>, AuthError> {
    let fields = error::body(body)?.policy;
    let mut state = world.state();
    if let Some(project) = fields.project_id {
        state.auth.managed(&caller.user, project)?;
    }
    let mut changed = found(&state, &caller.user, &id)?.clone();
    fields.apply(&mut changed)?;
    state.change_policy(&changed);
    Ok(one_of(&changed))
}

pub(super) async fn delete(
    State(world): State<Shared>,
    caller: Manager,
    Path(id): Path<String>,
) -> Result<Json<Value>, AuthError> {
    let mut state = world.state();
    let policy = found(&state, &caller.user, &id)?.clone();
    let place = state
        .auth
        .policies
        .iter()
        .position(|own| own.id == policy.id);
    let place = place.ok_or_else(|| error::conflict("the policy is in use"))?;
    state.auth.policies.remove(place);
    Ok(one_of(&policy))
}
