//! The GCS Manager API: the API of the Globus Connect Server endpoint that hosts all collections.

mod calls;
mod document;

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use super::service::{Challenge, Endpoints, Problem, Service, challenged, respond, upper};

/// The id of the endpoint, which is also the name of its resource server.
const ENDPOINT: &str = "5cf0a4d6-8a5c-5b0e-9a39-3d0d4a7e6c11";

/// The scope that all calls but `info` need.
const MANAGE: &str =
    "urn:globus:auth:scope:5cf0a4d6-8a5c-5b0e-9a39-3d0d4a7e6c11:manage_collections";

/// The GCS Manager API.
pub(super) enum Gcs {}

impl Service for Gcs {
    const NAME: &'static str = "gcs";
    const RESOURCE_SERVER: &'static str = ENDPOINT;
    const SCOPES: &'static str = "urn:globus:auth:scope:5cf0a4d6-8a5c-5b0e-9a39-3d0d4a7e6c11:";
    const BASES: &'static [&'static str] = &["/api", ""];

    fn endpoints(endpoints: Endpoints<Self>) -> Endpoints<Self> {
        endpoints
            .at("/info")
            .get("get_gcs_info", calls::info)
            .at("/endpoint")
            .get("get_endpoint", calls::endpoint)
            .at("/collections")
            .get("get_collection_list", calls::collections)
            .at("/collections/{id}")
            .get("get_collection", calls::collection)
            .at("/storage_gateways")
            .get("get_storage_gateway_list", calls::gateways)
            .at("/storage_gateways/{id}")
            .get("get_storage_gateway", calls::gateway)
            .at("/user_credentials")
            .get("get_user_credential_list", calls::credentials)
            .at("/user_credentials/{id}")
            .get("get_user_credential", calls::credential)
    }

    fn error(problem: &Problem<'_>) -> Response {
        let code = match problem.status {
            StatusCode::UNAUTHORIZED => "not_authorized".to_owned(),
            _ => upper(problem.code).to_lowercase(),
        };
        let status = problem.status;
        respond(
            problem,
            result("1.0.0", status, &code, problem.message, Value::Null),
        )
    }

    fn challenge(challenge: &Challenge<'_>) -> Response {
        let gare = challenge.gare;
        let scopes = &gare.parameters.required_scopes;
        if gare.is_consent() {
            let detail = json!({
                "DATA_TYPE": "missing_required_scopes#1.0.0",
                "required_scopes": scopes,
            });
            let status = StatusCode::UNAUTHORIZED;
            let document = result("1.0.0", status, "not_authorized", &gare.message, detail);
            return challenged(status, document);
        }
        let domains = &gare.parameters.session_required_single_domain;
        let detail = match domains.is_empty() {
            true => Value::Null,
            false => json!({
                "DATA_TYPE": "not_from_allowed_domain#1.0.0",
                "allowed_domains": domains,
            }),
        };
        let status = StatusCode::FORBIDDEN;
        let mut document = result("1.1.0", status, "permission_denied", &gare.message, detail);
        document["authorization_parameters"] = gare.parameters();
        challenged(status, document)
    }
}

/// The document of every response. A successful one also has `data`.
fn result(version: &str, status: StatusCode, code: &str, message: &str, detail: Value) -> Value {
    json!({
        "DATA_TYPE": format!("result#{version}"),
        "code": code,
        "detail": detail,
        "has_next_page": false,
        "http_response_code": status.as_u16(),
        "message": message,
    })
}
