use std::fmt;
use std::future::{Future, Ready, ready};
use std::sync::Arc;

use async_trait::async_trait;

use super::{
    Challenge, Credential, CredentialRequest, Principal, ReauthError, RequestHead, Target,
};

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
/// use globus_gare::reauth::{Challenge, Credential, CredentialRequest, ReauthError, Reauthenticator};
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
///     async fn credential(&self, _: &CredentialRequest) -> Result<Option<Credential>, ReauthError> {
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
    /// [`request.why()`](CredentialRequest::why) says why. For [`Why::Required`](super::Why::Required)
    /// return only a credential that a *login* brought after the rejected one: a refreshed token
    /// belongs to the same session. Unless [`may_refresh()`](CredentialRequest::may_refresh), only look
    /// and spend no refresh token.
    ///
    /// The session asks before a person is asked, and before it gives up because of a login that
    /// failed: what a person obtained elsewhere is found this way.
    ///
    /// # Errors
    ///
    /// [`ReauthError::unavailable`] where the answer is not known now. Any other error counts as `None`.
    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        let _ = request;
        Ok(None)
    }

    /// Whether the origin of `target` is the HTTPS server of `collection`, by the collection's document in
    /// Globus Transfer (`https_server`). It is asked before anything is done for a server that claims to be
    /// that collection's and that the program did not [name](super::Trust::collection), and again after an
    /// hour, before the collection's credential is sent there. By default no claim is believed.
    ///
    /// What is found for one principal holds for all of the session: use the token of the target's
    /// principal, or one of the program's own.
    ///
    /// # Errors
    ///
    /// Where it cannot be found out now.
    async fn serves_collection(
        &self,
        target: &Target,
        collection: &str,
    ) -> Result<bool, ReauthError> {
        let _ = (target, collection);
        Ok(false)
    }

    /// Changes when the credentials of `principal` must not be used any longer: after a logout, or
    /// when another person has logged in. A refresh and a login of the same person do not change
    /// it, nor does the first login after nobody. By default it never changes.
    ///
    /// The session then [forgets](super::Session::forget) the principal. It asks each time when it puts
    /// a credential on a request and when a login or a look-up ends, so this must not wait.
    fn revision(&self, principal: &Principal) -> u64 {
        let _ = principal;
        0
    }

    /// The resource server whose token a request wants, where the request does not
    /// [name](super::GareOptions::resource_server) one and its origin has several. `None`, the default,
    /// stands for the one that the origin belongs to.
    ///
    /// Asked for each request before it is sent, so this must not wait.
    fn resource_server(&self, request: &RequestHead<'_>) -> Option<Arc<str>> {
        let _ = request;
        None
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        #[async_trait]
        impl<R: Reauthenticator + ?Sized> Reauthenticator for $pointer<R> {
            async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
                (**self).reauthenticate(challenge).await
            }

            async fn credential(
                &self,
                request: &CredentialRequest,
            ) -> Result<Option<Credential>, ReauthError> {
                (**self).credential(request).await
            }

            async fn serves_collection(
                &self,
                target: &Target,
                collection: &str,
            ) -> Result<bool, ReauthError> {
                (**self).serves_collection(target, collection).await
            }

            fn revision(&self, principal: &Principal) -> u64 {
                (**self).revision(principal)
            }

            fn resource_server(&self, request: &RequestHead<'_>) -> Option<Arc<str>> {
                (**self).resource_server(request)
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
    ReauthFn {
        login,
        credential: |_| ready(Ok(None)),
    }
}

type FindsNothing = fn(CredentialRequest) -> Ready<Result<Option<Credential>, ReauthError>>;

/// A [`Reauthenticator`] that calls closures. Made by [`reauth_fn`].
#[derive(Clone, Copy)]
pub struct ReauthFn<F, C = FindsNothing> {
    login: F,
    credential: C,
}

impl<F, C> ReauthFn<F, C> {
    /// Adds a closure that looks for a credential without asking anybody: see
    /// [`Reauthenticator::credential`].
    ///
    /// ```
    /// use globus_gare::reauth::{Credential, ReauthError, reauth_fn};
    ///
    /// let login = reauth_fn(|_| async { Err(ReauthError::interaction_required("https://app.globus.org/")) })
    ///     .with_credential(|request| async move {
    ///         // A program that logs in writes this file.
    ///         let token = match request.target().origin().host() {
    ///             "transfer.api.globus.org" => std::fs::read_to_string("transfer_token").ok(),
    ///             _ => None,
    ///         };
    ///         Ok(token.map(|token| Credential::bearer(token.trim())).transpose()?)
    ///     });
    /// # let _ = globus_gare::layer::GareLayer::new(login);
    /// ```
    pub fn with_credential<L, Fut>(self, credential: L) -> ReauthFn<F, L>
    where
        L: Fn(CredentialRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Credential>, ReauthError>> + Send + 'static,
    {
        ReauthFn {
            login: self.login,
            credential,
        }
    }
}

impl<F, C> fmt::Debug for ReauthFn<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReauthFn")
            .field(&std::any::type_name::<F>())
            .field(&std::any::type_name::<C>())
            .finish()
    }
}

#[async_trait]
impl<F, C, LoginFut, CredentialFut> Reauthenticator for ReauthFn<F, C>
where
    F: Fn(Challenge) -> LoginFut + Send + Sync + 'static,
    LoginFut: Future<Output = Result<Credential, ReauthError>> + Send + 'static,
    C: Fn(CredentialRequest) -> CredentialFut + Send + Sync + 'static,
    CredentialFut: Future<Output = Result<Option<Credential>, ReauthError>> + Send + 'static,
{
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        (self.login)(challenge.clone()).await
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        (self.credential)(request.clone()).await
    }
}
