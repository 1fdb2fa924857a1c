//! Globus Compute's own login, which programs in Python and in Rust share.

use super::client_environment::{Variables, incomplete};
use super::{GlobusApp, GlobusAppBuilder, SetupError, SqliteStore};

const PREFIX: &str = "GLOBUS_COMPUTE";

/// The client of Globus Compute's SDK.
const CLIENT_ID: &str = "4cf29807-cf21-49ec-9443-ff9a3fb9f81c";

/// What the SDK asks for: its own service, and whose login it is.
const SCOPES: [&str; 2] = [
    "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all",
    "openid",
];

/// The SDK would have to log in again without this one.
const MANAGE_PROJECTS: &str = "urn:globus:auth:scope:auth.globus.org:manage_projects";

impl GlobusApp {
    /// A program that shares the login of Globus Compute's SDK and command line: whoever logged in
    /// there need not log in here, and the other way round.
    ///
    /// The login is that of a person, with the SDK's client id or the one that
    /// `GLOBUS_COMPUTE_CLIENT_ID` names ([`SqliteStore::for_globus_compute`]). With
    /// `GLOBUS_COMPUTE_CLIENT_SECRET` beside it the program acts for itself
    /// ([`SqliteStore::for_globus_compute_client`]); the tokens of both are kept apart.
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
    /// Where only the secret is set, or there is no home directory.
    pub fn for_globus_compute() -> Result<GlobusAppBuilder, SetupError> {
        let no_place = |error| SetupError::caused("there is no place to keep tokens in", error);
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
