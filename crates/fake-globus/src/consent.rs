//! The consents of users to scopes of clients.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::clock::written;
use super::scope::{Scope, resource_server};
use super::stable_id::stable_id;
use super::state::Via;

/// A consent: a node of a tree. The root of the tree is a scope that a client asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Consent {
    id: u64,
    user: Uuid,
    /// The client at the root of the tree.
    root_client: Uuid,
    /// The client that may use the consent: the root client, or the service one level up.
    client: String,
    scope: String,
    /// The ids from the root to this consent.
    path: Vec<u64>,
    atomically_revocable: bool,
    at: SystemTime,
}

/// All consents that were granted and not revoked.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Consents {
    last_id: u64,
    all: Vec<Consent>,
}

impl Consents {
    /// Adds consents of `user` to these scopes for `client`.
    pub(super) fn grant(&mut self, user: Uuid, client: Uuid, scopes: &[Scope], now: SystemTime) {
        self.grant_below(user, client, &client.to_string(), &[], scopes, now);
    }

    fn grant_below(
        &mut self,
        user: Uuid,
        root: Uuid,
        client: &str,
        above: &[u64],
        scopes: &[Scope],
        now: SystemTime,
    ) {
        for scope in scopes {
            let known = self
                .below(user, root, above)
                .find(|consent| consent.scope == scope.name);
            let path = match known {
                Some(consent) => consent.path.clone(),
                None => {
                    self.last_id += 1;
                    let path: Vec<u64> = above.iter().copied().chain([self.last_id]).collect();
                    self.all.push(Consent {
                        id: self.last_id,
                        user,
                        root_client: root,
                        client: client.to_owned(),
                        scope: scope.name.clone(),
                        path: path.clone(),
                        atomically_revocable: scope.atomically_revocable,
                        at: now,
                    });
                    path
                }
            };
            let service = resource_server(&scope.name).unwrap_or(&scope.name);
            self.grant_below(user, root, service, &path, &scope.dependencies, now);
        }
    }

    fn below<'a>(
        &'a self,
        user: Uuid,
        root: Uuid,
        above: &[u64],
    ) -> impl Iterator<Item = &'a Consent> {
        self.all.iter().filter(move |consent| {
            let parents = consent.path.split_last().map(|(_, parents)| parents);
            consent.user == user && consent.root_client == root && parents == Some(above)
        })
    }

    /// Whether `user` consented to a chain of scopes for `client`, from the client's own scope
    /// down.
    pub(super) fn covers(&self, user: Uuid, client: Uuid, chain: &[&str]) -> bool {
        self.path(user, client, chain).is_some()
    }

    /// The ids of the consents to a chain of scopes.
    fn path(&self, user: Uuid, client: Uuid, chain: &[&str]) -> Option<Vec<u64>> {
        let mut path: Vec<u64> = Vec::new();
        for scope in chain {
            let mut below = self.below(user, client, &path);
            let found = below.find(|consent| consent.scope == *scope)?.path.clone();
            drop(below);
            path = found;
        }
        Some(path)
    }

    /// The scopes that `user` consented to below the last scope of `via`.
    pub(super) fn dependencies(&self, user: Uuid, via: &Via) -> Vec<Scope> {
        let chain: Vec<&str> = via.scopes.iter().map(String::as_str).collect();
        let Some(path) = self.path(user, via.client, &chain) else {
            return Vec::new();
        };
        let below = self.below(user, via.client, &path);
        let scopes = below.map(|consent| Scope {
            name: consent.scope.clone(),
            atomically_revocable: consent.atomically_revocable,
            dependencies: Vec::new(),
        });
        scopes.collect()
    }

    /// Removes all consents of `user`.
    pub(super) fn revoke(&mut self, user: Uuid) {
        self.all.retain(|consent| consent.user != user);
    }

    /// The documents of `GET /v2/api/identities/{id}/consents`, for one client or for all.
    pub(super) fn documents(&self, user: Uuid, client: Option<Uuid>) -> Vec<Value> {
        let wanted = |consent: &&Consent| {
            consent.user == user && client.is_none_or(|id| consent.root_client == id)
        };
        self.all
            .iter()
            .filter(wanted)
            .map(Consent::document)
            .collect()
    }
}

impl Consent {
    fn document(&self) -> Value {
        let at = written(self.at);
        json!({
            "id": self.id,
            "client": self.client,
            "scope": stable_id("scope", &self.scope),
            "scope_name": self.scope,
            "effective_identity": self.user,
            "dependency_path": self.path,
            "created": at,
            "updated": at,
            "last_used": at,
            "status": "approved",
            "allows_refresh": true,
            "auto_approved": false,
            "atomically_revocable": self.atomically_revocable,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::parse;

    #[checks::test]
    fn consent_covers_its_dependency_path_only() {
        let (user, client, now) = (Uuid::new_v4(), Uuid::new_v4(), SystemTime::now());
        let mut consents = Consents::default();
        consents.grant(user, client, &parse("a b[c]").expect("scopes"), now);
        assert!(consents.covers(user, client, &["b", "c"]));
        assert!(!consents.covers(user, client, &["a", "c"]));
        assert!(!consents.covers(user, Uuid::new_v4(), &["a"]));
        consents.grant(user, client, &parse("a[c]").expect("scopes"), now);
        assert!(
            consents.covers(user, client, &["a", "c"])
                && consents.covers(user, client, &["b", "c"])
        );
        assert_eq!(consents.documents(user, Some(client)).len(), 4);
        consents.revoke(user);
        assert!(!consents.covers(user, client, &["a"]));
    }
}
