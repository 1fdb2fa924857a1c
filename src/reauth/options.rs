use std::sync::Arc;
use std::time::Duration;

/// Per-request options. Insert them into the request's extensions.
///
/// ```
/// use std::time::Duration;
/// use globus_gare::reauth::GareOptions;
///
/// let request = http::Request::get("https://transfer.api.globus.org/v0.10/task_list")
///     .extension(GareOptions::new().no_prompt().max_wait(Duration::from_secs(30)))
///     .body(())
///     .unwrap();
/// ```
#[derive(Clone, Debug, Default)]
pub struct GareOptions {
    pub(crate) bypass: bool,
    pub(crate) no_prompt: bool,
    pub(crate) login_only: bool,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) principal: Option<Arc<str>>,
    pub(crate) resource_server: Option<Arc<str>>,
}

impl GareOptions {
    /// Makes the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends the request unchanged: the session adds no credential, and the layer does not inspect
    /// the response.
    #[must_use]
    pub fn bypass(mut self) -> Self {
        self.bypass = true;
        self
    }

    /// Starts no login for this request, and waits for none. The request may still be replayed with
    /// a newer credential that the session has or that a look-up finds.
    #[must_use]
    pub fn no_prompt(mut self) -> Self {
        self.no_prompt = true;
        self
    }

    /// How long this request waits for logins and look-ups in total. The time that the service takes
    /// does not count. The login itself continues.
    /// Default: [`login_timeout`](super::SessionBuilder::login_timeout) and two seconds.
    #[must_use]
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = Some(max_wait);
        self
    }

    /// Runs the login, but does not replay this request: the caller gets the service's response
    /// after the login has ended. Later requests use the new credential.
    #[must_use]
    pub fn login_only(mut self) -> Self {
        self.login_only = true;
        self
    }

    /// Names the principal of the request, for example by a user id or a session id. Use it if the
    /// `Authorization` header does not identify the user, or changes. The key is not a secret: the
    /// [`Reauthenticator`](super::Reauthenticator) and the events show it.
    #[must_use]
    pub fn principal(mut self, key: impl Into<Arc<str>>) -> Self {
        self.principal = Some(key.into());
        self
    }

    /// Names the resource server whose token the request needs, if the origin has several. For
    /// example, each flow has a resource server of its own:
    ///
    /// ```
    /// use globus_gare::reauth::GareOptions;
    ///
    /// let flow = "6c54cade-bde5-45c1-bdea-f4bd71dba2cc";
    /// let run = http::Request::post(format!("https://flows.automate.globus.org/flows/{flow}/run"))
    ///     .extension(GareOptions::new().resource_server(flow))
    ///     .body(())
    ///     .unwrap();
    /// ```
    ///
    /// The session keeps resource servers separate, as it does origins: the credential of one is
    /// never sent with a request for another. Without this option,
    /// [`Reauthenticator::resource_server`](super::Reauthenticator::resource_server) may name one.
    #[must_use]
    pub fn resource_server(mut self, name: impl Into<Arc<str>>) -> Self {
        self.resource_server = Some(name.into());
        self
    }
}
