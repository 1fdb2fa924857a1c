//! [`ComputeEndpoint`], and its documents.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::collection::Policy;
use crate::gare::Gare;
use crate::identity::User;
use crate::service::Caller;
use crate::stable_id::stable_id;

/// A Compute endpoint. Every task that is submitted to it succeeds at once, with an empty result.
///
/// ```
/// use fake_globus::{ComputeEndpoint, Policy};
///
/// let policy = Policy::new("Campus").domain("uchicago.edu");
/// let cluster = ComputeEndpoint::new("cluster").policy(policy);
/// println!("GLOBUS_COMPUTE_ENDPOINT={}", cluster.id());
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "EndpointForm", into = "EndpointForm")]
pub struct ComputeEndpoint {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// A username or an id. Without an owner, every user counts as the owner.
    pub(super) owner: Option<String>,
    pub(crate) policies: Vec<Policy>,
}

impl ComputeEndpoint {
    /// An endpoint that every user owns. Its id is derived from its name.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            id: stable_id("compute endpoint", &name),
            name,
            owner: None,
            policies: Vec::new(),
        }
    }

    /// Sets the id. Default: derived from the name.
    pub fn with_id(mut self, id: Uuid) -> Self {
        self.id = id;
        self
    }

    /// The id of the endpoint in requests.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Sets the owner (a username or an id). For other users, only a list with `role=any` contains
    /// the endpoint. Default: every user owns it.
    pub fn owner(mut self, identity: impl Into<String>) -> Self {
        self.owner = Some(identity.into());
        self
    }

    /// Demands that the session of a caller satisfies `policy`. With several policies, all of them.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    pub(super) fn is_of(&self, user: &User) -> bool {
        let owner = self.owner.as_deref();
        owner.is_none_or(|owner| user.identities().any(|own| own.is_named(owner)))
    }

    /// The requirement for a caller whose session does not satisfy the policies.
    pub(super) fn requirement(&self, caller: &Caller, now: SystemTime) -> Option<Gare> {
        let mut policies = self.policies.iter();
        let is_met = |policy: &Policy| policy.demand.is_met(&caller.session, &caller.user, now);
        if policies.all(is_met) {
            return None;
        }
        let message = "The endpoint requires authentication that satisfies its policy";
        let ids = self.policies.iter().map(|policy| policy.id.to_string());
        Some(Gare::policies(message, ids))
    }

    /// The endpoint in a list for `user`.
    pub(super) fn listed(&self, user: &User) -> Value {
        let owner = match &self.owner {
            Some(owner) if !self.is_of(user) => stable_id("identity", owner),
            _ => user.id(),
        };
        json!({
            "uuid": self.id,
            "name": self.name,
            "display_name": self.name,
            "owner": owner,
        })
    }

    pub(super) fn document(&self) -> Value {
        let name = &self.name;
        json!({
            "uuid": self.id,
            "name": name,
            "display_name": name,
            "multi_user": false,
            "public": self.owner.is_none(),
            "endpoint_config": format!("display_name: {name}\nengine:\n  type: GlobusComputeEngine"),
            "user_config_template": "",
            "user_config_schema": {},
            "description": "",
            "hostname": "localhost",
            "local_user": "fake-globus",
            "ip_address": "127.0.0.1",
            "endpoint_version": "2.31.0",
            "sdk_version": "2.31.0",
            "subscription_uuid": null,
            "authentication_policy": self.policies.first().map(|policy| policy.id),
        })
    }
}

/// The format of an endpoint in a configuration and in a dump.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointForm {
    name: String,
    #[serde(default)]
    id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    policies: Vec<Policy>,
}

impl From<EndpointForm> for ComputeEndpoint {
    fn from(form: EndpointForm) -> Self {
        let endpoint = Self::new(form.name);
        Self {
            id: form.id.unwrap_or(endpoint.id),
            owner: form.owner,
            policies: form.policies,
            ..endpoint
        }
    }
}

impl From<ComputeEndpoint> for EndpointForm {
    fn from(endpoint: ComputeEndpoint) -> Self {
        Self {
            name: endpoint.name,
            id: Some(endpoint.id),
            owner: endpoint.owner,
            policies: endpoint.policies,
        }
    }
}
