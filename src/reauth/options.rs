use std::sync::Arc;
use std::time::Duration;

/// What one request asks of the layer: put it in the request's extensions.
///
/// ```
/// use std::time::Duration;
/// use globus_gare::reauth::GareOptions;
///
/// let request = http::Request::get("https://transfer.api.globus.org/v0.10/task_list")
///     .extension(GareOptions::new().no_prompt().deadline(Duration::from_secs(30)))
///     .body(())
///     .unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct GareOptions {
    pub(crate) never: bool,
    pub(crate) no_prompt: bool,
    pub(crate) login_only: bool,
    pub(crate) deadline: Option<Duration>,
    pub(crate) identity: Option<Arc<str>>,
}

impl GareOptions {
    /// Nothing out of the ordinary.
    pub fn new() -> Self {
        Self::default()
    }

    /// The request passes through as if there were no layer: no credential is
    /// put on it, and its response is not looked at.
    #[must_use]
    pub fn never(mut self) -> Self {
        self.never = true;
        self
    }

    /// Nobody is asked to log in for this request, nor does it wait for a login
    /// under way. It may still be replayed with a newer credential that is there
    /// already, or that is renewed silently.
    #[must_use]
    pub fn no_prompt(mut self) -> Self {
        self.no_prompt = true;
        self
    }

    /// How long this request waits for logins, in all; the login itself goes on
    /// for others. By default it waits as long as the login may take.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// A requirement is satisfied for the requests to come, but this request is
    /// not sent again: its response comes back once the login is over.
    #[must_use]
    pub fn login_without_replay(mut self) -> Self {
        self.login_only = true;
        self
    }

    /// Names whose request this is, where the `Authorization` header does not
    /// tell, or tells something that changes: a user id, a session id. The key is
    /// seen by the [`Reauthenticator`](super::Reauthenticator) and is no secret.
    #[must_use]
    pub fn identity(mut self, key: impl Into<Arc<str>>) -> Self {
        self.identity = Some(key.into());
        self
    }
}
