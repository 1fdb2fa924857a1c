//! Consents as services asked for them before there was a common form.

use std::collections::HashSet;

use super::{
    AuthorizationParameters, Extra, Gare,
    json::{Object, Value},
    params::is_param,
    read::{Read, optional, scopes},
};

const CONSENT_REQUIRED: &str = "ConsentRequired";

/// Transfer's: `required_scopes` beside the code, as one string of several where they may have `commas`.
pub(super) fn consent_of_transfer(document: &Object<'_>, commas: bool) -> Option<Read> {
    let scopes = consent_required(document)?.get("required_scopes")?;
    let mut gare = consent(scopes.list(commas)?)?;
    gare.authorization_parameters.session_message = optional(document, "message", Value::string)?;
    Some((gare, Some("required_scopes")))
}

/// Action providers': one `required_scope`. They may have `authorization_parameters` as well; we come here only where
/// these are malformed, and keep the fields of them that we do not know.
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

/// Globus Auth's, when a service asks it for dependent tokens: the scopes of all entries, united. As in the Python SDK, a
/// first entry that is malformed makes it none.
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

/// A login cannot bring consent to no scope at all, so that is no requirement; the Python SDK would make one of it.
fn consent(all: Vec<String>) -> Option<Gare> {
    let parameters = AuthorizationParameters::default().with_required_scopes(scopes(all));
    (!parameters.is_empty()).then(|| Gare::new(CONSENT_REQUIRED, parameters))
}
