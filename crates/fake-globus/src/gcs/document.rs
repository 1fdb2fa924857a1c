//! The documents of the GCS Manager API.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::collection::Collection;
use crate::identity::User;
use crate::stable_id::stable_id;
use crate::world::Shared;

use super::ENDPOINT;

/// The id of the POSIX connector.
const POSIX: &str = "145812c8-decc-41f1-83cf-bb2a85a2a70b";

/// The authentication timeout of a collection without a maximal session age, in minutes: 11 days.
const TIMEOUT: u64 = 15_840;

const NAME: &str = "localhost";

pub(super) fn info() -> [Value; 2] {
    [
        json!({
            "DATA_TYPE": "info#1.0.0",
            "api_version": "1.29.0",
            "client_id": ENDPOINT,
            "domain_name": NAME,
            "endpoint_id": ENDPOINT,
            "manager_version": "5.4.80",
        }),
        json!({
            "DATA_TYPE": "connector#1.1.0",
            "display_name": "POSIX",
            "id": POSIX,
            "is_baa": false,
            "is_ha": true,
        }),
    ]
}

pub(super) fn endpoint(url: &str) -> Value {
    json!({
        "DATA_TYPE": "endpoint#1.2.0",
        "allow_udt": false,
        "contact_email": "owner@globusid.org",
        "display_name": "Fake endpoint",
        "gcs_manager_url": format!("{url}api/"),
        "gridftp_control_channel_port": 443,
        "id": ENDPOINT,
        "network_use": "normal",
        "organization": "Fake Globus",
        "public": true,
        "subscription_id": null,
    })
}

/// The id of the storage gateway of a collection. Each collection has its own gateway.
pub(super) fn gateway_id(collection: &Collection) -> Uuid {
    stable_id("storage gateway", &collection.id.to_string())
}

pub(super) fn credential_id(collection: &Collection, user: &User) -> Uuid {
    let of = format!("{}:{}", collection.id, user.id());
    stable_id("user credential", &of)
}

pub(super) fn collection(world: &Shared, collection: &Collection) -> Value {
    let timeout = collection.demand.max_minutes().unwrap_or(TIMEOUT);
    json!({
        "DATA_TYPE": "collection#1.0.0",
        "id": collection.id,
        "display_name": collection.name,
        "collection_type": "mapped",
        "collection_base_path": "/",
        "connector_id": POSIX,
        "identity_id": stable_id("identity", "owner@globusid.org"),
        "storage_gateway_id": gateway_id(collection),
        "public": true,
        "high_assurance": collection.high_assurance,
        "require_high_assurance": collection.high_assurance,
        "authentication_assurance_timeout": timeout,
        "authentication_timeout_mins": timeout,
        "require_mfa": collection.demand.mfa,
        "enable_https": true,
        "https_url": world.https.url(world, collection.id).ok(),
    })
}

pub(super) fn gateway(collection: &Collection) -> Value {
    let timeout = collection.demand.max_minutes().unwrap_or(TIMEOUT);
    json!({
        "DATA_TYPE": "storage_gateway#1.0.0",
        "id": gateway_id(collection),
        "display_name": format!("Gateway of {}", collection.name),
        "connector_id": POSIX,
        "high_assurance": collection.high_assurance,
        "require_high_assurance": collection.high_assurance,
        "require_mfa": collection.demand.mfa,
        "authentication_assurance_timeout": timeout,
        "authentication_timeout_mins": timeout,
        "allowed_domains": collection.demand.domains,
        "mapping": "username_without_domain",
        "restrict_paths": {"DATA_TYPE": "path_restrictions#1.0.0", "read": ["/"]},
        "policies": {
            "DATA_TYPE": "posix_storage_gateway#1.0.0",
            "groups_allow": [],
            "groups_deny": [],
        },
        "users_allow": [],
        "users_deny": [],
    })
}

pub(super) fn credential(collection: &Collection, user: &User) -> Value {
    let username = user.primary.username();
    let local = username
        .split_once('@')
        .map_or(&*username, |(name, _)| name);
    json!({
        "DATA_TYPE": "user_credential#1.0.0",
        "id": credential_id(collection, user),
        "display_name": "posix_credential",
        "connector_id": POSIX,
        "identity_id": user.id(),
        "storage_gateway_id": gateway_id(collection),
        "username": local,
        "invalid": false,
        "provisioned": false,
        "policies": {"DATA_TYPE": "posix_user_credential_policies#1.0.0"},
    })
}
