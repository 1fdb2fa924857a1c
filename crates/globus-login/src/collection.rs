//! What Globus Transfer knows of a collection.

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

/// How long a login waits for Globus Transfer, without which it asks for less.
const PATIENCE: Duration = Duration::from_secs(10);

const FAILED: &str = "Globus Transfer could not be asked about a collection";

/// The document of a collection, as far as it is read.
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

    /// Whether access takes the consent `data_access`: that of a high-assurance collection never does,
    /// nor does that of a guest collection.
    fn has_data_access(&self) -> bool {
        self.entity_type.as_deref() == Some("GCSv5_mapped_collection")
            && self.high_assurance == Some(false)
    }
}

impl AppUser {
    /// Whether `server` is the HTTPS server of a collection. Nobody is asked to log in.
    pub(super) async fn serves_collection(
        &self,
        server: &Origin,
        id: &str,
    ) -> Result<bool, ReauthError> {
        if let Some(named) = self.shared.collections.of(server) {
            return Ok(named == id);
        }
        // A user without a token for it is asked about with the program's own.
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

    /// The scopes that the audience itself wants of a login. Without an answer of Globus Transfer they are those
    /// that every collection wants.
    pub(super) async fn scopes_of(&self, audience: Audience<'_>) -> Result<Scopes, ReauthError> {
        let Audience::Collection(id) = audience else {
            return Ok(Scopes::default());
        };
        scopes_of_collection(id, self.has_data_access(id).await)
    }

    /// Whether Transfer is known to want the consent `data_access` for a collection.
    pub(super) async fn has_data_access(&self, id: &str) -> bool {
        let document = tokio::time::timeout(PATIENCE, self.document(id)).await;
        let document = document.ok().and_then(Result::ok).flatten();
        document.is_some_and(|document| document.has_data_access())
    }

    /// The document of a collection, with this user's token for Globus Transfer; `None` if there is no such
    /// collection.
    async fn document(&self, id: &str) -> Result<Option<Document>, ReauthError> {
        let shared = &*self.shared;
        let origin = shared.resource_servers.origin_of(TRANSFER);
        let origin = origin.filter(|origin| may_get_tokens(origin));
        let origin = origin
            .ok_or_else(|| ReauthError::new(format!("{FAILED}: where it is, is not known")))?;
        let credential = self.usable_credential(TRANSFER).await?;
        let credential = credential.ok_or_else(|| {
            ReauthError::new(format!("{FAILED}: nobody is logged in with a token for it"))
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
