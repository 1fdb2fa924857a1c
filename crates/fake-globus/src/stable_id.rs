//! Ids for things that have a name of their own.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Always the same id for the same name.
pub(super) fn stable_id(name: &str) -> Uuid {
    let digest = Sha256::digest(name.as_bytes());
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(digest.iter())
        .for_each(|(to, from)| *to = *from);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}
