//! Identity providers: one for each domain of an identity.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Query, State};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::identity::{Identity, User};
use crate::service::Bearer;
use crate::stable_id::stable_id;
use crate::world::Shared;

use super::Auth;
use super::error::{self, AuthError};
use super::params::Params;

/// The id of a domain's identity provider.
pub(super) fn id(domain: &str) -> Uuid {
    stable_id("provider", domain)
}

/// `GET /v2/api/identity_providers`, by `ids` or `domains`.
pub(super) async fn search(
    State(world): State<Shared>,
    _: Bearer<Auth>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, AuthError> {
    let params = Params(pairs);
    let (ids, domains) = (params.api_list("ids")?, params.api_list("domains")?);
    if ids.is_empty() == domains.is_empty() {
        return Err(error::bad_request("either ids or domains are required"));
    }
    let state = world.state();
    let people = state.users.iter().filter(|user| !user.is_client);
    let known = people.flat_map(User::identities).map(Identity::domain);
    // Sorted, without duplicates.
    let known: BTreeSet<&str> = known.collect();
    let wanted = |domain: &&str| {
        ids.contains(&id(domain).to_string())
            || domains
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(domain))
    };
    let found = known.into_iter().filter(wanted);
    let found: Vec<Value> = found.map(document).collect();
    Ok(Json(json!({"identity_providers": found})))
}

fn document(domain: &str) -> Value {
    json!({
        "id": id(domain),
        "name": domain,
        "short_name": domain,
        "domains": [domain],
        "alternative_names": [],
    })
}
