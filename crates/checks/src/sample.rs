//! A `FakeGlobus` with one collection over a directory.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use fake_globus::{Collection, FakeGlobus, FakeGlobusBuilder, Identity, Person};
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, ReauthError, Reauthenticator, Trust, Why,
};
use tempfile::TempDir;

pub const TRANSFER_ALL: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";

/// A [`fake_globus::Sample`] over a directory of its own, which is empty at first.
pub struct Sample {
    pub of: fake_globus::Sample,
    pub directory: TempDir,
}

impl Deref for Sample {
    type Target = fake_globus::Sample;

    fn deref(&self) -> &fake_globus::Sample {
        &self.of
    }
}

impl Sample {
    /// A sample whose collection requires no more than a token.
    pub async fn open() -> Self {
        Self::guarded(|collection| collection).await
    }

    pub async fn guarded(collection: impl FnOnce(Collection) -> Collection) -> Self {
        Self::with(collection, |server| server).await
    }

    pub async fn with(
        collection: impl FnOnce(Collection) -> Collection,
        server: impl FnOnce(FakeGlobusBuilder) -> FakeGlobusBuilder,
    ) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let collection = collection(Collection::new("Samples", directory.path()));
        let builder = server(FakeGlobus::builder().person(Person::automatic()));
        let of = builder.start_sample(collection).await.expect("a server");
        Self { of, directory }
    }

    /// Writes a file of the collection.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory.path().join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(&path, content).expect("a file");
        path
    }

    /// The URL that lists the collection.
    pub fn listing(&self) -> String {
        self.of.listing_url()
    }

    /// Ada's token for Transfer.
    pub fn token(&self) -> String {
        self.of.token().expect("a token")
    }

    /// The HTTPS server of the collection, from Transfer's document, without a slash at its end.
    pub async fn https_server(&self) -> String {
        let (url, id) = (self.globus.transfer_url(), &self.collection);
        let document = crate::browser::client()
            .get(format!("{url}v0.10/endpoint/{id}"))
            .bearer_auth(self.token());
        let document = document.send().await.expect("an answer").text().await;
        let document: serde_json::Value =
            serde_json::from_str(&document.expect("text")).expect("JSON");
        let server = document["https_server"].as_str().expect("a URL");
        server.trim_end_matches('/').to_owned()
    }

    /// Trust in its Transfer service alone.
    pub fn trust(&self) -> Trust {
        let trust = Trust::none().origin(self.globus.transfer_url());
        trust.expect("an origin")
    }
}

/// A reauthenticator whose tokens the server issues to Ada, without a prompt.
pub struct GivenOut {
    pub globus: Arc<FakeGlobus>,
    pub ada: Identity,
}

impl GivenOut {
    fn token(&self) -> Result<Credential, ReauthError> {
        let token = self.globus.issue_token(&self.ada, TRANSFER_ALL);
        let token = token.map_err(|error| ReauthError::new("no token").with_source(error))?;
        Ok(Credential::bearer(token)?)
    }
}

#[async_trait]
impl Reauthenticator for GivenOut {
    async fn reauthenticate(&self, _: &Challenge) -> Result<Credential, ReauthError> {
        // Other requests are challenged meanwhile, as during the login of a person.
        tokio::task::yield_now().await;
        self.token()
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        // A requirement takes a login.
        match request.why() {
            Why::Required(_) => Ok(None),
            _ => self.token().map(Some),
        }
    }
}

/// Asserts that no client of `globus` broke a rule of the protocol.
#[track_caller]
pub fn assert_no_violation(globus: &FakeGlobus) {
    let violations = globus.violations();
    assert!(violations.is_empty(), "{violations:?}");
}
