//! Whether a caller may use a collection.

use crate::bearer::Caller;
use crate::world::{Served, World};

use super::error::TransferError;
use super::{ALL, refusal};

/// The collection, if the caller has what it demands: the consent first, then the policies, then what the collection's
/// own server wants, as Transfer finds out one after the other.
pub(super) fn collection<'w>(
    world: &'w World,
    caller: &Caller,
    id: &str,
) -> Result<&'w Served, TransferError> {
    let served = world
        .collection(id)
        .ok_or_else(|| TransferError::no_endpoint(id))?;
    let collection = &served.collection;
    let data_access = collection.data_access_scope();
    let consented = || {
        world
            .state()
            .consents
            .covers(caller.user.id(), caller.client, &[ALL, &data_access])
    };
    if collection.data_access && !consented() {
        return Err(refusal::consent_required(collection));
    }
    let now = world.clock.now();
    if !collection
        .policies
        .iter()
        .all(|policy| policy.demand.is_met(&caller.session, &caller.user, now))
    {
        return Err(refusal::policy_failed(collection));
    }
    if !collection.demand.is_met(&caller.session, &caller.user, now) {
        return Err(refusal::login_failed(collection, &caller.user));
    }
    Ok(served)
}
