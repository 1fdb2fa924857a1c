//! The scope that managing projects, clients, policies and scopes needs.

use std::ops::Deref;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use crate::service::{Bearer, Caller};
use crate::world::Shared;

use super::{Auth, error};

const MANAGE_PROJECTS: &str = "urn:globus:auth:scope:auth.globus.org:manage_projects";

/// Extracts a caller whose token has the scope `manage_projects`.
pub(super) struct Manager(Bearer<Auth>);

impl Deref for Manager {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.0
    }
}

impl FromRequestParts<Shared> for Manager {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, world: &Shared) -> Result<Self, Response> {
        let caller = Bearer::<Auth>::from_request_parts(parts, world).await?;
        if caller.scopes.iter().any(|scope| scope == MANAGE_PROJECTS) {
            return Ok(Self(caller));
        }
        let detail = "the token does not have the scope manage_projects";
        Err(error::forbidden(detail).into_response())
    }
}
