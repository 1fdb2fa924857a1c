//! What can be listed, and what it demands of a session.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use uuid::Uuid;

use super::form;
use super::session::{Demand, never_met};
use super::stable_id::stable_id;

/// A collection over a real directory, with the policies that guard it. Without any, a valid token suffices.
///
/// Nothing outside the directory can be reached: neither `..` nor a symbolic link leads out of it.
///
/// ```
/// use fake_globus::Collection;
///
/// let restricted = Collection::new("Restricted", "/srv/data").domain("uchicago.edu").session_minutes(30).high_assurance();
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
    /// A collection over the directory `root`, which must exist when the server starts. Its id is made of its name.
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

    /// Sets the id, which is made of the name otherwise.
    pub fn with_id(mut self, id: Uuid) -> Self {
        self.id = id;
        self
    }

    /// The id that requests name it by.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Demands that the person logged in within the last `minutes`. Measured on the server's movable clock.
    pub fn session_minutes(mut self, minutes: u64) -> Self {
        self.demand.max_age = Some(Demand::minutes(minutes));
        self
    }

    /// Demands an identity of `domain` in the session. Given more than once, any of the domains will do.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.demand.domains.push(domain.into());
        self
    }

    /// Demands this identity (a username or an id) in the session. Given more than once, all of them are.
    pub fn required_identity(mut self, identity: impl Into<String>) -> Self {
        self.demand.identities.push(identity.into());
        self
    }

    /// Demands multi-factor authentication.
    pub fn mfa(mut self) -> Self {
        self.demand.mfa = true;
        self
    }

    /// Demands that the session satisfies `policy`. Given more than once, all of them.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// Calls itself a high-assurance collection. Such a collection has no `data_access` scope: with
    /// [`data_access`](Self::data_access) the server does not start.
    pub fn high_assurance(mut self) -> Self {
        self.high_assurance = true;
        self
    }

    /// Demands the user's consent that the program may access data here (the `data_access` scope).
    pub fn data_access(mut self) -> Self {
        self.data_access = true;
        self
    }

    /// Sets where the errors carry what is asked for. Default: [`ErrorShape::RootAndEmbedded`].
    pub fn errors(mut self, shape: ErrorShape) -> Self {
        self.errors = shape;
        self
    }

    /// What is wrong with the settings, if anything.
    pub(super) fn contradiction(&self) -> Option<String> {
        let name = &self.name;
        let demands = self.policies.iter().map(|policy| &policy.demand);
        if self.high_assurance && self.data_access {
            return Some(format!(
                "the collection \"{name}\" has high assurance, and so no data_access scope"
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

/// An authentication policy that a collection refers to by id.
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
    /// None for a policy that a collection was set up with.
    pub(super) project: Option<Uuid>,
}

impl Policy {
    /// A policy that any login satisfies, until something is demanded. Its id is made of its name.
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

    /// Sets the id, which is made of the name otherwise.
    pub fn with_id(mut self, id: Uuid) -> Self {
        self.id = id;
        self
    }

    /// The id that `session_required_policies` names it by.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Demands an identity of `domain`. Given more than once, any of the domains will do.
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

/// Where a session error of Transfer carries what it asks for.
///
/// The GridFTP reply in `message` is there in each of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorShape {
    /// In the GridFTP reply (`result#1.1.0`), and repeated at the root of the document, as Transfer does today.
    #[default]
    RootAndEmbedded,
    /// Only in the GridFTP reply (`result#1.1.0`): the official Python SDK finds nothing in it.
    Embedded,
    /// At the root. The reply comes from an older server (`result#1.0.0`) that names only the allowed domains.
    RootAndDetail,
    /// Only as the allowed domains in an older server's reply (`result#1.0.0`). Such a reply cannot ask for identities
    /// or a second factor: then it is a `result#1.1.0`.
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
