//! Asking a person about scopes that a service requires and that are not its own.

use super::keyboard;
use crate::LoginRequest;
use globus_gare::reauth::printable;

/// What the person is asked.
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
    text + "\nAllow this for one login? Type \"yes\" to allow it: "
}

/// Whether the next line is a yes.
pub(super) async fn answer() -> std::io::Result<bool> {
    let line = keyboard::line().await?;
    Ok(line.is_some_and(|line| line.trim().eq_ignore_ascii_case("yes")))
}
