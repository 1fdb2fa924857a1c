//! Which directory of which collection.

use url::Url;
use uuid::Uuid;

use crate::failure::Failure;

pub(crate) struct Place {
    pub(crate) collection: Uuid,
    pub(crate) path: Option<String>,
}

impl Place {
    /// Reads `COLLECTION`, `COLLECTION:PATH`, or the two as two arguments.
    pub(crate) fn parse(collection: &str, path: Option<&str>) -> Result<Self, Failure> {
        let (id, path) = match (collection.split_once(':'), path) {
            (Some((id, path)), None) => (id, Some(path)),
            (_, path) => (collection, path),
        };
        let collection = Uuid::parse_str(id).map_err(|_| Failure::no_id(id))?;
        Ok(Self {
            collection,
            path: path.filter(|path| !path.is_empty()).map(str::to_owned),
        })
    }

    /// Where the Transfer service lists it.
    pub(crate) fn url_at(&self, service: &Url) -> String {
        let mut url = service.clone();
        url.set_path(&format!(
            "{}v0.10/operation/endpoint/{}/ls",
            service.path(),
            self.collection
        ));
        if let Some(path) = &self.path {
            url.query_pairs_mut().append_pair("path", path);
        }
        url.into()
    }
}
