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
    pub(super) fn begin(
        settings: &Settings,
        scopes: &Scopes,
        asked: Option<&AuthorizationParameters>,
    ) -> Self {
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let client = auth_client(settings).set_redirect_uri(settings.redirect_uri.clone());
        let mut request = client
            .authorize_url(CsrfToken::new_random)
            .add_scopes(scopes.iter().map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .add_extra_param(
                "access_type",
                if settings.refresh_tokens {
                    "offline"
                } else {
                    "online"
                },
            );
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
        Self {
            authorize_url,
            state,
            verifier,
        }
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use oauth2::RedirectUrl;

    use super::*;

    fn settings() -> Settings {
        let url = |text: &str| Url::parse(text).expect(text);
        Settings {
            authorize_url: url("https://auth.globus.org/v2/oauth2/authorize"),
            token_url: url("https://auth.globus.org/v2/oauth2/token"),
            client_id: "client".to_owned(),
            redirect_uri: RedirectUrl::new("http://127.0.0.1:1/back".to_owned()).expect("a URL"),
            scopes: Scopes::default(),
            refresh_tokens: false,
        }
    }

    fn begin(asked: Option<&AuthorizationParameters>) -> Attempt {
        Attempt::begin(
            &settings(),
            &Scopes::default().with(["a[b c]", "openid"]),
            asked,
        )
    }

    fn query(attempt: &Attempt) -> HashMap<String, String> {
        let pairs: Vec<_> = attempt.authorize_url.query_pairs().into_owned().collect();
        let count = pairs.len();
        let query: HashMap<_, _> = pairs.into_iter().collect();
        assert_eq!(query.len(), count, "a parameter comes twice");
        query
    }

    /// What the redirect with this query gives: a code, `declined`, or what is wrong.
    fn reply(attempt: &Attempt, query: &str) -> String {
        let query = query.replace("STATE", attempt.state.secret());
        let url = Url::parse(&format!("http://127.0.0.1:1/back?{query}")).expect("a URL");
        match attempt.code(LoginReply::Redirect(url)) {
            Ok(code) => code.into_secret(),
            Err(error) if error.is_declined() => "declined".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_authorize_url_has_all_that_the_flow_needs() {
        let attempt = begin(None);
        let query = query(&attempt);
        assert!(
            attempt
                .authorize_url
                .as_str()
                .starts_with("https://auth.globus.org/v2/oauth2/authorize?")
        );
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", "client"),
            ("redirect_uri", "http://127.0.0.1:1/back"),
            ("scope", "a[b c] openid"),
            ("access_type", "online"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(query.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert_eq!(query["code_challenge"].len(), 43);
        assert!(query["state"].len() >= 22);
        assert!(!query.contains_key("prompt"));
        assert!(
            !attempt
                .authorize_url
                .as_str()
                .contains(attempt.verifier.secret())
        );
    }

    #[test]
    fn each_login_has_a_state_and_a_verifier_of_its_own() {
        let (one, two) = (begin(None), begin(None));
        assert!(one.state != two.state);
        assert_ne!(one.verifier.secret(), two.verifier.secret());
    }

    #[test]
    fn a_session_requirement_asks_for_a_fresh_login_and_a_consent_does_not() {
        let none = AuthorizationParameters::default;
        for (asked, prompt) in [
            (none(), Some("login")),
            (none().with_session_required_policies(["p"]), Some("login")),
            (
                none()
                    .with_session_required_mfa(true)
                    .with_required_scopes(["s"]),
                Some("login"),
            ),
            (none().with_required_scopes(["s"]), None),
            (none().with_prompt("consent"), Some("consent")),
        ] {
            let query = query(&begin(Some(&asked)));
            assert_eq!(query.get("prompt").map(String::as_str), prompt, "{asked:?}");
        }
        let asked = none()
            .with_session_required_policies(["p", "q"])
            .with_session_message("hello & bye");
        let query = query(&begin(Some(&asked)));
        assert_eq!(query["session_required_policies"], "p,q");
        assert_eq!(query["session_message"], "hello & bye");
    }

    #[test]
    fn only_a_redirect_with_this_login_s_state_is_believed() {
        let attempt = begin(None);
        for (query, given) in [
            ("code=abc&state=STATE", "abc"),
            ("code=abc&state=STATEx", "another"),
            ("code=abc&state=", "another"),
            ("code=abc", "another"),
            ("error=access_denied", "another"),
            ("error=access_denied&state=STATE", "declined"),
            ("error=access_denied&code=abc&state=STATE", "declined"),
            ("error=invalid_scope&state=STATE", "with an error"),
            ("code=abc&state=STATE&state=STATE", "more than one state"),
            ("code=abc&code=xyz&state=STATE", "more than one code"),
            ("state=STATE", "no authorization code"),
        ] {
            assert!(
                reply(&attempt, query).contains(given),
                "{query}: {}",
                reply(&attempt, query)
            );
        }
        let pasted = attempt
            .code(LoginReply::Code(" abc\n".to_owned()))
            .expect("a code");
        assert_eq!(pasted.secret(), "abc");
        assert!(attempt.code(LoginReply::Code(" \n".to_owned())).is_err());
    }
}
