use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Challenge, Credential, ReauthError, Target};

/// Obtains credentials that satisfy challenges, usually by a login.
///
/// # What the session promises
///
/// - [`reauthenticate`](Self::reauthenticate) runs at most once at a time per
///   principal, however many requests are challenged; the others wait for it.
/// - It runs detached from the requests that wait: dropping them all does not
///   cancel it. It is dropped after [`login_timeout`](super::SessionBuilder::login_timeout)
///   (15 minutes by default). A panic in it fails the login, not the program.
/// - After `Ok`, every waiting request is replayed with the credential. After `Err`, every waiting
///   request fails with that error, and so does every challenged request of the principal within the
///   [`backoff`](super::SessionBuilder::backoff) (30 seconds by default), without a new login.
/// - If the same requirement comes back after an `Ok`, the session stops and
///   returns the service's response to the caller. Nobody is prompted without end.
/// - Requests that the reauthenticator itself sends through a client with the same layer pass
///   unchanged: they never wait for the login that they are part of.
///
/// [`reauth_fn`] makes one from a closure.
///
/// # Example
///
/// A program that reads its token from the environment and cannot log anybody in. Each
/// implementation carries [`#[async_trait]`](crate::async_trait): without it the compiler says that
/// the lifetime parameters of its methods do not match the trait (E0195).
///
/// ```
/// use globus_gare::async_trait;
/// use globus_gare::reauth::{Challenge, Credential, ReauthError, Reauthenticator, Target};
///
/// struct FromEnvironment;
///
/// #[async_trait]
/// impl Reauthenticator for FromEnvironment {
///     async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
///         // Nobody can be asked: the caller gets the service's response, and this error in the outcome.
///         eprintln!("{}", challenge.in_plain_words());
///         Err(ReauthError::interaction_required("https://app.globus.org/"))
///     }
///
///     async fn credential(&self, _: &Target) -> Result<Option<Credential>, ReauthError> {
///         let token = std::env::var("GLOBUS_ACCESS_TOKEN").ok();
///         Ok(token.map(Credential::bearer).transpose()?)
///     }
/// }
/// ```
#[async_trait]
pub trait Reauthenticator: Send + Sync + 'static {
    /// Obtains a credential that satisfies [`challenge.gare()`](Challenge::gare); may ask a person.
    ///
    /// The credential is for the service and the principal of
    /// [`challenge.target()`](Challenge::target). A refreshed token never satisfies a challenge: it
    /// belongs to the same session as the token before it.
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError>;

    /// Looks for a credential without asking anybody. By default there is none.
    ///
    /// Called before the first request to a target, after the session's credential has expired, and
    /// after a login at another service. After an `Err` or a `None` the request goes out with the
    /// credential that the session has, if any.
    async fn credential(&self, target: &Target) -> Result<Option<Credential>, ReauthError> {
        let _ = target;
        Ok(None)
    }

    /// Replaces `refused`, a credential that has not expired but was rejected, without asking
    /// anybody. By default calls [`credential`](Self::credential).
    ///
    /// Called once after a `401` without a requirement, such as for a revoked token. If it returns
    /// the same credential, or none, the caller gets the service's response.
    async fn renew(
        &self,
        target: &Target,
        refused: &Credential,
    ) -> Result<Option<Credential>, ReauthError> {
        let _ = refused;
        self.credential(target).await
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        #[async_trait]
        impl<R: Reauthenticator + ?Sized> Reauthenticator for $pointer<R> {
            async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
                (**self).reauthenticate(challenge).await
            }

            async fn credential(&self, target: &Target) -> Result<Option<Credential>, ReauthError> {
                (**self).credential(target).await
            }

            async fn renew(
                &self,
                target: &Target,
                refused: &Credential,
            ) -> Result<Option<Credential>, ReauthError> {
                (**self).renew(target, refused).await
            }
        }
    )*};
}

forward!(Arc, Box);

/// Makes a [`Reauthenticator`] from an async closure.
///
/// ```
/// use globus_gare::layer::GareLayer;
/// use globus_gare::reauth::{Credential, reauth_fn};
///
/// let layer = GareLayer::new(reauth_fn(|challenge| async move {
///     eprintln!("{}", challenge.in_plain_words());
///     // ... log in, get a token ...
///     Ok(Credential::bearer("AgEX4mpl3")?)
/// }));
/// ```
pub fn reauth_fn<F, Fut>(login: F) -> ReauthFn<F>
where
    F: Fn(Challenge) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Credential, ReauthError>> + Send + 'static,
{
    ReauthFn { login }
}

/// A [`Reauthenticator`] that calls a closure. Made by [`reauth_fn`].
#[derive(Clone, Copy)]
pub struct ReauthFn<F> {
    login: F,
}

impl<F> fmt::Debug for ReauthFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReauthFn")
            .field(&std::any::type_name::<F>())
            .finish()
    }
}

#[async_trait]
impl<F, Fut> Reauthenticator for ReauthFn<F>
where
    F: Fn(Challenge) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Credential, ReauthError>> + Send + 'static,
{
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        (self.login)(challenge.clone()).await
    }
}
