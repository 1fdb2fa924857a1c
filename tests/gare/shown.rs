//! What was found in a body, as text: in the place of an assertion on every field.

use globus_gare::gare::{Found, Gare, detect};

fn parameters(gare: &Gare) -> String {
    serde_json::to_string(&gare.authorization_parameters).expect("JSON")
}

/// `LOCATION PARAMETERS` of each requirement.
pub(crate) fn located(body: &str) -> Vec<String> {
    let found = detect(body.as_bytes()).into_iter();
    found
        .map(|found| format!("{} {}", found.location, parameters(&found.gare)))
        .collect()
}

/// `CODE PARAMETERS` of the only requirement, or `none`.
pub(crate) fn coded(body: &str) -> String {
    match &detect(body.as_bytes())[..] {
        [] => "none".to_owned(),
        [Found { gare, .. }] => format!("{} {}", gare.code, parameters(gare)),
        more => panic!("{} in {body}", more.len()),
    }
}

/// The names of the unknown fields beside the only requirement.
pub(crate) fn unknown(body: &str) -> Vec<String> {
    let found = detect(body.as_bytes());
    let [found] = &found[..] else {
        panic!("{} in {body}", found.len());
    };
    found.gare.extra.names().map(str::to_owned).collect()
}
