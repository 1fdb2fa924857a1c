//! Per-user login records, changed by compare-and-swap.

#[cfg(feature = "sqlite")]
mod compute;
pub mod conformance;
mod disk;
mod error;
mod files;
mod json;
mod learned;
mod lease;
mod lock;
mod login;
#[cfg(test)]
mod login_properties;
mod login_store;
mod memory;
mod private;
mod record;
#[cfg(feature = "redis")]
mod redis;
#[cfg(test)]
mod replicas;
#[cfg(feature = "seal")]
mod seal;
mod secret;
#[cfg(feature = "sqlite")]
mod sqlite;
mod token;
mod user;
mod version;

pub use self::error::StoreError;
pub use self::json::JsonStore;
#[cfg(any(test, fuzzing))]
pub use self::json::token_file;
pub use self::learned::Learned;
pub use self::lease::{Holder, Leased, Waiting, Work};
pub use self::login::Login;
pub use self::login_store::LoginStore;
pub use self::memory::MemoryStore;
pub use self::record::LoginRecord;
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub use self::redis::{RedisStore, RedisStoreBuilder};
#[cfg(feature = "seal")]
#[cfg_attr(docsrs, doc(cfg(feature = "seal")))]
pub use self::seal::{SealError, Sealer};
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use self::sqlite::SqliteStore;
pub use self::token::{StoredToken, Tokens};
pub use self::user::UserKey;
pub use self::version::{Version, Versioned};

pub(crate) use self::learned::RefusedLogin;
pub(crate) use self::login::{AnotherPerson, Given};
pub(crate) use self::login_store::jittered;
#[cfg(feature = "web")]
pub(crate) use self::record::{as_scopes, as_seconds};
pub(crate) use self::secret::Secret;
pub(crate) use self::version::digest;
