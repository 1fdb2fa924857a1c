use std::time::Duration;

use oauth2::{ClientSecret, RedirectUrl};
use url::Url;

use super::scope::Scopes;

/// What every login of an app has in common.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) endpoints: Endpoints,
    /// The name of the environment, and the client id: the users of both are kept apart.
    pub(super) environment: String,
    pub(super) client_id: String,
    /// What other programs are told of this one.
    pub(super) program: String,
    pub(super) client_secret: Option<ClientSecret>,
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
}

/// Where Globus Auth is spoken to.
#[derive(Debug)]
pub(super) struct Endpoints {
    pub(super) authorize: Url,
    pub(super) token: Url,
    pub(super) revoke: Url,
    pub(super) userinfo: Url,
    pub(super) introspect: Url,
}

#[cfg(any(test, fuzzing))]
impl Settings {
    pub(super) fn for_tests() -> Self {
        let url = |path: &str| {
            Url::parse(&format!("https://auth.globus.org/v2/oauth2/{path}")).expect("a URL")
        };
        Self {
            endpoints: Endpoints {
                authorize: url("authorize"),
                token: url("token"),
                revoke: url("token/revoke"),
                userinfo: url("userinfo"),
                introspect: url("token/introspect"),
            },
            environment: "production".to_owned(),
            client_id: "client".to_owned(),
            program: "program".to_owned(),
            client_secret: None,
            redirect_uri: RedirectUrl::new("http://127.0.0.1:1/back".to_owned()).expect("a URL"),
            label: None,
            scopes: Scopes::default(),
            extra_scopes: Scopes::default(),
            refresh_tokens: false,
            leeway: Duration::from_secs(60),
        }
    }
}
