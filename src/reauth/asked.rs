use std::sync::Arc;

use http::{HeaderValue, Method, Uri};

use super::{Credential, Identity, InvalidOrigin, Session, Target};

/// What was asked of a service, told by an adapter once the answer makes it matter.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    /// The `Authorization` that the request came with.
    pub(crate) presented: Option<HeaderValue>,
}

impl Asked {
    /// What is asked for where somebody has to be asked.
    pub(super) fn target(
        &self,
        session: &Session,
        named: Option<&Arc<str>>,
    ) -> Result<Target, InvalidOrigin> {
        let origin = session.usual().origin(&self.uri)?;
        Ok(Target::new(
            origin,
            identity(named, self.presented.as_ref()),
        ))
    }
}

/// What kind of `Authorization` the request came with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Presented {
    Nothing,
    Bearer,
    Other,
}

impl Presented {
    pub(super) fn of(value: Option<&HeaderValue>) -> Self {
        match value.map(|value| value.as_bytes().get(..7)) {
            None => Self::Nothing,
            // Nearly all are written so.
            Some(Some(b"Bearer ")) => Self::Bearer,
            Some(Some(scheme)) if scheme.eq_ignore_ascii_case(b"bearer ") => Self::Bearer,
            Some(_) => Self::Other,
        }
    }
}

/// Whose a request is, by the name that its options give, or else by what it came with.
pub(super) fn identity(named: Option<&Arc<str>>, presented: Option<&HeaderValue>) -> Identity {
    match (named, presented) {
        (Some(name), _) => Identity::Named(Arc::clone(name)),
        (None, Some(value)) => Identity::Presented(Credential::from_header_value(value.clone())),
        (None, None) => Identity::Session,
    }
}
