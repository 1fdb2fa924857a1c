//! Consents as services asked for them before there was a common form.

use std::collections::HashSet;

use super::{
    AuthorizationParameters, Extra, Gare,
    gare::is_field,
    json::{Object, Value},
    params::is_param,
    read::{optional, scopes},
};

const CONSENT_REQUIRED: &str = "ConsentRequired";

/// How a list is read.
pub(super) type ReadList = fn(Value<'_>) -> Option<Vec<String>>;

/// Transfer's: `required_scopes` beside the code.
pub(super) fn consent_of_transfer(document: &Object<'_>, list: ReadList) -> Option<Gare> {
    let scopes = list(consent_required(document)?.get("required_scopes")?)?;
    let mut gare = consent(scopes)?;
    gare.authorization_parameters.session_message = optional(document, "message", Value::string)?;
    gare.extra = Extra::of(document, |name| is_field(name) || name == "required_scopes");
    Some(gare)
}

/// Action providers': one `required_scope`. They may have `authorization_parameters` as well; we come here only where
/// these are malformed, and keep the fields of them that we do not know.
pub(super) fn consent_of_action_provider(document: &Object<'_>) -> Option<Gare> {
    let scope = consent_required(document)?
        .get("required_scope")?
        .string()?;
    let mut gare = consent(vec![scope])?;
    gare.authorization_parameters.session_message =
        optional(document, "description", Value::string)?;
    let malformed = document.get("authorization_parameters");
    let unknown =
        malformed.and_then(|malformed| malformed.object(|fields| Extra::of(fields, is_param)));
    gare.authorization_parameters.extra = unknown.unwrap_or_default();
    gare.extra = Extra::of(document, |name| is_field(name) || name == "required_scope");
    Some(gare)
}

/// Globus Auth's, when a service asks it for dependent tokens: the scopes of all entries, united. As in the Python SDK, a
/// first entry that is malformed makes it none.
pub(super) fn dependent_consent(document: &Object<'_>, list: ReadList) -> Option<Gare> {
    if document.get("error")?.text()? != "dependent_consent_required" {
        return None;
    }
    let errors = document.get("errors")?.elements()?;
    let unapproved = |error: &Value<'_>| {
        let scopes = error.object(|error| match error.get("unapproved_scopes") {
            Some(scopes) => list(scopes),
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
    consent(all)
}

fn consent_required<'d, 't>(document: &'d Object<'t>) -> Option<&'d Object<'t>> {
    (document.get("code")?.text()? == CONSENT_REQUIRED).then_some(document)
}

/// A login cannot bring consent to no scope at all, so that is no requirement; the Python SDK would make one of it.
fn consent(all: Vec<String>) -> Option<Gare> {
    let parameters = AuthorizationParameters::default().with_required_scopes(scopes(all));
    (!parameters.is_empty()).then(|| Gare::new(CONSENT_REQUIRED, parameters))
}
