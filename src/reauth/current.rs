//! The credentials that requests are sent with.

use std::sync::Arc;

use super::origin::OriginRef;
use super::{Credential, Origin};
use crate::runtime::ArcSwap;

/// A credential, and the generation that it began.
#[derive(Clone, Debug)]
pub(super) struct Issued {
    pub(super) credential: Credential,
    pub(super) generation: u64,
}

/// The current credential for each origin. Read without a lock, on the way of
/// every request; replaced as a whole under the slot's lock.
#[derive(Debug, Default)]
pub(super) struct Current(ArcSwap<Vec<(Origin, Issued)>>);

impl Current {
    /// What `look` sees of the credential for `origin`.
    pub(super) fn look<T>(
        &self,
        origin: OriginRef<'_>,
        look: impl FnOnce(&Issued) -> T,
    ) -> Option<T> {
        let issued = self.0.load();
        let known = issued.iter().find(|(known, _)| known.view() == origin);
        known.map(|(_, issued)| look(issued))
    }

    pub(super) fn keep(&self, origin: Origin, issued: Issued, max_origins: usize) {
        let mut all = Vec::clone(&self.0.load());
        all.retain(|(known, _)| *known != origin);
        if all.len() >= max_origins.max(1) {
            all.remove(0);
        }
        all.push((origin, issued));
        self.0.store(Arc::new(all));
    }
}
