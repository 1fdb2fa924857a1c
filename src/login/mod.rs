//! Globus Auth logins: a `Reauthenticator` for real use.
