//! Clients named in environment variables, as for the Globus CLI and Globus Compute.

use std::env;

use super::store::Secret;
use super::{GlobusApp, GlobusAppBuilder, SetupError};

/// The values of `PREFIX_CLIENT_ID` and `PREFIX_CLIENT_SECRET`.
pub(super) struct Variables {
    pub(super) id: Option<String>,
    pub(super) secret: Option<Secret>,
}

impl Variables {
    pub(super) fn read(prefix: &str) -> Result<Self, SetupError> {
        let text = |name: &str| {
            let name = format!("{prefix}_{name}");
            // As in Python, an empty variable counts as not set.
            let value = env::var_os(&name).filter(|value| !value.is_empty());
            let value = value.map(|value| value.into_string()).transpose();
            // The error does not show the value: it may be the secret.
            value.map_err(|_| SetupError::new(format!("{name} is not Unicode text")))
        };
        Ok(Self {
            id: text("CLIENT_ID")?,
            secret: text("CLIENT_SECRET")?.map(Secret::new),
        })
    }
}

pub(super) fn incomplete(prefix: &str) -> SetupError {
    SetupError::new(format!(
        "only one of {prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET is set: set both, or neither to log in as a person"
    ))
}

impl GlobusApp {
    /// Starts to configure a program that acts for itself, with the id and secret in the
    /// environment variables `PREFIX_CLIENT_ID` and `PREFIX_CLIENT_SECRET`. `None` if neither is
    /// set. The prefixes of the Globus CLI and of Globus Compute are `GLOBUS_CLI` and
    /// `GLOBUS_COMPUTE`.
    ///
    /// The client's tokens are kept apart from those of a person: in memory, or, with an
    /// [`app_name`](GlobusAppBuilder::app_name), in a file under the client's id.
    ///
    /// ```
    /// use globus_login::GlobusApp;
    ///
    /// let app = match GlobusApp::from_client_environment("GLOBUS_CLI")? {
    ///     Some(client) => client,
    ///     None => GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000").app_name("My program"),
    /// };
    /// # let _ = app;
    /// # Ok::<(), globus_login::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If only one of the two is set, or one is not Unicode text.
    pub fn from_client_environment(prefix: &str) -> Result<Option<GlobusAppBuilder>, SetupError> {
        let variables = Variables::read(prefix)?;
        match (variables.id, variables.secret) {
            (Some(id), Some(secret)) => Ok(Some(Self::confidential(id, secret.expose()))),
            (None, None) => Ok(None),
            _ => Err(incomplete(prefix)),
        }
    }
}
