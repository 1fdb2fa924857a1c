//! A Globus on this machine whose sessions have just expired, for the examples of client stacks. In
//! your own program, use `globus_login::GlobusApp` instead of `login`, and the URLs of the real
//! services.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use fake_globus::{Collection, FakeGlobus, Identity};
use globus_gare::reauth::{Credential, ReauthError, Reauthenticator, Trust, reauth_fn};

const SCOPE: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";

pub(crate) struct StandIn {
    globus: Arc<FakeGlobus>,
    ada: Identity,
    /// The URL of the listing that the examples request.
    pub(crate) url: String,
    /// A token whose session is too old.
    pub(crate) stale: String,
    _data: tempfile::TempDir,
}

impl StandIn {
    pub(crate) async fn start() -> Result<Self, Box<dyn Error + Send + Sync>> {
        let data = tempfile::tempdir()?;
        std::fs::write(data.path().join("climate.csv"), "year,anomaly\n2023,1.17\n")?;
        let collection = Collection::new("Climate", data.path()).session_minutes(30);
        let id = collection.id();
        let ada = Identity::new("ada", "uchicago.edu");
        let globus = FakeGlobus::builder()
            .collection(collection)
            .identity(ada.clone())
            .start()
            .await?;
        let stale = globus.issue_token(&ada, SCOPE)?;
        globus.clock().advance(Duration::from_secs(3600));
        let url = format!("{}v0.10/operation/endpoint/{id}/ls", globus.transfer_url());
        Ok(Self {
            globus: Arc::new(globus),
            ada,
            url,
            stale,
            _data: data,
        })
    }

    /// A login without a person.
    pub(crate) fn login(&self) -> impl Reauthenticator {
        let (globus, ada) = (Arc::clone(&self.globus), self.ada.clone());
        reauth_fn(move |challenge| {
            eprintln!("{}", challenge.in_plain_words());
            let token = globus.issue_token(&ada, SCOPE);
            async move {
                let token =
                    token.map_err(|error| ReauthError::new("no token").with_source(error))?;
                Ok(Credential::bearer(token)?)
            }
        })
    }

    /// Trusts the stand-in. For the real services keep the default, `Trust::globus()`.
    pub(crate) fn trust(&self) -> Trust {
        Trust::none().loopback()
    }
}

/// Prints the names in a listing.
pub(crate) fn print_names(listing: &[u8]) -> Result<(), Box<dyn Error + Send + Sync>> {
    let listing: serde_json::Value = serde_json::from_slice(listing)?;
    for entry in listing["DATA"].as_array().ok_or("not a listing")? {
        println!("{}", entry["name"].as_str().unwrap_or_default());
    }
    Ok(())
}
