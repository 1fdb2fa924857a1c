//! The document of a collection in Globus Transfer.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::app::GlobusApp;
use super::audience::{Audience, may_get_tokens, scopes_of_collection};
use super::scope::Scopes;
use super::user::AppUser;
use globus_gare::reauth::{Origin, ReauthError};

/// Globus Transfer as a resource server.
pub(super) const TRANSFER: &str = "transfer.api.globus.org";

/// How long a login waits for Globus Transfer. Without an answer, it asks for fewer scopes.
const PATIENCE: Duration = Duration::from_secs(10);

const FAILED: &str = "Globus Transfer could not be asked about a collection";

/// The document of a collection: the members that are used.
#[derive(Debug, Default, Deserialize)]
struct Document {
    #[serde(default)]
    entity_type: Option<String>,
    #[serde(default)]
    high_assurance: Option<bool>,
    #[serde(default)]
    https_server: Option<String>,
}

impl Document {
    /// Whether `server` is the collection's HTTPS server.
    fn names(&self, server: &Origin) -> bool {
        let named = self.https_server.as_deref().map(str::parse::<Origin>);
        may_get_tokens(server) && matches!(named, Some(Ok(named)) if named == *server)
    }

    /// Whether access needs the consent `data_access`. Only mapped collections without high
    /// assurance need it.
    fn has_data_access(&self) -> bool {
        self.entity_type.as_deref() == Some("GCSv5_mapped_collection")
            && self.high_assurance == Some(false)
    }
}

impl AppUser {
    /// Whether `server` is the HTTPS server of a collection. No person is asked.
    pub(super) async fn serves_collection(
        &self,
        server: &Origin,
        id: &str,
    ) -> Result<bool, ReauthError> {
        if let Some(named) = self.shared.collections.of(server) {
            return Ok(named == id);
        }
        // For a user without a token for Transfer, uses the token of the app's own user.
        let own = GlobusApp {
            shared: Arc::clone(&self.shared),
        };
        let has_token = matches!(self.usable(TRANSFER, None).await, Ok(Some(_)));
        let document = match has_token {
            true => self.document(id).await?,
            false => own.own().document(id).await?,
        };
        Ok(document.is_some_and(|document| document.names(server)))
    }

    /// The scopes that the audience itself wants. If Globus Transfer does not answer, those that
    /// every collection wants.
    pub(super) async fn scopes_of(&self, audience: Audience<'_>) -> Result<Scopes, ReauthError> {
        let Audience::Collection(id) = audience else {
            return Ok(Scopes::default());
        };
        scopes_of_collection(id, self.has_data_access(id).await)
    }

    /// Whether a collection is known to need the consent `data_access`.
    pub(super) async fn has_data_access(&self, id: &str) -> bool {
        let document = tokio::time::timeout(PATIENCE, self.document(id)).await;
        let document = document.ok().and_then(Result::ok).flatten();
        document.is_some_and(|document| document.has_data_access())
    }

    /// Gets the document of a collection, with this user's token for Globus Transfer. `None` if
    /// there is no such collection.
    async fn document(&self, id: &str) -> Result<Option<Document>, ReauthError> {
        let shared = &*self.shared;
        let origin = shared.resource_servers.origin_of(TRANSFER);
        let origin = origin.filter(|origin| may_get_tokens(origin));
        let origin =
            origin.ok_or_else(|| ReauthError::new(format!("{FAILED}: its URL is not known")))?;
        let credential = self.usable_credential(TRANSFER).await?;
        let credential = credential.ok_or_else(|| {
            ReauthError::new(format!(
                "{FAILED}: no stored login has a token for Transfer"
            ))
        })?;
        let url = document_url(origin, id)?;
        shared.http.get(&url, &credential, &[404], FAILED).await
    }
}

fn document_url(transfer: &Origin, id: &str) -> Result<Url, ReauthError> {
    let url = Url::parse(&format!("{transfer}/v0.10/endpoint/"));
    let mut url = url.map_err(|error| ReauthError::new(FAILED).with_source(error))?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().push(id);
    }
    Ok(url)
}
