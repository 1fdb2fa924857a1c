//! The errors of a database.

use std::path::Path;

use rusqlite::ErrorCode;

use super::super::StoreError;
use super::super::files::cannot;
use super::super::record::OtherFormat;

#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Record(#[from] OtherFormat),
    #[error(transparent)]
    Claims(StoreError),
    #[error("database_schema_version is not 2: another or a newer program wrote the database")]
    Schema,
}

impl Failed {
    pub(super) fn is_damage(&self) -> bool {
        match self {
            Self::Io(_) | Self::Claims(_) => false,
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => true,
                // A table is missing.
                Some(ErrorCode::Unknown) => true,
                _ => false,
            },
            Self::Json(_) | Self::Record(_) | Self::Schema => true,
        }
    }

    pub(super) fn of(self, path: &Path, done: &str) -> StoreError {
        if let Self::Claims(error) = self {
            return error;
        }
        if self.is_damage() {
            let (damaged, its_record) = match self {
                Self::Record(_) => ("a login in the token database", "its record"),
                _ => ("the token database", "it"),
            };
            let message = format!(
                "{damaged} {} cannot be understood: log out, or force a login, to set {its_record} \
                 aside",
                path.display()
            );
            return StoreError::damaged(message, self);
        }
        let kind = match &self {
            Self::Io(error) => error.kind(),
            Self::Sqlite(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DiskFull) => std::io::ErrorKind::StorageFull,
                Some(ErrorCode::ReadOnly) => std::io::ErrorKind::ReadOnlyFilesystem,
                Some(ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                    std::io::ErrorKind::PermissionDenied
                }
                _ => std::io::ErrorKind::Other,
            },
            _ => std::io::ErrorKind::Other,
        };
        StoreError::unavailable(cannot(path, done, kind), self)
    }
}
