use std::fmt;

use super::store::Holder;

/// What happens to a login that a person may want to know of:
/// [`LoginPrompt::status`](super::LoginPrompt::status) is told. `Display` says it in a sentence.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LoginStatus {
    /// Another program logs in for the same user: this one waits for its result.
    Waiting(Holder),
    /// The login succeeded and cannot be stored: it ends with the program. The text says why.
    NotStored(String),
    /// What was stored could not be understood, and was put aside. The text says where it is.
    SetAside(String),
}

impl fmt::Display for LoginStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waiting(holder) => write!(f, "Waiting for the login of {holder}."),
            Self::NotStored(why) => write!(
                f,
                "You are logged in for as long as this program runs: the login cannot be stored. {why}."
            ),
            Self::SetAside(place) => write!(
                f,
                "The stored login could not be understood. It was put aside: {place}."
            ),
        }
    }
}
