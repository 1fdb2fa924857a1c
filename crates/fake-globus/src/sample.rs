//! [`Sample`]: a server for a test, started in one line.

use uuid::Uuid;

use super::builder::{FakeGlobusBuilder, StartError};
use super::collection::Collection;
use super::error::UnknownError;
use super::identity::Identity;
use super::person::Person;
use super::server::FakeGlobus;

/// A server with one user and one collection. Started by [`FakeGlobus::sample`].
///
/// ```
/// use fake_globus::{Collection, FakeGlobus};
///
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let data = tempfile::tempdir()?;
/// # std::fs::write(data.path().join("hello.txt"), "hello")?;
/// let sample = FakeGlobus::sample(Collection::new("My data", data.path())).await?;
/// let list = reqwest::Client::new().get(sample.listing_url()).bearer_auth(sample.token()?);
/// assert!(list.send().await?.text().await?.contains("hello.txt"));
/// assert!(sample.globus.violations().is_empty());
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Sample {
    /// The server. A program logs in as its native client, [`FakeGlobus::client_id`].
    pub globus: FakeGlobus,
    /// `ada@uchicago.edu`, with the linked identity `ada@globusid.org`.
    pub ada: Identity,
    /// The id of the collection.
    pub collection: Uuid,
}

impl FakeGlobus {
    /// Starts a server with this collection and an automatic person, who logs in as
    /// `ada@uchicago.edu`.
    ///
    /// # Errors
    /// If the collection's directory cannot be opened, or its settings contradict each other.
    pub async fn sample(collection: Collection) -> Result<Sample, StartError> {
        let builder = Self::builder().person(Person::automatic());
        builder.start_sample(collection).await
    }
}

impl FakeGlobusBuilder {
    /// Starts the server with this collection added, and with `ada@uchicago.edu` as its first user.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_sample(mut self, collection: Collection) -> Result<Sample, StartError> {
        let ada = Identity::new("ada", "uchicago.edu").linked(Identity::new("ada", "globusid.org"));
        self.config.identities.insert(0, ada.clone());
        let id = collection.id();
        Ok(Sample {
            globus: self.collection(collection).start().await?,
            ada,
            collection: id,
        })
    }
}

impl Sample {
    /// The URL that lists the collection.
    pub fn listing_url(&self) -> String {
        let (base, id) = (self.globus.transfer_url(), self.collection);
        format!("{base}v0.10/operation/endpoint/{id}/ls")
    }

    /// Issues a token of `ada` for Transfer, without a login.
    ///
    /// # Errors
    /// If a dump without `ada` was [loaded](FakeGlobus::load).
    pub fn token(&self) -> Result<String, UnknownError> {
        let scope = "urn:globus:auth:scope:transfer.api.globus.org:all";
        self.globus.issue_token(&self.ada, scope)
    }
}
