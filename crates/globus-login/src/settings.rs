use std::time::Duration;

use oauth2::RedirectUrl;

use super::scope::Scopes;

/// Settings that all logins of an app share.
#[derive(Debug)]
pub(super) struct Settings {
    /// The name of the environment. Each environment has its own users.
    pub(super) environment: String,
    /// The name of this program for other programs, in leases and notices.
    pub(super) program: String,
    pub(super) redirect_uri: RedirectUrl,
    /// The label of this program in the list of the user's consents.
    pub(super) label: Option<String>,
    /// The required scopes: without tokens for them a login is needed.
    pub(super) scopes: Scopes,
    /// Optional scopes: a login asks for them, but none starts for them.
    pub(super) extra_scopes: Scopes,
    pub(super) refresh_tokens: bool,
    /// How long before its end a token counts as expired.
    pub(super) leeway: Duration,
    /// How long before the end of a Globus Auth session the program warns.
    pub(super) warn_before: Duration,
}
