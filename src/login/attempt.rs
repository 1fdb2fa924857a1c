use oauth2::{AuthorizationCode, CsrfToken, PkceCodeChallenge, PkceCodeVerifier, Scope};
use url::Url;

use super::LoginReply;
use super::app::Settings;
use super::exchange::{Refusal, TokenAnswer, auth_client, exchange_code};
use super::scopes::Scopes;
use super::transport::Transport;
use crate::gare::AuthorizationParameters;
use crate::reauth::ReauthError;

/// One login on its way: what was sent with the browser, and what must come back.
pub(super) struct Attempt {
    authorize_url: Url,
    state: CsrfToken,
    verifier: PkceCodeVerifier,
}

impl Attempt {
    /// Begins a login for `scopes` that satisfies `asked`.
    pub(super) fn begin(settings: &Settings, scopes: &Scopes, asked: Option<&AuthorizationParameters>) -> Self {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = auth_client(settings).set_redirect_uri(settings.redirect_uri.clone());
        let mut request = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(scopes.iter().map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .add_extra_param("access_type", if settings.refresh_tokens { "offline" } else { "online" });
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
        let (authorize_url, state) = request.url();
        Self { authorize_url, state, verifier }
    }

    pub(super) fn authorize_url(&self) -> &Url {
        &self.authorize_url
    }

    /// Takes what came back from the browser, and gets tokens for it.
    pub(super) async fn finish(
        self,
        settings: &Settings,
        transport: &Transport,
        reply: LoginReply,
    ) -> Result<TokenAnswer, ReauthError> {
        let code = self.code(reply)?;
        exchange_code(settings, transport, code, self.verifier).await
    }

    fn code(&self, reply: LoginReply) -> Result<AuthorizationCode, ReauthError> {
        let code = match reply {
            LoginReply::Code(code) => code.trim().to_owned(),
            LoginReply::Redirect(url) => self.code_of(&url)?,
        };
        if code.is_empty() {
            return Err(ReauthError::new("the login gave no authorization code"));
        }
        Ok(AuthorizationCode::new(code))
    }

    /// The code of an authorization response (RFC 6749, section 4.1.2).
    fn code_of(&self, url: &Url) -> Result<String, ReauthError> {
        // First of all: what another login, or an attacker, sent here says nothing.
        // The comparison takes the same time wherever the two differ.
        let state = only(url, "state")?.map(CsrfToken::new);
        if state.as_ref() != Some(&self.state) {
            return Err(ReauthError::new("the redirect does not belong to this login: its state is another"));
        }
        match only(url, "error")?.as_deref() {
            Some("access_denied") => Err(ReauthError::declined()),
            Some(code) => {
                let description = only(url, "error_description")?;
                let refusal = Refusal::new(code, description.as_deref());
                Err(ReauthError::with_source("Globus Auth ended the login with an error", refusal))
            }
            None => Ok(only(url, "code")?.unwrap_or_default()),
        }
    }
}

/// A parameter that must not come twice (RFC 6749, section 3.1).
fn only(url: &Url, name: &str) -> Result<Option<String>, ReauthError> {
    let mut values = url.query_pairs().filter(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(ReauthError::new(format!("the redirect has more than one {name}"))),
    }
}
