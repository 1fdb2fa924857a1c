//! The state of Auth besides logins, tokens and consents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::collection::Policy;

use super::clients::Details;
use super::projects::Project;
use super::scopes::Registered;

/// Projects, with their policies, clients and scopes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AuthState {
    pub(super) projects: Vec<Project>,
    /// The policies that belong to projects.
    pub(crate) policies: Vec<Policy>,
    /// Details of clients, by client id.
    pub(super) clients: BTreeMap<Uuid, Details>,
    pub(super) scopes: Vec<Registered>,
}

impl AuthState {
    /// The secrets of a client besides its first one.
    pub(super) fn secrets(&self, client: Uuid) -> Vec<String> {
        let details = self.clients.get(&client);
        let credentials = details.iter().flat_map(|details| &details.credentials);
        credentials
            .map(|credential| credential.secret.clone())
            .collect()
    }
}
