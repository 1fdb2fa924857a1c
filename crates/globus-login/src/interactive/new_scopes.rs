//! Asks a person to allow new scopes: those that are neither the service's own nor the program's.

use super::keyboard;
use crate::LoginRequest;
use globus_gare::reauth::printable;

/// The question for the person.
pub(super) fn question(request: &LoginRequest) -> String {
    let host = request.challenge().map_or_else(String::new, |challenge| {
        printable(challenge.target().origin().host())
    });
    let mut text = format!(
        "{host} requires scopes that are neither its own nor this program's. \
         This program would hold tokens that allow:\n\n"
    );
    for scope in request.new_scopes() {
        text += &format!("  {}\n", printable(&scope.to_string()));
    }
    text + "\nAllow this for one login? Type \"yes\" to allow it, or press Enter to decline: "
}

/// Reads the answer: whether the next line is "yes".
pub(super) async fn answer() -> std::io::Result<bool> {
    let line = keyboard::line().await?;
    Ok(line.is_some_and(|line| line.trim().eq_ignore_ascii_case("yes")))
}

#[cfg(test)]
mod tests {
    use globus_gare::gare::{AuthorizationParameters, Gare};
    use globus_gare::reauth::{Challenge, Principal, Target};

    use super::*;
    use crate::GlobusApp;
    use crate::authorization::Attempt;
    use crate::scope::Scopes;

    #[checks::test]
    fn question_names_the_service_and_each_scope_on_a_line() {
        let origin = "https://flows.automate.globus.org".parse();
        let target = Target::new(origin.expect("an origin"), Principal::Session);
        let challenge = Challenge::new(
            target,
            Gare::new("ConsentRequired", AuthorizationParameters::default()),
        );
        let new: Scopes = "urn:x:all[*d] https://auth.globus.org/scopes/x/run"
            .parse()
            .expect("scopes");
        let app = GlobusApp::user("client").auth_url("https://auth.globus.org");
        let app = app.build().expect("an app");
        let begin = move || Attempt::begin(&app.shared, &Scopes::default(), None);
        let request = LoginRequest::new(Some(challenge), new, begin);
        insta::assert_snapshot!(question(&request), @r#"
        flows.automate.globus.org requires scopes that are neither its own nor this program's. This program would hold tokens that allow:

          urn:x:all[*d]
          https://auth.globus.org/scopes/x/run

        Allow this for one login? Type "yes" to allow it, or press Enter to decline:
        "#);
    }
}
