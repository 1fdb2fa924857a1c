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
/// - [`reauthenticate`](Self::reauthenticate) runs at most once at a time per principal, however
///   many requests are challenged. The other requests wait for it.
/// - It runs in a task of its own: a request that is dropped does not cancel it. It is dropped
///   after [`login_timeout`](super::SessionBuilder::login_timeout) (15 minutes by default). If it
///   panics, the login fails, not the program.
/// - After `Ok`, every waiting request is replayed with the credential. After `Err`, every waiting
///   request gives up with that error. The origin then backs off for this principal: without a new
///   login, a challenged request gives up with [`GaveUp::BackingOff`](super::GaveUp::BackingOff)
///   during the [`backoff`](super::SessionBuilder::backoff) (30 seconds by default). Nothing backs
///   off after [`interaction_required`](ReauthError::interaction_required): nobody was asked.
/// - If the same requirement comes back after an `Ok`, the session stops and returns the service's
///   response to the caller. A person is never prompted without end.
/// - Requests that the reauthenticator itself sends through a client with the same layer pass
///   unchanged: they never wait for their own login.
///
/// [`reauth_fn`] makes one from a closure.
///
/// # Example
///
/// A program that reads its token from the environment and cannot log anybody in. Each
/// implementation needs [`#[async_trait]`](crate::async_trait). Without it, the compiler reports
/// that the lifetime parameters of the methods do not match the trait (E0195).
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
///         // No login is possible: the caller gets the service's response, and this error in its outcome.
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
    /// Obtains a credential that satisfies [`challenge.gare()`](Challenge::gare). May ask a person.
    ///
    /// The credential is for the service and the principal of
    /// [`challenge.target()`](Challenge::target). A refreshed token never satisfies a challenge: it
    /// belongs to the same session as the token before it.
    ///
    /// # Errors
    ///
    /// If the login fails, or nobody can be asked: see [`ReauthError`]. All waiting requests get
    /// the error.
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError>;

    /// Looks for a credential without asking a person. By default returns `None`.
    ///
    /// For [`Why::Required`](super::Why::Required), return only a credential that a *login* brought
    /// after the rejected one: a refreshed token belongs to the same session. Use a refresh token
    /// only if [`may_refresh()`](CredentialRequest::may_refresh); otherwise look in memory and in
    /// stores.
    ///
    /// [`CredentialRequest::why`] says why the session calls this: it has no credential for the
    /// target yet, or the credential ends or has ended; or a service challenged a request. In that
    /// case the session calls this before it starts a login, and before it gives up because of an
    /// earlier login, so that it finds a credential from a login elsewhere.
    ///
    /// # Errors
    ///
    /// [`ReauthError::unavailable`] if the answer cannot be known now. Any other error counts as
    /// `None`.
    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        let _ = request;
        Ok(None)
    }

    /// Whether the origin of `target` is the HTTPS server of `collection`. By default returns
    /// `false`.
    ///
    /// The `https_server` of the collection's document in Globus Transfer has the answer. The
    /// session calls this for a server that claims to belong to the collection, unless the program
    /// [named](super::Trust::collection) it. The answer `true` is kept for an hour, for all
    /// principals of the session. An implementation may use the token of the target's principal, or
    /// the program's.
    ///
    /// The call is dropped after [`refresh_timeout`](super::SessionBuilder::refresh_timeout).
    ///
    /// # Errors
    ///
    /// [`ReauthError::unavailable`] if the answer cannot be known now: the request gives up with
    /// [`GaveUp::Unavailable`](super::GaveUp::Unavailable). Any other error counts as `false`, with
    /// which it gives up with
    /// [`GaveUp::UnverifiedCollection`](super::GaveUp::UnverifiedCollection).
    async fn serves_collection(
        &self,
        target: &Target,
        collection: &str,
    ) -> Result<bool, ReauthError> {
        let _ = (target, collection);
        Ok(false)
    }

    /// A number that changes when the credentials of `principal` must no longer be used: after a
    /// logout, or when another person has logged in. By default returns 0.
    ///
    /// A refresh and a login of the same person do not change it, nor does the first login after
    /// nobody. When it changes, the session [forgets](super::Session::forget) the principal. The
    /// session calls this for each request, and when a login or a look-up ends, so it must not
    /// block.
    fn revision(&self, principal: &Principal) -> u64 {
        let _ = principal;
        0
    }

    /// The resource server whose token a request needs, if its origin has several. By default
    /// returns `None`: the resource server that the origin belongs to.
    ///
    /// The session calls this for each request that does not
    /// [name](super::GareOptions::resource_server) a resource server, so it must not block.
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
