//! Clients that the environment names, as it does for the command line program and Globus Compute.

use std::env;

use super::store::Secret;
use super::{GlobusApp, GlobusAppBuilder, SetupError};

/// What `PREFIX_CLIENT_ID` and `PREFIX_CLIENT_SECRET` hold.
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
            // The value may be the secret: it is not shown.
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
        "{prefix}_CLIENT_ID and {prefix}_CLIENT_SECRET name a client together: set both, or neither to log in as a person"
    ))
}

impl GlobusApp {
    /// A program that acts for itself, as the client that `PREFIX_CLIENT_ID` and `PREFIX_CLIENT_SECRET`
    /// name; `None` where neither is set. `GLOBUS_CLI` and `GLOBUS_COMPUTE` are the prefixes of the
    /// command line program and of Globus Compute.
    ///
    /// The client's tokens are its own: they are kept in memory, or with an
    /// [`app_name`](GlobusAppBuilder::app_name) by its id, never with those of a person.
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
    /// Where only one of the two is set.
    pub fn from_client_environment(prefix: &str) -> Result<Option<GlobusAppBuilder>, SetupError> {
        let variables = Variables::read(prefix)?;
        match (variables.id, variables.secret) {
            (Some(id), Some(secret)) => Ok(Some(Self::confidential(id, secret.expose()))),
            (None, None) => Ok(None),
            _ => Err(incomplete(prefix)),
        }
    }
}
