use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A token, or another secret: wiped from memory when it is dropped. `Debug` does not show it.
///
/// The copies that a request to Globus Auth and its response need are not wiped.
#[derive(Clone, Deserialize, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
