//! Whose token a request carries.

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

/// A request header in which a test says whom a request is made for: a username or an identity's id. A token of
/// somebody else on such a request is a [`ViolationKind::WrongUser`].
pub const EXPECT_USER: &str = "x-fake-globus-user";

/// The user behind a valid token.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) user: User,
    pub(crate) client: Uuid,
    pub(crate) session: Arc<Session>,
    pub(crate) scopes: Vec<String>,
    /// Of a service that acts for the program that called it.
    pub(crate) via: Option<Via>,
}

/// Why a request is nobody's.
#[derive(Clone, Copy, Debug)]
enum NoCaller {
    /// No `Authorization` header, or not a bearer token.
    Missing,
    /// Unknown, expired, revoked, a refresh token, or for another service.
    Invalid,
}

/// The user behind a token for the service `S`: an extractor, which refuses a request without one in the form of `S`.
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

/// The caller of a request to a resource server that is no service; `None` without a token for it.
pub(crate) fn caller(world: &World, headers: &HeaderMap, resource_server: &str) -> Option<Caller> {
    called(world, headers, resource_server).ok()
}

/// The caller of a request to the service `resource_server`.
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
