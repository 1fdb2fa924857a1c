use oauth2::{CsrfToken, PkceCodeChallenge, PkceCodeVerifier, Scope};

use super::LoginReply;
use super::auth::{auth_client, exchange_code};
use super::authorization::Authorization;
use super::http::Transport;
use super::scope::Scopes;
use super::settings::Settings;
use super::token_response::TokenAnswer;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::ReauthError;

/// One login on its way: what is sent with the browser, and what must come back.
pub(super) struct Attempt {
    page: Authorization,
    verifier: PkceCodeVerifier,
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
        let page = Authorization::new(url, state, settings.redirect_uri.clone());
        Self { page, verifier }
    }

    pub(super) fn page(&self) -> &Authorization {
        &self.page
    }

    /// Takes what came back from the browser, and gets tokens for it.
    pub(super) async fn finish(
        &self,
        settings: &Settings,
        transport: &Transport,
        reply: LoginReply,
    ) -> Result<TokenAnswer, ReauthError> {
        let (code, redirect_uri) = self.page.code(reply)?;
        let verifier = PkceCodeVerifier::new(self.verifier.secret().clone());
        exchange_code(settings, transport, code, redirect_uri, verifier).await
    }
}
