//! The default scope of a service, for a program that names none of the service's scopes.

use super::scope::Scopes;

/// The default scopes of the official SDK's clients, by resource server.
const SCOPES: [(&str, &str); 6] = [
    (
        "transfer.api.globus.org",
        "urn:globus:auth:scope:transfer.api.globus.org:all",
    ),
    (
        "groups.api.globus.org",
        "urn:globus:auth:scope:groups.api.globus.org:view_my_groups_and_memberships",
    ),
    (
        "search.api.globus.org",
        "urn:globus:auth:scope:search.api.globus.org:search",
    ),
    (
        "flows.globus.org",
        "https://auth.globus.org/scopes/eec9b274-0c81-4334-bdc2-54e90e689b9a/all",
    ),
    (
        "524230d7-ea86-4a52-8312-86065a9e0417",
        "https://auth.globus.org/scopes/524230d7-ea86-4a52-8312-86065a9e0417/timer",
    ),
    (
        "funcx_service",
        "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all",
    ),
];

/// The default scope of a Globus service.
pub(super) fn default_scope(server: &str) -> Option<Scopes> {
    let (_, scope) = SCOPES.iter().find(|(name, _)| *name == server)?;
    scope.parse().ok()
}
