//! Access to collections: whether a caller's session and consents satisfy a collection.

use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use crate::collection::Collection;
use crate::gare::Gare;
use crate::identity::User;
use crate::service::{Bearer, Caller};
use crate::session::{Demand, Session};
use crate::state::Served;
use crate::world::{Shared, World};

use super::error::TransferError;
use super::{ALL, Transfer, challenge};

/// Extracts the caller, and the collection of the path. The caller must satisfy the collection.
pub(super) struct Guarded {
    pub(super) caller: Bearer<Transfer>,
    pub(super) served: Arc<Served>,
}

impl FromRequestParts<Shared> for Guarded {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, world: &Shared) -> Result<Self, Response> {
        let caller = Bearer::from_request_parts(parts, world).await?;
        // The id of the collection is the first parameter. An access rule may follow.
        let Path(ids) = Path::<Vec<(String, String)>>::from_request_parts(parts, world)
            .await
            .map_err(IntoResponse::into_response)?;
        let id = ids.first().map_or("", |(_, id)| id.as_str());
        let served = collection(world, &caller, id).map_err(IntoResponse::into_response)?;
        Ok(Self { caller, served })
    }
}

/// The result of the collection's HTTPS server for a caller that does not satisfy the collection, as
/// JSON on one line. The checks have the order of [`collection`].
pub(crate) fn demand_not_met(
    world: &World,
    caller: &Caller,
    collection: &Collection,
) -> Option<String> {
    // A consent to `data_access` beside the scope `https`, or below the scope of Transfer.
    let is_consented = caller.scopes.contains(&collection.data_access_scope())
        || consented(world, caller, collection);
    if !is_consented {
        return Some(challenge::result(&challenge::consent(collection)));
    }
    let (user, now) = (&caller.user, world.clock.now());
    let is_met = |demand: &Demand| demand.is_met(&caller.session, user, now);
    let mut policies = collection.policies.iter();
    if !policies.all(|policy| is_met(&policy.demand)) {
        return Some(challenge::result(&challenge::policies(collection)));
    }
    (!is_met(&collection.demand)).then(|| challenge::login_result(collection, user))
}

/// The requirement for a session that does not satisfy the collection. Consents are not checked.
pub(crate) fn requirement(
    collection: &Collection,
    user: &User,
    session: &Session,
    now: SystemTime,
) -> Option<Gare> {
    let is_met = |demand: &Demand| demand.is_met(session, user, now);
    let mut policies = collection.policies.iter();
    if !policies.all(|policy| is_met(&policy.demand)) {
        return Some(challenge::policies(collection));
    }
    (!is_met(&collection.demand)).then(|| challenge::login_requirement(collection, user))
}

fn consented(world: &World, caller: &Caller, collection: &Collection) -> bool {
    let data_access = collection.data_access_scope();
    // A service that acts for a client uses the consents of that client.
    let above = caller.via.iter().flat_map(|via| &via.scopes);
    let above = above.map(String::as_str);
    let chain: Vec<&str> = above.chain([ALL, &data_access]).collect();
    let client = caller.via.as_ref().map_or(caller.client, |via| via.client);
    let state = world.state();
    !collection.data_access || state.consents.covers(caller.user.id(), client, &chain)
}

/// The collection, if the caller satisfies it. The checks have the order of the real service: the
/// consent, the policies, then the demands of the collection's server.
pub(super) fn collection(
    world: &World,
    caller: &Caller,
    id: &str,
) -> Result<Arc<Served>, TransferError> {
    let served = world
        .collection(id)
        .ok_or_else(|| TransferError::no_endpoint(id))?;
    let collection = &served.collection;
    if !consented(world, caller, collection) {
        return Err(challenge::consent_required(collection));
    }
    let now = world.clock.now();
    if !collection
        .policies
        .iter()
        .all(|policy| policy.demand.is_met(&caller.session, &caller.user, now))
    {
        return Err(challenge::policy_failed(collection));
    }
    if !collection.demand.is_met(&caller.session, &caller.user, now) {
        return Err(challenge::login_failed(collection, &caller.user));
    }
    Ok(served)
}
