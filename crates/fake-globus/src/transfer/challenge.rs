//! The challenges of Transfer.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::collection::Collection;
use crate::gare::{Gare, Parameters};
use crate::identity::User;

use super::ALL;
use super::error::{TransferError, endpoint};
use super::json;

/// The message at the root of a challenge from a collection's server.
const SESSION_MESSAGE: &str = "Session reauthentication required (Globus Transfer)";

/// The message of a challenge for policies.
const POLICY_MESSAGE: &str = "Failing collection authentication policy";

/// The message of a challenge for the collection's `data_access` scope.
const CONSENT_MESSAGE: &str = "Missing required data_access consent";

/// The requirement of the collection's policies.
pub(super) fn policies(collection: &Collection) -> Gare {
    let policies = collection.policies.iter();
    Gare::policies(POLICY_MESSAGE, policies.map(|policy| policy.id.to_string()))
}

/// The requirement of a consent to the collection's `data_access` scope.
pub(super) fn consent(collection: &Collection) -> Gare {
    let scope = format!("{ALL}[*{}]", collection.data_access_scope());
    Gare::consent(CONSENT_MESSAGE, vec![scope])
}

/// The result of a collection's server with this requirement, as JSON on one line.
pub(crate) fn result(gare: &Gare) -> String {
    json::line(&json!({
        "DATA_TYPE": "result#1.1.0",
        "authorization_parameters": gare.parameters(),
        "code": "permission_denied",
        "detail": null,
        "has_next_page": false,
        "http_response_code": 403,
        "message": gare.message,
    }))
}

/// A challenge that is not from a collection.
pub(super) fn of(gare: &Gare) -> Response {
    let mut fields = json!({"authorization_parameters": gare.parameters()});
    if gare.is_consent() {
        fields["required_scopes"] = json!(gare.parameters.required_scopes);
    }
    let message = gare.message.clone();
    challenge(StatusCode::FORBIDDEN, gare.code(), message, fields).into_response()
}

/// The challenge for a missing consent to the collection's `data_access` scope.
pub(super) fn consent_required(collection: &Collection) -> TransferError {
    let gare = consent(collection);
    let fields = json!({
        "authorization_parameters": gare.parameters(),
        "required_scopes": gare.parameters.required_scopes,
    });
    challenge(StatusCode::FORBIDDEN, gare.code(), gare.message, fields)
}

/// The challenge for a session that does not satisfy the collection's policies.
pub(super) fn policy_failed(collection: &Collection) -> TransferError {
    let message = POLICY_MESSAGE;
    let ids: Vec<String> = collection
        .policies
        .iter()
        .map(|policy| policy.id.to_string())
        .collect();
    let fields = json!({
        "authorization_parameters": {"session_message": message, "session_required_policies": ids.join(",")},
    });
    challenge(
        StatusCode::FORBIDDEN,
        "AuthPolicyFailed",
        message.to_owned(),
        fields,
    )
}

/// The reply of a collection's server that denies a login.
struct Denial {
    parameters: Map<String, Value>,
    text: &'static str,
    result: Value,
}

fn denial(collection: &Collection, user: &User) -> Denial {
    let demand = &collection.demand;
    let identities: Vec<String> = demand
        .identities
        .iter()
        .map(|wanted| identity_id(user, wanted))
        .collect();
    // A real server always names allowed domains. Without configured domains, it is the user's.
    let domains = match (identities.is_empty(), demand.domains.is_empty()) {
        (false, _) => Vec::new(),
        (true, false) => demand.domains.clone(),
        (true, true) => vec![user.primary.domain().to_owned()],
    };
    let only_domains = identities.is_empty() && !demand.mfa;
    let older = collection.errors.is_older_server() && only_domains;

    let mut parameters = Map::new();
    if !identities.is_empty() {
        parameters.insert("session_required_identities".to_owned(), json!(identities));
    }
    if !domains.is_empty() {
        parameters.insert("session_required_single_domain".to_owned(), json!(domains));
    }
    if demand.mfa {
        parameters.insert("session_required_mfa".to_owned(), true.into());
    }
    let text = match (older, identities.is_empty()) {
        (true, _) => "None of your identities are from domains allowed by resource policies",
        (false, true) => {
            "None of your authenticated identities are from domains allowed by resource policies"
        }
        (false, false) => {
            "None of your authenticated identities are permitted by resource policies"
        }
    };
    let mut result = json!({
        "DATA_TYPE": if older { "result#1.0.0" } else { "result#1.1.0" },
        "code": "permission_denied",
        "detail": null,
        "has_next_page": false,
        "http_response_code": 403,
        "message": text,
    });
    if let Value::Object(fields) = &mut result {
        if !domains.is_empty() {
            let detail =
                json!({"DATA_TYPE": "not_from_allowed_domain#1.0.0", "allowed_domains": domains});
            fields.insert("detail".to_owned(), detail);
        }
        if !older {
            fields.insert(
                "authorization_parameters".to_owned(),
                Value::Object(parameters.clone()),
            );
        }
    }
    Denial {
        parameters,
        text,
        result,
    }
}

/// The result of a denied login, as JSON on one line.
pub(super) fn login_result(collection: &Collection, user: &User) -> String {
    json::line(&denial(collection, user).result)
}

/// The requirement of a denied login.
pub(super) fn login_requirement(collection: &Collection, user: &User) -> Gare {
    let parameters = denial(collection, user).parameters.into();
    let mut parameters: Parameters = serde_json::from_value(parameters).unwrap_or_default();
    parameters.session_message = Some(SESSION_MESSAGE.to_owned());
    Gare::new(parameters)
}

/// The challenge for a session that the collection's server denies.
pub(super) fn login_failed(collection: &Collection, user: &User) -> TransferError {
    let Denial {
        mut parameters,
        text,
        result,
    } = denial(collection, user);
    let mut root = Map::new();
    if collection.errors.speaks_at_root() {
        // Transfer adds the absent members with empty and false values.
        parameters
            .entry("session_required_identities")
            .or_insert_with(|| json!([]));
        parameters
            .entry("session_required_mfa")
            .or_insert(Value::Bool(false));
        parameters.insert("session_message".to_owned(), SESSION_MESSAGE.into());
        root.insert(
            "authorization_parameters".to_owned(),
            Value::Object(parameters),
        );
    }
    let message = format!(
        "Command Failed: Error (login)\n{}\nMessage: Login Failed\n---\nDetails: {}",
        endpoint(collection),
        reply(text, &result)
    );
    challenge(
        StatusCode::BAD_GATEWAY,
        "ExternalError.DirListingFailed.LoginFailed",
        message,
        Value::Object(root),
    )
}

/// The GridFTP reply. In Transfer's message, its line ends are the four characters `\r\n`; a real
/// line feed follows the last one.
fn reply(text: &str, result: &Value) -> String {
    format!(
        "530-Login incorrect. : GlobusError: v=1 c=LOGIN_DENIED\\r\\n530-GridFTP-Message: {text}\\r\\n530-GridFTP-JSON-Result: \
         {}\\r\\n530 End.\\r\\n\n",
        json::line(result)
    )
}

/// The id of the user's identity that `wanted` names, or `wanted` itself.
fn identity_id(user: &User, wanted: &str) -> String {
    let found = user.identities().find(|identity| identity.is_named(wanted));
    found.map_or_else(|| wanted.to_owned(), |identity| identity.id().to_string())
}

fn challenge(
    status: StatusCode,
    code: &'static str,
    message: String,
    fields: Value,
) -> TransferError {
    let fields = if let Value::Object(fields) = fields {
        fields
    } else {
        Map::new()
    };
    TransferError {
        fields,
        challenges: true,
        ..TransferError::new(status, code, message)
    }
}
