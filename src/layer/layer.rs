use std::sync::Arc;
use std::time::Duration;

use tower_layer::Layer;

use super::GareService;
use super::InspectLimits;
use crate::reauth::{GareOptions, Reauthenticator, Session};

/// A tower layer that satisfies GAREs and replays the request.
///
/// When a response is a challenge, the layer has the [`Reauthenticator`] obtain a credential and
/// replays the request with it. It also adds the session's credential to requests without one.
///
/// # Clone
///
/// Clones, and the services that they make, share one [`Session`]: one login serves all requests
/// that are challenged together. [`Session::builder`] has the session's settings.
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
/// // A service that accepts one token.
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
    pub(crate) limits: InspectLimits,
    pub(crate) defaults: Arc<GareOptions>,
}

impl GareLayer {
    /// Makes a layer with a new session.
    pub fn new(reauthenticator: impl Reauthenticator) -> Self {
        Self::from_session(Session::new(reauthenticator))
    }

    /// Makes a layer with a session that other clients may share.
    pub fn from_session(session: Session) -> Self {
        Self {
            session,
            limits: InspectLimits::default(),
            defaults: Arc::default(),
        }
    }

    /// The session that all clones share.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// How many bytes of an error response are inspected. Default: 256 KiB. A longer response is
    /// passed on unchanged.
    #[must_use]
    pub fn max_inspect(mut self, bytes: usize) -> Self {
        self.limits.max_inspect = bytes;
        self
    }

    /// How long to wait for the body of an error response. Default: 10 seconds. A slower response
    /// is passed on unchanged.
    #[must_use]
    pub fn inspect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.inspect_timeout = timeout;
        self
    }

    /// The options of requests that have no [`GareOptions`] in their extensions.
    #[must_use]
    pub fn default_options(mut self, options: GareOptions) -> Self {
        self.defaults = Arc::new(options);
        self
    }
}

// With this bound the compiler says that the inner service must be `Clone`. Without it, it says
// only that the result is not a `Service`.
impl<S: Clone> Layer<S> for GareLayer {
    type Service = GareService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        GareService::new(inner, self.clone())
    }
}
