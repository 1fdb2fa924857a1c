use std::time::Duration;

use tower_layer::Layer;

use super::GareService;
use super::limits::Limits;
use crate::reauth::{Reauthenticator, Session};

/// Makes an HTTP client satisfy Globus Auth requirements and carry on.
///
/// It notices a response that asks for a fresh or stronger login, has the
/// [`Reauthenticator`] obtain it, and sends the request again. It also puts the
/// session's credential on requests that come without one.
///
/// # Clone
///
/// Clones, and the services they make, share one [`Session`]: however many
/// requests are refused together, one login answers them all. The settings of the session are those
/// of [`Session::builder`].
///
/// ```
/// use bytes::Bytes;
/// use globus_gare::layer::GareLayer;
/// use globus_gare::reauth::{Credential, reauth_fn};
/// use http_body_util::Full;
/// use tower::{Service, ServiceBuilder, ServiceExt};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A service that lets nobody in without the right token.
/// let transfer = tower::service_fn(|request: http::Request<Full<Bytes>>| async move {
///     let known = request.headers().get("authorization").is_some_and(|value| value == "Bearer fresh");
///     let (status, body) = if known {
///         (200, r#"{"DATA": []}"#)
///     } else {
///         (403, r#"{"code": "AuthorizationRequired", "authorization_parameters": {"session_required_mfa": true}}"#)
///     };
///     http::Response::builder().status(status).body(Full::new(Bytes::from(body)))
/// });
///
/// let login = reauth_fn(|challenge| async move {
///     assert!(challenge.gare().authorization_parameters.session_required_mfa);
///     Ok(Credential::bearer("fresh")?)
/// });
/// let mut client = ServiceBuilder::new().layer(GareLayer::new(login)).service(transfer);
///
/// let request = http::Request::get("https://transfer.api.globus.org/v0.10/task_list").body(Full::default())?;
/// let response = client.ready().await?.call(request).await?;
/// assert_eq!(response.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct GareLayer {
    session: Session,
    limits: Limits,
}

impl GareLayer {
    /// A layer with a session of its own.
    pub fn new(reauthenticator: impl Reauthenticator) -> Self {
        Self::from_session(Session::new(reauthenticator))
    }

    /// A layer that shares `session` with others.
    pub fn from_session(session: Session) -> Self {
        Self {
            session,
            limits: Limits::default(),
        }
    }

    /// The session that all clones share.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// How many bytes of an error response are looked at; 256 KiB by default. A
    /// longer one streams on untouched.
    #[must_use]
    pub fn max_inspect(mut self, bytes: usize) -> Self {
        self.limits.max_inspect = bytes;
        self
    }

    /// For how long an error response may trickle in before it is passed on
    /// unread; 10 seconds by default.
    #[must_use]
    pub fn inspect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.inspect_timeout = timeout;
        self
    }
}

// Asked for here already, where the compiler can say what is missing of the
// service: further on it says only that there is no `Service`.
impl<S: Clone> Layer<S> for GareLayer {
    type Service = GareService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GareService::new(inner, self.session.clone(), self.limits)
    }
}
