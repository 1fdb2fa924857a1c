use std::error::Error;

use globus_gare::reauth::ReauthError;

type Source = Box<dyn Error + Send + Sync>;

/// An error from a [`LoginStore`](super::LoginStore). Its text holds no token.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    kind: Kind,
    message: String,
    source: Option<Source>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Unavailable,
    Damaged,
}

impl StoreError {
    /// The store cannot be read or written now: a later attempt may succeed. `message` says what
    /// failed and what to do.
    pub fn unavailable(message: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::of(Kind::Unavailable, message.into(), Some(source.into()))
    }

    /// The stored login is damaged: only a person can repair it. `message` says where it is and
    /// what to do.
    pub fn damaged(message: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::of(Kind::Damaged, message.into(), Some(source.into()))
    }

    pub(crate) fn because(message: impl Into<String>) -> Self {
        Self::of(Kind::Unavailable, message.into(), None)
    }

    fn of(kind: Kind, message: String, source: Option<Source>) -> Self {
        Self {
            kind,
            message,
            source,
        }
    }

    /// Whether a later attempt may succeed: the store could not be read or written. The stored
    /// login is not known to be damaged, and nobody has to log in.
    pub fn is_unavailable(&self) -> bool {
        self.kind == Kind::Unavailable
    }

    /// Whether only a person can repair the stored login. A forced login and a logout set it aside.
    pub fn is_damaged(&self) -> bool {
        self.kind == Kind::Damaged
    }
}

impl From<StoreError> for ReauthError {
    fn from(error: StoreError) -> Self {
        let message = "the login cannot be read or stored";
        if error.is_unavailable() {
            Self::unavailable(message).with_source(error)
        } else {
            Self::new(message).with_source(error)
        }
    }
}
