//! The bearer token of a request, and its user.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use uuid::Uuid;

use crate::identity::User;
use crate::observe::CalledBy;
use crate::record::ViolationKind;
use crate::session::Session;
use crate::state::Via;
use crate::world::{Shared, World};

use super::{Problem, Service};

/// A request header that names the user a test makes the request for: a username or the id of an
/// identity. A token of another user in such a request is a [`ViolationKind::WrongUser`].
pub const EXPECT_USER: &str = "x-fake-globus-user";

/// The user behind a valid token.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) user: User,
    pub(crate) client: Uuid,
    pub(crate) session: Arc<Session>,
    pub(crate) scopes: Vec<String>,
    /// For a service that acts on behalf of the client that called it.
    pub(crate) via: Option<Via>,
}

/// The reason why a request has no caller.
#[derive(Clone, Copy, Debug)]
enum NoCaller {
    /// No `Authorization` header, or not a bearer token.
    Missing,
    /// Unknown, expired, revoked, a refresh token, or for another service.
    Invalid,
}

/// Extracts the user of a token for the service `S`. A request without such a token is answered 401
/// in the form of `S`.
#[derive(Clone, Debug)]
pub(crate) struct Bearer<S> {
    caller: Caller,
    service: PhantomData<fn() -> S>,
}

impl<S> Deref for Bearer<S> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl<S: Service> FromRequestParts<Shared> for Bearer<S> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, world: &Shared) -> Result<Self, Response> {
        let caller = called(world, &parts.headers, S::RESOURCE_SERVER);
        let caller = caller.map_err(|nobody| {
            let (code, message) = match nobody {
                NoCaller::Missing => (
                    "ClientError.AuthenticationFailed",
                    "No credentials supplied",
                ),
                NoCaller::Invalid => ("AuthenticationFailed", "Token is not active"),
            };
            S::error(&Problem {
                status: StatusCode::UNAUTHORIZED,
                code,
                message,
                resource: parts.uri.path(),
            })
        })?;
        if let Some(called_by) = parts.extensions.get::<CalledBy>() {
            called_by.name(&caller.user);
        }
        Ok(Self {
            caller,
            service: PhantomData,
        })
    }
}

/// The caller of a request to a resource server that is not a [`Service`], such as a flow. `None`
/// without a valid token for it.
pub(crate) fn caller(world: &World, headers: &HeaderMap, resource_server: &str) -> Option<Caller> {
    called(world, headers, resource_server).ok()
}

/// The caller of a request to `resource_server`.
fn called(world: &World, headers: &HeaderMap, resource_server: &str) -> Result<Caller, NoCaller> {
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
        via: token.grant.via.clone(),
    })
}
