//! The JSON body of a request.

use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;

use crate::world::Shared;

use super::{Problem, Service};

/// Extracts the JSON body of a request to the service `S`. An empty body counts as `{}`. Other
/// malformed JSON is answered 422 in the form of `S`.
#[derive(Clone, Debug)]
pub(crate) struct Body<S, T> {
    pub(crate) content: T,
    service: PhantomData<fn() -> S>,
}

impl<S: Service, T: DeserializeOwned> FromRequest<Shared> for Body<S, T> {
    type Rejection = Response;

    async fn from_request(request: Request, world: &Shared) -> Result<Self, Response> {
        let resource = request.uri().path().to_owned();
        let bytes = Bytes::from_request(request, world).await;
        let bytes = bytes.map_err(IntoResponse::into_response)?;
        let json: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let content = serde_json::from_slice(json).map_err(|error| {
            S::error(&Problem {
                status: StatusCode::UNPROCESSABLE_ENTITY,
                code: "UnprocessableEntity",
                message: &error.to_string(),
                resource: &resource,
            })
        })?;
        Ok(Self {
            content,
            service: PhantomData,
        })
    }
}
