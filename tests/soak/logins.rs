//! The logins: `GlobusApp`, and people who mostly log in.

use std::collections::HashMap;
use std::future::pending;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use fake_globus::{Browser, Identity};
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, Principal as User, ReauthError, Reauthenticator,
    Target,
};
use globus_login::{GlobusApp, LoginPrompt, LoginReply, LoginRequest};
use url::Url;

use crate::plan::{USERS, roll};

/// The error of a login that a person fails on purpose.
pub(crate) const FAILS: &str = "the login failed on purpose";

/// The name of a user in requests.
pub(crate) fn named(user: u32) -> String {
    format!("user-{user}")
}

/// An app that counts its logins under way.
#[derive(Clone)]
pub(crate) struct Logins {
    pub(crate) app: GlobusApp,
    pub(crate) under_way: Arc<AtomicUsize>,
}

struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[async_trait]
impl Reauthenticator for Logins {
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        self.under_way.fetch_add(1, SeqCst);
        let _under_way = UnderWay(Arc::clone(&self.under_way));
        self.app.reauthenticate(challenge).await
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        let target = request.target();
        let is_one_time =
            matches!(target.principal(), User::Named(name) if name.starts_with("one-time-"));
        if is_one_time {
            let own = Target::new(target.origin().clone(), User::Session);
            let request = CredentialRequest::new(own, request.why().clone());
            return self.app.credential(&request).await;
        }
        self.app.credential(request).await
    }
}

/// The people who log in.
#[derive(Clone)]
pub(crate) struct People {
    pub(crate) identities: Arc<Vec<Identity>>,
    /// The users by their first token, which requests present.
    pub(crate) presented: Arc<HashMap<Vec<u8>, u32>>,
    pub(crate) browser: Browser,
    pub(crate) asked: Arc<AtomicU32>,
}

impl People {
    fn who(&self, user: &User) -> u32 {
        match user {
            User::Named(name) => (0..USERS).find(|user| **name == *named(*user)).unwrap_or(0),
            User::Presented(value) => self.presented[value.header_value().as_bytes()],
            _ => 0,
        }
    }

    /// Fills in the login page as `user`. Returns the redirect.
    pub(crate) async fn log_in(
        &self,
        page: &Url,
        user: u32,
        approves: bool,
    ) -> Result<Url, Box<dyn std::error::Error + Send + Sync>> {
        let shown = self.browser.get(page).await?;
        let identity = self.identities[user as usize].id().to_string();
        let decision = if approves { "approve" } else { "deny" };
        let form = [
            ("identity", identity.as_str()),
            ("mfa", "yes"),
            ("decision", decision),
        ];
        let answer = self.browser.submit(&shown, form).await?;
        Ok(answer.redirect().ok_or("no redirect")?)
    }
}

#[async_trait]
impl LoginPrompt for People {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        let asked = self.asked.fetch_add(1, SeqCst);
        let user = request
            .challenge()
            .map_or(0, |challenge| self.who(challenge.target().principal()));
        let approves = match roll(asked, 20, 100) {
            0..3 => false,
            3..6 => return Err(ReauthError::new(FAILS)),
            6 => pending().await,
            // Without a message on the terminal.
            7..9 => resume_unwind(Box::new("panicked on purpose")),
            _ => true,
        };
        let redirect = self.log_in(request.authorize_url(), user, approves).await;
        let redirect = redirect
            .map_err(|error| ReauthError::new("the login page did not work").with_source(error))?;
        Ok(LoginReply::redirect(request, redirect))
    }
}
