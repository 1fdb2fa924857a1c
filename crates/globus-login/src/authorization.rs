//! The authorize URL of a login, and the redirect that ends it (RFC 6749, section 4.1).

use std::borrow::Cow;

use oauth2::{
    AuthorizationCode, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use serde::Deserialize;
use url::Url;

use super::LoginReply;
use super::app::Shared;
use super::auth::AuthError;
use super::scope::Scopes;
use super::store::Secret;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::ReauthError;

/// A login under way: the authorize URL, and the verifier of its PKCE challenge.
pub(super) struct Attempt {
    page: Authorization,
    verifier: Secret,
}

impl Attempt {
    /// Begins a login for `scopes` and the requirement `asked`.
    pub(super) fn begin(
        shared: &Shared,
        scopes: &Scopes,
        asked: Option<&AuthorizationParameters>,
    ) -> Self {
        let (verifier, state) = (new_verifier(), CsrfToken::new_random());
        Self::with_state(shared, scopes, asked, verifier, state)
    }

    /// As [`begin`](Self::begin), with a given verifier and `state`.
    pub(super) fn with_state(
        shared: &Shared,
        scopes: &Scopes,
        asked: Option<&AuthorizationParameters>,
        verifier: Secret,
        state: CsrfToken,
    ) -> Self {
        let settings = &shared.settings;
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&sent(&verifier));
        let access_type = match settings.refresh_tokens {
            true => "offline",
            false => "online",
        };
        let client = &shared.auth.client;
        let mut request = client
            .authorize_url(|| state)
            .set_redirect_uri(Cow::Borrowed(&settings.redirect_uri))
            .add_scopes(scopes.iter().map(|scope| Scope::new(scope.to_string())))
            .set_pkce_challenge(challenge)
            .add_extra_param("access_type", access_type);
        if let Some(label) = &settings.label {
            request = request.add_extra_param("prefill_named_grant", label);
        }
        if let Some(asked) = asked {
            let pairs = asked.to_query();
            // Without `prompt=login`, Globus Auth accepts the session that the browser still has,
            // and the person does not log in. A consent needs no fresh login.
            if asked.requires_session() && !pairs.iter().any(|(name, _)| *name == "prompt") {
                request = request.add_extra_param("prompt", "login");
            }
            for (name, value) in pairs {
                request = request.add_extra_param(name, value);
            }
        }
        let (url, state) = request.url();
        let page = Authorization {
            url,
            state,
            redirect_uri: settings.redirect_uri.clone(),
        };
        Self { page, verifier }
    }

    pub(super) fn page(&self) -> &Authorization {
        &self.page
    }

    pub(super) fn verifier(&self) -> &Secret {
        &self.verifier
    }
}

/// A random PKCE verifier.
pub(super) fn new_verifier() -> Secret {
    let (_, verifier) = PkceCodeChallenge::new_random_sha256();
    Secret::new(verifier.into_secret())
}

/// Converts a verifier for the token request.
pub(super) fn sent(verifier: &Secret) -> PkceCodeVerifier {
    PkceCodeVerifier::new(verifier.expose().to_owned())
}

/// The authorization request of one login.
#[derive(Clone)]
pub(super) struct Authorization {
    url: Url,
    state: CsrfToken,
    redirect_uri: RedirectUrl,
}

/// The `state` of a redirect. It is compared before the rest of the redirect is read: anybody can
/// write the rest.
#[derive(Deserialize)]
struct State {
    state: Option<CsrfToken>,
}

/// An authorization response (RFC 6749, section 4.1.2). A repeated parameter is an error.
#[derive(Deserialize)]
struct Response {
    code: Option<AuthorizationCode>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Authorization {
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// The redirect URI, byte for byte as configured: Globus Auth compares the bytes.
    pub(super) fn redirect_uri(&self) -> &str {
        self.redirect_uri.as_str()
    }

    /// The authorize URL with another redirect URI.
    pub(super) fn url_for(&self, redirect_uri: &str) -> Result<Url, ReauthError> {
        parsed(redirect_uri.to_owned())?;
        let mut url = self.url.clone();
        let pairs = self.url.query_pairs().map(|(name, value)| match &*name {
            "redirect_uri" => (name, redirect_uri.into()),
            _ => (name, value),
        });
        url.query_pairs_mut().clear().extend_pairs(pairs);
        Ok(url)
    }

    /// Whether a redirect has the `state` of this login, exactly once. The comparison takes
    /// constant time.
    pub(super) fn is_answered_by(&self, redirect: &Url) -> bool {
        let query = redirect.query().unwrap_or_default();
        let sent = serde_urlencoded::from_str(query);
        sent.is_ok_and(|sent: State| sent.state.is_some_and(|state| self.has_state(state)))
    }

    pub(super) fn has_state(&self, state: CsrfToken) -> bool {
        state == self.state
    }

    /// The code of a reply, and the redirect URI that the code was issued for.
    pub(super) fn code(
        &self,
        reply: LoginReply,
    ) -> Result<(AuthorizationCode, RedirectUrl), ReauthError> {
        match reply {
            LoginReply::Code(code) => {
                let code = AuthorizationCode::new(code.trim().to_owned());
                Ok((not_empty(Some(code))?, self.redirect_uri.clone()))
            }
            LoginReply::Redirect { url, redirect_uri } => {
                Ok((self.code_of(&url)?, parsed(redirect_uri)?))
            }
            LoginReply::Stored => Err(ReauthError::new("another program ended the login")),
        }
    }

    fn code_of(&self, redirect: &Url) -> Result<AuthorizationCode, ReauthError> {
        if !self.is_answered_by(redirect) {
            return Err(ReauthError::new(
                "the redirect does not belong to this login: its `state` is a different one",
            ));
        }
        code_in(redirect.query().unwrap_or_default())
    }
}

/// The code in the query of a redirect whose `state` was compared.
pub(super) fn code_in(query: &str) -> Result<AuthorizationCode, ReauthError> {
    let response: Response = serde_urlencoded::from_str(query)
        .map_err(|error| ReauthError::new("the redirect is malformed").with_source(error))?;
    match response.error {
        Some(error) => Err(
            AuthError::new(&error, response.error_description.as_deref())
                .explained("Globus Auth ended the login with an error"),
        ),
        None => not_empty(response.code),
    }
}

fn not_empty(code: Option<AuthorizationCode>) -> Result<AuthorizationCode, ReauthError> {
    let code = code.filter(|code| !code.secret().is_empty());
    code.ok_or_else(|| ReauthError::new("there is no authorization code"))
}

fn parsed(redirect_uri: String) -> Result<RedirectUrl, ReauthError> {
    RedirectUrl::new(redirect_uri)
        .map_err(|error| ReauthError::new("the redirect URI is not a URL").with_source(error))
}
