//! Multi-factor requirements, which Globus Auth handles only if they name an identity.

use super::auth;
use super::session::Session;
use super::store::Login;
use super::user::AppUser;
use globus_gare::gare::AuthorizationParameters;

impl AppUser {
    /// The requirement in the form for Globus Auth: adds the identity in session to a requirement
    /// of multi-factor authentication alone. If no identity is known, the requirement stays as it
    /// is.
    pub(super) async fn completed(
        &self,
        required: Option<&AuthorizationParameters>,
        held: &Login,
    ) -> Option<AuthorizationParameters> {
        let required = required?.clone();
        let names_somebody = !required.session_required_identities.is_empty()
            || !required.session_required_single_domain.is_empty();
        if !required.session_required_mfa || names_somebody {
            return Some(required);
        }
        Some(match self.identity_in_session(held).await {
            Some(identity) => required.with_session_required_identities([identity]),
            None => required,
        })
    }

    /// The identity that authenticated last, by introspection; otherwise that of the tokens.
    async fn identity_in_session(&self, held: &Login) -> Option<String> {
        let token = held.tokens.get(auth::SERVER);
        let told = match token {
            Some(token) => self.shared.auth.session(token.access()).await,
            None => Ok(Session::Unknown),
        };
        if let Ok(Session::Known(authentications)) = told {
            let last = authentications.iter().max_by_key(|(_, it)| it.auth_time);
            if let Some((identity, _)) = last {
                return Some(identity.clone());
            }
        }
        let record = held.record.as_ref();
        let of_token = || held.tokens.values().find_map(|token| token.identity_id());
        let identity = record.and_then(|record| record.sub()).or_else(of_token);
        identity.map(str::to_owned)
    }
}
