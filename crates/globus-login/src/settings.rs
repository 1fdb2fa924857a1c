use std::time::Duration;

use oauth2::RedirectUrl;

use super::scope::Scopes;

/// What every login of an app has in common.
#[derive(Debug)]
pub(super) struct Settings {
    /// The name of the environment: its users are kept apart from those of others.
    pub(super) environment: String,
    /// What other programs are told of this one.
    pub(super) program: String,
    pub(super) redirect_uri: RedirectUrl,
    /// What the consent page is to call this program, in the list of what the user has allowed.
    pub(super) label: Option<String>,
    /// A login is needed without these.
    pub(super) scopes: Scopes,
    /// A login asks for these too, where one is needed.
    pub(super) extra_scopes: Scopes,
    pub(super) refresh_tokens: bool,
    /// How long before its end a token counts as expired.
    pub(super) leeway: Duration,
    /// How long before a session ends this is told.
    pub(super) warn_before: Duration,
}
