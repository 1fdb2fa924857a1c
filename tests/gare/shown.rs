//! Shows the requirements in a body as text, instead of an assertion on every field.

use globus_gare::gare::{Gare, detect};

fn parameters(gare: &Gare) -> String {
    serde_json::to_string(&gare.authorization_parameters).expect("JSON")
}

/// A document that requires `policy`.
pub(crate) fn asks_for(policy: &str) -> String {
    format!(r#"{{"authorization_parameters":{{"session_required_policies":["{policy}"]}}}}"#)
}

/// Asserts that `body` requires these policies: rows of `LOCATION`, `POLICY`.
#[track_caller]
pub(crate) fn assert_policies(body: &str, rows: &[(&str, &str)]) {
    let expected = rows.iter().map(|(location, policy)| {
        format!(r#"{location} {{"session_required_policies":["{policy}"]}}"#)
    });
    assert_eq!(located(body), Vec::from_iter(expected), "{body}");
}

/// `LOCATION PARAMETERS` of each requirement.
pub(crate) fn located(body: &str) -> Vec<String> {
    let found = detect(body.as_bytes()).into_iter();
    found
        .map(|found| format!("{} {}", found.location, parameters(&found.gare)))
        .collect()
}

/// The only requirement in `body`, which is the same when it is read as a document.
fn only(body: &str) -> Option<Gare> {
    let alone = serde_json::from_str::<Gare>(body).ok();
    let found = detect(body.as_bytes()).into_iter().map(|found| found.gare);
    let found = Vec::from_iter(found);
    assert_eq!(found, Vec::from_iter(alone.clone()), "{body}");
    alone
}

/// `CODE PARAMETERS` of the only requirement, or `none`.
pub(crate) fn coded(body: &str) -> String {
    only(body).map_or("none".to_owned(), |gare| {
        format!("{} {}", gare.code, parameters(&gare))
    })
}

/// The names of the unknown fields beside the only requirement.
pub(crate) fn unknown(body: &str) -> Vec<String> {
    let gare = only(body).unwrap_or_else(|| panic!("nothing in {body}"));
    gare.extra.names().map(str::to_owned).collect()
}
