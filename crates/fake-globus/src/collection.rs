//! Collections and authentication policies, with the demands that a session must satisfy.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::form;
use super::session::{Demand, never_met};
use super::stable_id::stable_id;

/// A collection over a real directory. Until a demand is added, a valid token suffices.
///
/// Requests cannot leave the directory, neither by `..` nor through a symbolic link.
///
/// ```
/// use fake_globus::Collection;
///
/// let restricted = Collection::new("Restricted", "/srv/data")
///     .domain("uchicago.edu")
///     .session_minutes(30)
///     .high_assurance();
/// println!("globus ls {}", restricted.id());
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "form::CollectionForm", into = "form::CollectionForm")]
pub struct Collection {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) root: PathBuf,
    pub(super) demand: Demand,
    pub(super) policies: Vec<Policy>,
    pub(super) data_access: bool,
    pub(super) high_assurance: bool,
    pub(super) errors: ErrorShape,
}

impl Collection {
    /// A collection over the directory `root`, which must exist when the server starts. Its id is
    /// derived from its name.
    pub fn new(name: impl Into<String>, root: impl Into<PathBuf>) -> Self {
        let name = name.into();
        Self {
            id: stable_id("collection", &name),
            name,
            root: root.into(),
            demand: Demand::default(),
            policies: Vec::new(),
            data_access: false,
            high_assurance: false,
            errors: ErrorShape::default(),
        }
    }

    /// Sets the id. Default: derived from the name.
    pub fn with_id(mut self, id: Uuid) -> Self {
        self.id = id;
        self
    }

    /// The id of the collection in requests.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Demands a login within the last `minutes` on the server's [`Clock`](crate::Clock).
    pub fn session_minutes(mut self, minutes: u64) -> Self {
        self.demand.max_age = Some(Demand::minutes(minutes));
        self
    }

    /// Demands an identity of `domain` in the session. With several domains, one of them is enough.
    /// With a [`required_identity`](Self::required_identity) the server does not start, because a
    /// login cannot require both.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.demand.domains.push(domain.into());
        self
    }

    /// Demands this identity (a username or an id) in the session. With several identities, all of
    /// them.
    pub fn required_identity(mut self, identity: impl Into<String>) -> Self {
        self.demand.identities.push(identity.into());
        self
    }

    /// Demands multi-factor authentication.
    pub fn mfa(mut self) -> Self {
        self.demand.mfa = true;
        self
    }

    /// Demands that the session satisfies `policy`. With several policies, all of them.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// Marks the collection as a high-assurance collection in its documents. Such a collection has
    /// no `data_access` scope: with [`data_access`](Self::data_access) the server does not start.
    pub fn high_assurance(mut self) -> Self {
        self.high_assurance = true;
        self
    }

    /// Demands the user's consent to the collection's `data_access` scope. Default: no consent is
    /// needed. (A real mapped collection demands one.)
    pub fn data_access(mut self) -> Self {
        self.data_access = true;
        self
    }

    /// Sets where a challenge has its requirement. Default: [`ErrorShape::RootAndEmbedded`].
    pub fn errors(mut self, shape: ErrorShape) -> Self {
        self.errors = shape;
        self
    }

    /// The error in the settings, if there is one.
    pub(super) fn contradiction(&self) -> Option<String> {
        let name = &self.name;
        let demands = self.policies.iter().map(|policy| &policy.demand);
        if self.high_assurance && self.data_access {
            return Some(format!(
                "the collection \"{name}\" has high assurance, and so no data_access scope"
            ));
        }
        if !self.demand.domains.is_empty() && !self.demand.identities.is_empty() {
            return Some(format!(
                "the collection \"{name}\" can demand either domains or identities"
            ));
        }
        demands
            .chain([&self.demand])
            .any(Demand::is_never_met)
            .then(|| never_met(&format!("collection \"{name}\"")))
    }

    pub(super) fn data_access_scope(&self) -> String {
        format!("https://auth.globus.org/scopes/{}/data_access", self.id)
    }
}

/// An authentication policy. A challenge refers to it by its id.
///
/// ```
/// use fake_globus::Policy;
///
/// let policy = Policy::new("Campus, with a second factor").domain("uchicago.edu").mfa();
/// println!("session_required_policies={}", policy.id());
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "form::PolicyForm", into = "form::PolicyForm")]
pub struct Policy {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) demand: Demand,
    pub(super) high_assurance: bool,
    /// `None` for a policy from the server's settings.
    pub(super) project: Option<Uuid>,
}

impl Policy {
    /// A policy without demands, which any login satisfies. Its id is derived from its name.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            id: stable_id("policy", &name),
            name,
            description: String::new(),
            demand: Demand::default(),
            high_assurance: false,
            project: None,
        }
    }

    /// Sets the id. Default: derived from the name.
    pub fn with_id(mut self, id: Uuid) -> Self {
        self.id = id;
        self
    }

    /// The id of the policy, as in `session_required_policies`.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Demands an identity of `domain`. With several domains, one of them is enough.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.demand.domains.push(domain.into());
        self
    }

    /// Demands a login within the last `minutes`.
    pub fn session_minutes(mut self, minutes: u64) -> Self {
        self.demand.max_age = Some(Demand::minutes(minutes));
        self
    }

    /// Demands multi-factor authentication.
    pub fn mfa(mut self) -> Self {
        self.demand.mfa = true;
        self
    }
}

/// Where a challenge of Transfer for a session has its requirement.
///
/// In every shape, `message` contains the GridFTP reply of the collection's server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorShape {
    /// In the GridFTP reply (`result#1.1.0`), and again at the root of the document. Transfer does
    /// this today.
    #[default]
    RootAndEmbedded,
    /// Only in the GridFTP reply (`result#1.1.0`), where the official Python SDK does not find it.
    Embedded,
    /// At the root of the document. The GridFTP reply is that of an older server (`result#1.0.0`),
    /// which names only the allowed domains.
    RootAndDetail,
    /// Only in the GridFTP reply of an older server (`result#1.0.0`), which names only the allowed
    /// domains. A requirement of identities or a second factor is sent as `result#1.1.0` instead.
    Detail,
}

impl ErrorShape {
    pub(super) fn speaks_at_root(self) -> bool {
        matches!(self, Self::RootAndEmbedded | Self::RootAndDetail)
    }

    pub(super) fn is_older_server(self) -> bool {
        matches!(self, Self::RootAndDetail | Self::Detail)
    }
}
