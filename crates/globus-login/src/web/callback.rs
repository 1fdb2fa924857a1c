//! The callback: Globus Auth sends the browser back here at the end of a login.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse, Redirect, Response};
use http::Method;
use oauth2::AuthorizationCode;
use serde::Deserialize;

use super::browser::Browser;
use super::return_path::ReturnPath;
use super::state::{State, is_logged_in, logged_in};
use super::{WebLogins, pages};
use crate::authorization::code_in;
use crate::detached::detached;
use crate::flow::NotKept;
use crate::lease::Lease;
use crate::store::{Login, Work};
use crate::user::AppUser;
use globus_gare::reauth::{Principal, ReauthError};

/// The `state` of a redirect. It is opened before the rest of the query is read: anybody can write
/// the rest.
#[derive(Deserialize)]
struct Query {
    state: Option<String>,
}

/// The outcome of a login.
enum End {
    /// The browser's user has this id now.
    LoggedIn(Arc<str>),
    /// The user has logged out since the login began.
    LoggedOut,
    AnotherPerson,
    Failed(ReauthError),
}

pub(super) async fn callback(logins: WebLogins, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let known = parts.extensions.get::<Arc<Browser>>().cloned();
    let browser = known.unwrap_or_else(|| Arc::new(Browser::of(&logins, &parts)));
    let query = parts.uri.query().unwrap_or_default();
    let response = match parts.method {
        Method::GET => ended(&browser, query).await,
        // A `HEAD` must not redeem the code.
        _ => pages::only_get(),
    };
    browser.complete(response)
}

async fn ended(browser: &Arc<Browser>, query: &str) -> Response {
    let said: Option<Query> = serde_urlencoded::from_str(query).ok();
    let Some(sealed) = said.and_then(|said| said.state) else {
        return pages::no_login();
    };
    let mut cookies = browser.login_cookies.iter();
    let state = cookies.find_map(|cookie| State::open(&browser.logins, cookie, &sealed));
    let Some(state) = state else {
        return pages::another_browser();
    };
    let back = state.back();
    if state.is_over(browser.logins.app().shared.logins.clock.now()) {
        return pages::too_late(&back);
    }
    let code = match code_in(query) {
        Ok(code) => code,
        Err(error) => return pages::no_code(&error, &back),
    };
    // In a task: a code can be redeemed only once, so a browser that disconnects must not stop it.
    let end = {
        let browser = Arc::clone(browser);
        detached(async move { finish(&browser, state, code).await })
    };
    match end.await.unwrap_or_else(End::Failed) {
        End::LoggedIn(id) => {
            browser.set_cookie(browser.logins.user_cookie(&id));
            go_on(browser, &back)
        }
        End::LoggedOut => pages::logged_out(&back),
        End::AnotherPerson => pages::another_person(&back),
        End::Failed(error) => pages::not_logged_in(&error, &back),
    }
}

fn go_on(browser: &Browser, back: &ReturnPath) -> Response {
    let url = back.on(browser.logins.site());
    Redirect::to(url.as_str()).into_response()
}

/// Ends a login for the browser's user, under the lease: one login at a time.
async fn finish(
    browser: &Browser,
    state: State,
    code: AuthorizationCode,
) -> Result<End, ReauthError> {
    let app = browser.logins.app();
    let user_of = |id: &Arc<str>| app.for_user(&Principal::Named(Arc::clone(id)));
    // Another tab of this browser may have logged in since this login began.
    let id = match &browser.user {
        Some(id) if **id == *state.user => Arc::clone(id),
        Some(id) if logged_in(user_of(id).load().await)?.is_some() => Arc::clone(id),
        _ if state.is_new => state.user.as_str().into(),
        _ => return Ok(End::LoggedOut),
    };
    let user = user_of(&id);
    let lease = Lease::wait(&user.store, &user.key, Work::Login, user.holder(), |_| true).await;
    let end = user.end_login(&id, state, code).await;
    if let Some(lease) = lease {
        lease.release().await;
    }
    end
}

impl AppUser {
    /// Redeems the code, unless another login has already satisfied what this one is for.
    async fn end_login(
        &self,
        id: &Arc<str>,
        state: State,
        code: AuthorizationCode,
    ) -> Result<End, ReauthError> {
        // Epochs of two ids cannot be compared. A new id begins at 0.
        let is_comparable = state.is_new || *state.user == **id;
        let scopes_with =
            |record| self.scopes_of_login(record, &state.own, state.required.as_ref());
        let wanted = scopes_with(None).map_err(ReauthError::other)?;
        let is_met = |held: &Login| is_comparable && state.is_met(held, &wanted);
        let held = self.load().await?;
        if is_met(&held) {
            return Ok(End::LoggedIn(Arc::clone(id)));
        }
        let is_first = state.is_new && held.epoch() == 0;
        if !is_logged_in(&held) && !is_first {
            return Ok(End::LoggedOut);
        }
        let (auth, settings) = (&self.shared.auth, &self.shared.settings);
        let redirect_uri = settings.redirect_uri.clone();
        let answer = match auth.redeem(code, redirect_uri, &state.verifier).await {
            Ok(answer) => answer,
            // Without a lease, another callback may have redeemed the code first.
            Err(_) if is_met(&self.load().await?) => return Ok(End::LoggedIn(Arc::clone(id))),
            Err(error) => return Err(error),
        };
        // Keeps the scopes that another tab has brought since: later logins ask for them as well.
        let scopes = scopes_with(held.record.as_ref()).map_err(ReauthError::other)?;
        let kept = self.keep_login(held, scopes, state.required.as_ref(), &answer);
        match kept.await {
            Ok(_) => Ok(End::LoggedIn(Arc::clone(id))),
            Err(NotKept::AnotherPerson(_)) => Ok(End::AnotherPerson),
            Err(NotKept::LoggedOut) => Ok(End::LoggedOut),
            Err(NotKept::Other(error)) => Err(error),
        }
    }
}
