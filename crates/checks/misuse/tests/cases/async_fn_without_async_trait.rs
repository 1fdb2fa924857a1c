//! An `async fn` in an implementation that lacks `#[async_trait]`.

use globus_gare::reauth::{Challenge, Credential, ReauthError, Reauthenticator};

struct Login;

impl Reauthenticator for Login {
    async fn reauthenticate(&self, _: &Challenge) -> Result<Credential, ReauthError> {
        Ok(Credential::bearer("token")?)
    }
}

fn main() {}
