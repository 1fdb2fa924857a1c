use std::sync::{Arc, Mutex, PoisonError};

use oauth2::{
    AuthorizationCode, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use subtle::ConstantTimeEq;
use url::Url;

use super::LoginReply;
use super::exchange::{Refusal, TokenAnswer, auth_client, exchange_code};
use super::scope::Scopes;
use super::settings::Settings;
use super::transport::Transport;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::ReauthError;

/// One login on its way: what is sent with the browser, and what must come back.
pub(super) struct Attempt {
    page: Page,
    verifier: PkceCodeVerifier,
}

/// The page that the person opens. It may be told more than one way back.
#[derive(Clone)]
pub(super) struct Page {
    url: Url,
    state: CsrfToken,
    default: RedirectUrl,
    /// The ways back that were handed out, as they were written: Globus Auth
    /// compares them by their bytes when the code is exchanged.
    ways: Arc<Mutex<Vec<RedirectUrl>>>,
}

impl Attempt {
    /// Begins a login for `scopes` that satisfies `asked`.
    pub(super) fn begin(
        settings: &Settings,
        scopes: &Scopes,
        asked: Option<&AuthorizationParameters>,
    ) -> Self {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = auth_client(settings).set_redirect_uri(settings.redirect_uri.clone());
        let mut request = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(scopes.iter().map(|scope| Scope::new(scope.to_string())))
            .set_pkce_challenge(challenge)
            .add_extra_param(
                "access_type",
                if settings.refresh_tokens {
                    "offline"
                } else {
                    "online"
                },
            );
        if let Some(label) = &settings.label {
            request = request.add_extra_param("prefill_named_grant", label);
        }
        if let Some(asked) = asked {
            let pairs = asked.to_query();
            // Without it Globus Auth is content with the session that the browser
            // still has, and nothing changes. A consent needs no fresh login.
            if asked.requires_session() && !pairs.iter().any(|(name, _)| *name == "prompt") {
                request = request.add_extra_param("prompt", "login");
            }
            for (name, value) in pairs {
                request = request.add_extra_param(name, value);
            }
        }
        let (url, state) = request.url();
        let default = settings.redirect_uri.clone();
        let page = Page {
            url,
            state,
            ways: Arc::new(Mutex::new(vec![default.clone()])),
            default,
        };
        Self { page, verifier }
    }

    pub(super) fn page(&self) -> &Page {
        &self.page
    }

    /// Takes what came back from the browser, and gets tokens for it.
    pub(super) async fn finish(
        self,
        settings: &Settings,
        transport: &Transport,
        reply: LoginReply,
    ) -> Result<TokenAnswer, ReauthError> {
        let (code, way) = self.page.code(reply)?;
        exchange_code(settings, transport, code, way, self.verifier).await
    }
}

impl Page {
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn default_way(&self) -> &Url {
        self.default.url()
    }

    /// The page for another way back.
    pub(super) fn leading_to(&self, redirect_uri: &str) -> Result<Url, ReauthError> {
        let way = RedirectUrl::new(redirect_uri.to_owned())
            .map_err(|error| ReauthError::with_source("the redirect URI cannot be read", error))?;
        let mut url = self.url.clone();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let mut query = url.query_pairs_mut();
        query.clear();
        for (name, value) in &pairs {
            let is_way = name == "redirect_uri";
            query.append_pair(name, if is_way { redirect_uri } else { value });
        }
        drop(query);
        self.ways
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(way);
        Ok(url)
    }

    /// Whether a redirect carries the state of this login, once. It takes the same
    /// time wherever the two differ.
    pub(super) fn is_answered_by(&self, redirect: &Url) -> bool {
        let state = only(redirect, "state").ok().flatten().unwrap_or_default();
        state
            .as_bytes()
            .ct_eq(self.state.secret().as_bytes())
            .into()
    }

    /// The code, and the way that it came.
    pub(super) fn code(
        &self,
        reply: LoginReply,
    ) -> Result<(AuthorizationCode, RedirectUrl), ReauthError> {
        let (code, way) = match reply {
            LoginReply::Code(code) => (code.trim().to_owned(), self.default.clone()),
            LoginReply::Redirect(url) => (self.code_of(&url)?, self.way_of(&url)),
        };
        if code.is_empty() {
            return Err(ReauthError::new("the login gave no authorization code"));
        }
        Ok((AuthorizationCode::new(code), way))
    }

    /// The code of an authorization response (RFC 6749, section 4.1.2).
    fn code_of(&self, url: &Url) -> Result<String, ReauthError> {
        // First of all: what another login, or an attacker, sent here says nothing.
        only(url, "state")?;
        if !self.is_answered_by(url) {
            return Err(ReauthError::new(
                "the redirect does not belong to this login: its state is another",
            ));
        }
        match only(url, "error")?.as_deref() {
            Some("access_denied") => Err(ReauthError::declined()),
            Some(code) => {
                let description = only(url, "error_description")?;
                let refusal = Refusal::new(code, description.as_deref());
                Err(ReauthError::with_source(
                    "Globus Auth ended the login with an error",
                    refusal,
                ))
            }
            None => Ok(only(url, "code")?.unwrap_or_default()),
        }
    }

    /// Which of the ways that were handed out `url` came by.
    fn way_of(&self, url: &Url) -> RedirectUrl {
        let mut bare = url.clone();
        bare.set_query(None);
        bare.set_fragment(None);
        let ways = self.ways.lock().unwrap_or_else(PoisonError::into_inner);
        let way = ways.iter().find(|way| {
            let mut way = way.url().clone();
            way.set_query(None);
            way == bare
        });
        way.unwrap_or(&self.default).clone()
    }
}
/// A parameter that must not come twice (RFC 6749, section 3.1).
fn only(url: &Url, name: &str) -> Result<Option<String>, ReauthError> {
    let mut values = url
        .query_pairs()
        .filter(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned());
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(ReauthError::new(format!(
            "the redirect has more than one {name}"
        ))),
    }
}
