use std::fmt;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A token or another secret. It is wiped from memory on drop, and `Debug` does not show it.
///
/// The copies in a request to Globus Auth and in its response are not wiped.
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
