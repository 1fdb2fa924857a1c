//! A Globus with one collection.

use fake_globus::{Collection, FakeGlobus, Person};
use globus_gare::reauth::Trust;
use uuid::Uuid;

pub(crate) struct World {
    pub(crate) globus: FakeGlobus,
    pub(crate) collection: Uuid,
    /// The URL that lists the collection.
    pub(crate) listing: String,
    _directory: tempfile::TempDir,
}

impl World {
    /// A collection that demands no more than a token.
    pub(crate) async fn open() -> Self {
        Self::guarded(|collection| collection).await
    }

    pub(crate) async fn guarded(more: impl FnOnce(Collection) -> Collection) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let collection = more(Collection::new("Samples", directory.path()));
        let id = collection.id();
        let globus = FakeGlobus::builder()
            .collection(collection)
            .person(Person::automatic());
        let globus = globus.start().await.expect("a server");
        Self {
            listing: format!("{}v0.10/operation/endpoint/{id}/ls", globus.transfer_url()),
            collection: id,
            globus,
            _directory: directory,
        }
    }

    /// Trust in its Transfer alone.
    pub(crate) fn trust(&self) -> Trust {
        let trust = Trust::none().origin(self.globus.transfer_url());
        trust.expect("an origin")
    }
}
