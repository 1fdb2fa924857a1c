use std::fmt;
use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;

use super::{Challenge, Credential, ReauthError, Target};

/// Obtains what a service asked for: logs somebody in.
///
/// # What the session promises
///
/// - [`reauthenticate`](Self::reauthenticate) runs at most once at a time per
///   principal, however many requests were refused; the others wait for it.
/// - It runs detached from the requests that wait: dropping them all does not
///   cancel it. It is dropped after the session's flight timeout (15 minutes
///   by default), and a panic in it fails the login, not the program.
/// - `Ok` replays every waiting request with the credential. `Err` is told to
///   every waiting request, and for a cool-down (30 seconds by default) to
///   those that come after, without asking again.
/// - If the same requirement comes back after an `Ok`, the session stops and
///   hands the service's answer to the caller: no endless prompting.
/// - Requests that the reauthenticator itself sends through a client with the
///   same layer pass straight through: they never wait for the login that they
///   are part of.
///
/// Closures do as well: see [`reauth_fn`].
///
/// # Example
///
/// A program whose tokens come from elsewhere. Each implementation carries
/// [`#[async_trait]`](crate::async_trait): without it the compiler says that the lifetime
/// parameters of its methods do not match the trait (E0195).
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
///         // Nobody to ask here: the caller gets the service's refusal, and this error in the outcome.
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
    /// Satisfies [`challenge.gare()`](Challenge::gare); resolves to the
    /// credential to replay with.
    ///
    /// The credential is for [`challenge.target()`](Challenge::target): that
    /// service, and that principal. A token renewed with a refresh token never
    /// answers a challenge, since it belongs to the same session as before.
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError>;

    /// The credential to start with, or to renew an expired one, if there is
    /// one to be had without asking anybody. By default there is none.
    ///
    /// Called before the first request to a target, and when the credential at hand
    /// has run out. An `Err` or `None` sends the request with what there is.
    async fn credential(&self, target: &Target) -> Result<Option<Credential>, ReauthError> {
        let _ = target;
        Ok(None)
    }

    /// The credential in the place of `refused`, which has not run out but is no
    /// longer taken, if there is one to be had without asking anybody. By default
    /// what [`credential`](Self::credential) gives.
    ///
    /// Called once after a plain `401`: the token was revoked, or its keys were
    /// changed. Where the same credential comes back, or none, the caller gets the
    /// service's answer.
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

/// Makes a [`Reauthenticator`] of an async closure.
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

/// A closure as a [`Reauthenticator`]: what [`reauth_fn`] returns.
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
