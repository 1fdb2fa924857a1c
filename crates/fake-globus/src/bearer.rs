//! Whose token a request carries.

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use uuid::Uuid;

use super::identity::User;
use super::record::ViolationKind;
use super::session::Session;
use super::world::World;

/// A request header in which a test says whom a request is made for: a username or an identity's id. A token of
/// somebody else on such a request is a [`ViolationKind::WrongUser`].
pub const EXPECT_USER: &str = "x-fake-globus-user";

/// The user behind a valid token.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) user: User,
    pub(super) client: Uuid,
    pub(super) session: Arc<Session>,
    pub(super) scopes: Vec<String>,
}

/// Why a request is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoCaller {
    /// No `Authorization` header, or not a bearer token.
    Missing,
    /// Unknown, expired, revoked, a refresh token, or for another service.
    Invalid,
}

/// The caller of a request to the service `resource_server`.
pub(super) fn caller(
    world: &World,
    headers: &HeaderMap,
    resource_server: &str,
) -> Result<Caller, NoCaller> {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .ok_or(NoCaller::Missing)?;
    let (scheme, token) = value.split_once(' ').ok_or(NoCaller::Missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(NoCaller::Missing);
    }
    let state = world.state();
    let Some(token) = state
        .tokens
        .get(token.trim())
        .filter(|token| !token.is_refresh)
    else {
        drop(state);
        world.violation(
            ViolationKind::UnknownToken,
            format!("sent to {resource_server}"),
        );
        return Err(NoCaller::Invalid);
    };
    let user = state.user(token.grant.user).ok_or(NoCaller::Invalid)?;
    let expected = headers
        .get(EXPECT_USER)
        .and_then(|value| value.to_str().ok());
    if let Some(expected) = expected
        && !user
            .identities()
            .any(|identity| identity.is_named(expected))
    {
        let carried = user.primary.username();
        let detail = format!("a request of {expected} carried a token of {carried}");
        world.violation(ViolationKind::WrongUser, detail);
    }
    if token.resource_server != resource_server {
        let detail = format!(
            "a token for {} sent to {resource_server}",
            token.resource_server
        );
        world.violation(ViolationKind::WrongResourceServer, detail);
        return Err(NoCaller::Invalid);
    }
    if !token.is_active(world.clock.now()) {
        return Err(NoCaller::Invalid);
    }
    Ok(Caller {
        user: user.clone(),
        client: token.grant.client,
        session: token.grant.session.clone(),
        scopes: token.scopes.clone(),
    })
}
