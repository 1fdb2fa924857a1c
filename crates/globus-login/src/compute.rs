//! The login of Globus Compute, shared by Python and Rust programs.

use super::client_environment::{Variables, incomplete};
use super::{GlobusApp, GlobusAppBuilder, SetupError, SqliteStore};

const PREFIX: &str = "GLOBUS_COMPUTE";

/// The client of Globus Compute's SDK.
const CLIENT_ID: &str = "4cf29807-cf21-49ec-9443-ff9a3fb9f81c";

/// The scopes that the SDK asks for: its own service, and the identity of the person.
const SCOPES: [&str; 2] = [
    "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all",
    "openid",
];

/// Without this scope, the SDK would log in again.
const MANAGE_PROJECTS: &str = "urn:globus:auth:scope:auth.globus.org:manage_projects";

impl GlobusApp {
    /// Starts to configure a program that shares the login of Globus Compute's SDK and CLI: a login
    /// there serves here, and a login here serves there.
    ///
    /// The program acts for a person, with the SDK's client id or that in
    /// `GLOBUS_COMPUTE_CLIENT_ID` ([`SqliteStore::for_globus_compute`]). If
    /// `GLOBUS_COMPUTE_CLIENT_SECRET` is set as well, the program acts for itself
    /// ([`SqliteStore::for_globus_compute_client`]). The tokens of the two are kept apart.
    ///
    /// ```no_run
    /// use globus_gare::layer::GareLayer;
    /// use globus_login::GlobusApp;
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let app = GlobusApp::for_globus_compute()?.build()?;
    /// app.login().await?;
    /// let layer = GareLayer::new(app);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If only the secret is set, or there is no home directory.
    pub fn for_globus_compute() -> Result<GlobusAppBuilder, SetupError> {
        let no_place =
            |error| SetupError::caused("there is no directory for the token file", error);
        let variables = Variables::read(PREFIX)?;
        let app = match (variables.id, variables.secret) {
            (Some(id), Some(secret)) => Self::confidential(id, secret.expose())
                .store(SqliteStore::for_globus_compute_client().map_err(no_place)?),
            (None, Some(_)) => return Err(incomplete(PREFIX)),
            (id, None) => Self::user(id.unwrap_or_else(|| CLIENT_ID.to_owned()))
                .store(SqliteStore::for_globus_compute().map_err(no_place)?)
                .extra_scopes([MANAGE_PROJECTS]),
        };
        Ok(app.scopes(SCOPES).refresh_tokens(true))
    }
}
