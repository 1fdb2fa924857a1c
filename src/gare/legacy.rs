//! Reads consent errors in the forms that services used before GAREs.

use std::collections::HashSet;

use super::json::{Object, Value};
use super::params::is_param;
use super::read::{Read, optional, scopes};
use super::{AuthorizationParameters, Extra, Gare};

const CONSENT_REQUIRED: &str = "ConsentRequired";

/// Reads Transfer's form: `required_scopes` beside the code. With `commas`, they may be one
/// comma-separated string.
pub(super) fn consent_of_transfer(document: &Object<'_>, commas: bool) -> Option<Read> {
    let scopes = consent_required(document)?.get("required_scopes")?;
    let mut gare = consent(scopes.list(commas)?)?;
    gare.authorization_parameters.session_message = optional(document, "message", Value::string)?;
    Some((gare, Some("required_scopes")))
}

/// Reads the form of action providers: one `required_scope`. If the document also has
/// `authorization_parameters`, these are malformed, and their unknown fields are kept.
pub(super) fn consent_of_action_provider(document: &Object<'_>) -> Option<Read> {
    let scope = consent_required(document)?.get("required_scope")?;
    let mut gare = consent(vec![scope.string()?])?;
    let params = &mut gare.authorization_parameters;
    params.session_message = optional(document, "description", Value::string)?;
    let malformed = document.get("authorization_parameters");
    let unknown = malformed.and_then(|fields| fields.object(|fields| Extra::of(fields, is_param)));
    params.extra = unknown.unwrap_or_default();
    Some((gare, Some("required_scope")))
}

/// Reads `dependent_consent_required`, Globus Auth's response to a service that requests dependent
/// tokens: the union of the scopes of all entries. As in the Python SDK, the document is no
/// requirement if its first entry is malformed.
pub(super) fn dependent_consent(document: &Object<'_>, commas: bool) -> Option<Read> {
    if document.get("error")?.text()? != "dependent_consent_required" {
        return None;
    }
    let errors = document.get("errors")?.elements()?;
    let unapproved = |error: &Value<'_>| {
        let scopes = error.object(|error| match error.get("unapproved_scopes") {
            Some(scopes) => scopes.list(commas),
            None => Some(Vec::new()),
        });
        scopes.flatten()
    };
    let mut all = unapproved(errors.first()?)?;
    let mut known: HashSet<String> = all.iter().cloned().collect();
    for scope in errors.iter().skip(1).filter_map(unapproved).flatten() {
        if known.insert(scope.clone()) {
            all.push(scope);
        }
    }
    Some((consent(all)?, None))
}

fn consent_required<'d, 't>(document: &'d Object<'t>) -> Option<&'d Object<'t>> {
    (document.get("code")?.text()? == CONSENT_REQUIRED).then_some(document)
}

/// A requirement for these scopes; `None` without a scope, where the Python SDK would make one.
fn consent(all: Vec<String>) -> Option<Gare> {
    let parameters = AuthorizationParameters::default().with_required_scopes(scopes(all));
    (!parameters.is_empty()).then(|| Gare::new(CONSENT_REQUIRED, parameters))
}
