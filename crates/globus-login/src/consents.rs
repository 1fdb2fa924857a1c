//! A person's consents, from Globus Auth's Consents API. Tokens do not name the dependencies of
//! their scopes, and a login by another program leaves no record of them.

use serde::Deserialize;

use super::app::Who;
use super::auth;
use super::scope::{Scope, Scopes};
use super::store::Login;
use super::user::AppUser;
use globus_gare::reauth::ReauthError;

/// The consents of a person: the members that are used.
#[derive(Debug, Deserialize)]
pub(super) struct Consents {
    #[serde(default)]
    consents: Vec<Consent>,
}

#[derive(Debug, Deserialize)]
struct Consent {
    scope_name: String,
    /// The ids of the consents from the program's own scope to this one.
    #[serde(default)]
    dependency_path: Vec<u64>,
    /// The client: the program, or the service one level up.
    #[serde(default)]
    client: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

impl Consents {
    /// Whether the person consented to all of `scopes` for `client`, with their dependencies.
    fn cover(&self, client: &str, scopes: &Scopes) -> bool {
        scopes.iter().all(|scope| self.has(client, &[], scope))
    }

    fn has(&self, client: &str, above: &[u64], scope: &Scope) -> bool {
        let mut consents = self.consents.iter();
        consents.any(|consent| {
            let Some((_, parents)) = consent.dependency_path.split_last() else {
                return false;
            };
            let is_of = |of: &String| of.eq_ignore_ascii_case(client);
            let is_ours = !above.is_empty() || consent.client.as_ref().is_none_or(is_of);
            let is_given = consent.status.as_deref().is_none_or(|it| it == "approved");
            is_ours
                && is_given
                && parents == above
                && consent.scope_name == scope.name()
                && scope
                    .dependencies()
                    .iter()
                    .all(|scope| self.has(client, &consent.dependency_path, scope))
        })
    }
}

impl AppUser {
    /// Adds the consents to the program's scopes that another program's login has brought.
    pub(super) async fn with_consents(&self, login: Login) -> Login {
        let is_person = matches!(self.shared.who, Who::Person(_));
        if !is_person || !self.has_granted(&login, true) || self.is_complete(&login, true) {
            return login;
        }
        let scopes = self.dependent_scopes();
        // If Globus Auth does not answer, a login asks the person.
        match self.has_consented(&login, &scopes).await {
            Ok(Some(true)) => self.note_consents(login, &scopes).await,
            _ => login,
        }
    }

    /// Whether the person consented to `scopes`, with their dependencies. `None` if that is not
    /// known.
    pub(super) async fn has_consented(
        &self,
        login: &Login,
        scopes: &Scopes,
    ) -> Result<Option<bool>, ReauthError> {
        let record = login.record.as_ref();
        if record.is_some_and(|record| record.covers(scopes)) {
            return Ok(Some(true));
        }
        let of_token = || login.tokens.values().find_map(|token| token.identity_id());
        let person = record.and_then(|record| record.sub()).or_else(of_token);
        let credential = self.usable_credential(auth::SERVER).await?;
        let (Some(person), Some(credential)) = (person, credential) else {
            return Ok(None);
        };
        let auth = &self.shared.auth;
        let consents = auth.consents(person, &credential).await?;
        Ok(consents.map(|consents| consents.cover(auth.client_id(), scopes)))
    }

    /// Records consents that Globus Auth has reported.
    pub(super) async fn note_consents(&self, mut login: Login, scopes: &Scopes) -> Login {
        let change = |login: &mut Login| login.consented(scopes);
        match self.update(change).await {
            Ok(((), login)) => login,
            Err(_) => {
                login.consented(scopes);
                login
            }
        }
    }

    /// The program's scopes that have dependencies.
    fn dependent_scopes(&self) -> Scopes {
        let scopes = self.shared.settings.scopes.iter();
        let dependent = scopes.filter(|scope| !scope.dependencies().is_empty());
        let dependent: Vec<Scopes> = dependent.map(|scope| scope.clone().into()).collect();
        Scopes::united(&dependent).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn consent_counts_below_the_scope_that_it_was_given_to() {
        let consents = r#"{"consents": [
            {"scope_name": "a", "client": "ours", "dependency_path": [1], "status": "approved"},
            {"scope_name": "b", "client": "OURS", "dependency_path": [2]},
            {"scope_name": "c", "client": "service", "dependency_path": [2, 3]},
            {"scope_name": "d", "client": "service", "dependency_path": [2, 3, 4]},
            {"scope_name": "e", "client": "another", "dependency_path": [5]},
            {"scope_name": "f", "client": "ours", "dependency_path": [6], "status": "withdrawn"},
            {"scope_name": "g"}
        ]}"#;
        let consents: Consents = serde_json::from_str(consents).expect("consents");
        let covers = |scopes: &str| consents.cover("ours", &scopes.parse().expect("scopes"));
        for given in ["", "a", "a b", "b[c]", "b[*c]", "a b[c[d]]"] {
            assert!(covers(given), "{given}");
        }
        for missing in [
            "c", "a[c]", "b[d]", "a b[c e]", "e", "f", "g", "d", "unknown",
        ] {
            assert!(!covers(missing), "{missing}");
        }
    }
}
