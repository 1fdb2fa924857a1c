//! The person whose token a request came with: nobody else's login may answer for it.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Request};
use serde::Deserialize;
use url::form_urlencoded;

use super::app::Who;
use super::store::digest;
use super::user::AppUser;
use globus_gare::reauth::{Credential, Principal, ReauthError};

const FAILED: &str = "Globus Auth could not be asked whose token the request came with";

/// What Globus Auth tells of a token (RFC 7662), as far as it is read.
#[derive(Deserialize)]
struct Introspection {
    #[serde(default)]
    active: bool,
    #[serde(default)]
    sub: Option<String>,
    /// All identities of the person: a login may be as another of them.
    #[serde(default)]
    identity_set: Option<Vec<String>>,
}

/// Somebody else logged in than the person whose token the request came with.
#[derive(Debug, thiserror::Error)]
#[error(
    "somebody else logged in: {logged_in}, and the request came with a token of another person"
)]
struct NotTheOwner {
    logged_in: String,
}

impl AppUser {
    /// Refuses a login by `logged_in` where the request came with a token that is known to be another's.
    pub(super) async fn refuse_another(&self, logged_in: Option<&str>) -> Result<(), ReauthError> {
        let Principal::Presented(credential) = &self.principal else {
            return Ok(());
        };
        // A client that acts for itself has its id.
        let client =
            matches!(self.shared.who, Who::Client).then_some(&*self.shared.settings.client_id);
        let Some(logged_in) = logged_in.or(client) else {
            return Ok(());
        };
        let owner = self.identities_of(credential).await?;
        if owner.is_empty() || owner.contains(logged_in) {
            return Ok(());
        }
        let logged_in = logged_in.to_owned();
        Err(ReauthError::other(NotTheOwner { logged_in }))
    }

    /// The person's identities, as far as they are known; empty where nothing is.
    async fn identities_of(
        &self,
        credential: &Credential,
    ) -> Result<BTreeSet<String>, ReauthError> {
        let value = credential.header_value().as_bytes();
        let Some(token) = value.strip_prefix(b"Bearer ") else {
            return Ok(BTreeSet::new());
        };
        let logins = &self.shared.logins;
        // What is kept of the program's own user may not have been read yet.
        let own = self.shared.key(&Principal::Session);
        let _ = logins
            .load(&**logins.store(&Principal::Session), &own)
            .await;
        if let Some(sub) = logins.owner_of(&digest(token)) {
            return Ok([sub].into());
        }
        self.introspected(token).await
    }

    /// What Globus Auth tells a client that has a secret.
    async fn introspected(&self, token: &[u8]) -> Result<BTreeSet<String>, ReauthError> {
        let settings = &self.shared.settings;
        let (Some(secret), Ok(token)) = (&settings.client_secret, std::str::from_utf8(token))
        else {
            return Ok(BTreeSet::new());
        };
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token)
            .append_pair("include", "identity_set")
            .finish();
        let basic = STANDARD.encode(format!("{}:{}", settings.client_id, secret.secret()));
        let mut basic = HeaderValue::try_from(format!("Basic {basic}"))
            .map_err(|error| ReauthError::with_source(FAILED, error))?;
        basic.set_sensitive(true);
        let request = Request::post(settings.endpoints.introspect.as_str())
            .header(AUTHORIZATION, basic)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.into_bytes())
            .map_err(|error| ReauthError::with_source(FAILED, error))?;
        let answer = self.shared.transport.send(request).await;
        // Not known now is not the same as not known.
        let answer = answer.map_err(|error| ReauthError::unavailable_because(FAILED, error))?;
        let told: Option<Introspection> = serde_json::from_slice(answer.body()).ok();
        let told = told.filter(|told| told.active && answer.status().is_success());
        let identities = told.map(|told| told.identity_set.into_iter().flatten().chain(told.sub));
        Ok(identities.into_iter().flatten().collect())
    }
}
