//! A program's own errors, as results of its login.

use std::error::Error;
use std::future::Future;
use std::io;

use checks::mock::{MFA, answer, behind, get, outcome, send};
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, GaveUp, ReauthError, reauth_fn};

type BoxError = Box<dyn Error + Send + Sync>;

/// The error that a caller gets if the login returns this result.
async fn error_of<F>(login: impl Fn() -> F + Send + Sync + 'static) -> ReauthError
where
    F: Future<Output = Result<Credential, ReauthError>> + Send + 'static,
{
    let layer = GareLayer::new(reauth_fn(move |_| login()));
    let client = behind(&layer, |_| answer(403, MFA));
    let response = send(&client, get("/")).await;
    match outcome(&response).gave_up() {
        Some(GaveUp::Failed(error)) => error.clone(),
        other => panic!("a failed login, not {other:?}"),
    }
}

fn unreadable() -> io::Result<String> {
    let cause = "many".parse::<u16>().expect_err("no number");
    Err(io::Error::new(io::ErrorKind::InvalidData, cause))
}

fn boxed() -> Result<String, BoxError> {
    Err("the vault is closed".into())
}

#[checks::test]
async fn io_error_reaches_the_caller_with_its_text() {
    let error = error_of(|| async { Ok(Credential::bearer(unreadable()?)?) }).await;
    assert_eq!(error.to_string(), "invalid digit found in string");
    assert!(format!("{error:?}").contains("InvalidData"), "{error:?}");
}

#[checks::test]
async fn boxed_error_reaches_the_caller_with_its_text() {
    let error = error_of(|| async { Ok(Credential::bearer(boxed()?)?) }).await;
    assert_eq!(error.to_string(), "the vault is closed");
    assert!(error.source().is_none());
    assert!(!error.is_declined() && !error.is_timeout() && !error.is_interaction_required());
}

/// An error with a cause.
#[derive(Debug)]
struct Closed(io::Error);

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the vault is closed")
    }
}

impl Error for Closed {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[checks::test]
fn other_error_keeps_its_text_and_its_source() {
    let error = ReauthError::other(Closed(io::Error::other("no key")));
    assert_eq!(error.to_string(), "the vault is closed");
    assert_eq!(error.source().expect("a source").to_string(), "no key");
}

#[checks::test]
fn login_error_in_a_box_keeps_its_kind() {
    let url = "https://auth.globus.org/v2/oauth2/authorize";
    let error: BoxError = ReauthError::interaction_required(url).into();
    assert_eq!(ReauthError::from(error).login_url(), Some(url));
    assert!(ReauthError::other(ReauthError::declined()).is_declined());
}
