use std::error::Error;

/// An error from setting up a [`GlobusApp`](super::GlobusApp) or the logins of a web service, such
/// as an invalid setting.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SetupError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl SetupError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    pub(super) fn caused(
        message: impl Into<String>,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self {
            message: message.into(),
            source: Some(Box::new(source)),
        }
    }
}
