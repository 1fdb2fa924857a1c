//! Logins of a web service's users: parts of an [axum] router.

mod begin;
mod browser;
mod callback;
mod cookies;
mod error;
mod layer;
mod logins;
mod pages;
mod return_path;
mod state;
mod user;

pub use self::error::WebError;
pub use self::layer::{WebLayer, WebService};
pub use self::logins::{LoginNeeded, WebLogins};
pub use self::user::WebUser;
