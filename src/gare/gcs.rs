//! Reads Globus Connect Server errors, which have a `detail` instead of `authorization_parameters`.

use super::json::{Object, Value};
use super::prefilter::MARKER;
use super::read::{Read, code_or_default, optional, scopes};
use super::{AuthorizationParameters, Gare};

/// Reads `document` as a requirement if it has a `detail` and no `authorization_parameters` (`null`
/// counts as none).
pub(super) fn requirement(document: &Object<'_>) -> Option<Read> {
    let _: Option<()> = optional(document, "authorization_parameters", |_| None)?;
    let params = parameters(document)?;
    Some((Gare::new(code_or_default(document)?, params), Some("code")))
}

/// The parameters that the `detail` of `document` stands for.
///
/// No login can satisfy other details (`invalid_credential`, `invalid_user`,
/// `credential_not_found`, ...).
pub(super) fn parameters(document: &Object<'_>) -> Option<AuthorizationParameters> {
    let detail = document.get("detail")?;
    let mut params = detail.object(named).flatten()?;
    // Newer servers send no message if the domain is wrong.
    if params.session_required_single_domain.is_empty() && params.required_scopes.is_empty() {
        let message = document.get("message").and_then(Value::string);
        params.session_message = message.filter(|message| is_for_people(message));
    }
    Some(params)
}

fn named(detail: &Object<'_>) -> Option<AuthorizationParameters> {
    let data_type = detail.get("DATA_TYPE")?.text()?;
    let list = |name| optional(detail, name, |list| list.list(true)).map(Option::unwrap_or_default);
    let mut params = AuthorizationParameters::default();
    // Any 1.x: a minor version only adds fields.
    match data_type.split_once("#1.")?.0 {
        // Servers also send it for a high-assurance session that is too old.
        "not_from_allowed_domain" => {
            params.session_required_single_domain = list("allowed_domains")?;
        }
        "missing_required_scopes" => params.required_scopes = scopes(list("required_scopes")?),
        // Without identities it still means that the session is too old.
        "authentication_timeout" => {
            params.session_required_identities = list("identities")?;
            let mfa = optional(detail, "require_mfa", Value::boolean)?;
            params.session_required_mfa = mfa.unwrap_or_default();
            return Some(params);
        }
        _ => return None,
    }
    (!params.is_empty()).then_some(params)
}

fn is_for_people(message: &str) -> bool {
    message.trim().contains(char::is_whitespace)
        && !message.contains(MARKER)
        && !message.contains("GlobusError:")
}
