//! The state of a running server. It can be dumped and loaded.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::auth::{self, authorize::LoginRequest};
use super::collection::{Collection, Policy};
use super::compute::ComputeState;
use super::consent::Consents;
use super::fault::Fault;
use super::flows::FlowsState;
use super::groups::Group;
use super::https::BackEnds;
use super::identity::User;
use super::limit::Limit;
use super::person::Person;
use super::scope::Scope;
use super::session::{Authentication, Session};
use super::timers::timer::Timer;
use super::transfer::task::Task;
use super::transfer::{self, directory::Directory};

/// A collection with its open directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Collection", try_from = "Collection")]
pub(super) struct Served {
    pub(super) collection: Collection,
    pub(super) directory: Directory,
}

impl Served {
    pub(super) fn open(collection: Collection) -> io::Result<Self> {
        let directory = Directory::open(&collection.root)?;
        Ok(Self {
            collection,
            directory,
        })
    }
}

impl From<Served> for Collection {
    fn from(served: Served) -> Self {
        served.collection
    }
}

impl TryFrom<Collection> for Served {
    type Error = io::Error;

    fn try_from(collection: Collection) -> io::Result<Self> {
        Self::open(collection)
    }
}

/// The state of a running server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) collections: Vec<Arc<Served>>,
    pub(super) person: Person,
    pub(super) users: Vec<User>,
    pub(super) clients: HashMap<Uuid, Client>,
    /// The first native client.
    pub(super) native: Option<Uuid>,
    /// The identities that are logged in in the browser, which all logins share.
    pub(super) browser: BTreeMap<Uuid, Authentication>,
    /// Login pages without an answer yet.
    pub(super) tickets: HashMap<String, Ticket>,
    pub(super) codes: HashMap<String, Code>,
    pub(super) tokens: HashMap<String, Token>,
    pub(super) consents: Consents,
    pub(super) faults: VecDeque<Fault>,
    pub(super) limits: Vec<Limit>,
    pub(super) back_ends: BackEnds,
    /// Whether Auth ignores a required second factor without identities or a domain.
    pub(super) ignores_lone_mfa: bool,
    /// The last tasks of Transfer, in the order of their submission.
    pub(super) tasks: VecDeque<Task>,
    #[serde(default)]
    pub(super) auth: auth::AuthState,
    #[serde(default)]
    pub(super) transfer: transfer::TransferState,
    pub(super) flows: FlowsState,
    pub(super) timers: Vec<Timer>,
    pub(super) groups: Vec<Group>,
    pub(super) compute: ComputeState,
    /// When expired codes and tokens are removed again.
    #[serde(skip)]
    pub(super) next_sweep: Option<SystemTime>,
}

/// How long an expired token or code is remembered, so that it can be distinguished from one that
/// was never issued.
const REMEMBERED: Duration = Duration::from_secs(2 * 24 * 60 * 60);

/// How often expired codes and tokens are removed.
const SWEEP: Duration = Duration::from_secs(60);

impl State {
    /// Removes codes and tokens that expired long ago. A server may run for a long time.
    pub(super) fn forget_ended(&mut self, now: SystemTime) {
        if self.next_sweep.is_some_and(|next| now < next) {
            return;
        }
        self.next_sweep = Some(now + SWEEP);
        let recent = |end: SystemTime| {
            let forgotten = end.checked_add(REMEMBERED);
            forgotten.is_none_or(|forgotten| now < forgotten)
        };
        self.codes.retain(|_, code| recent(code.expires));
        self.tokens
            .retain(|_, token| token.expires.is_none_or(recent));
    }

    pub(super) fn collection(&self, id: Uuid) -> Option<&Arc<Served>> {
        let mut collections = self.collections.iter();
        collections.find(|served| served.collection.id == id)
    }

    /// The collection with this id, mutably.
    pub(super) fn collection_mut(&mut self, id: Uuid) -> Option<&mut Collection> {
        let mut collections = self.collections.iter_mut();
        let served = collections.find(|served| served.collection.id == id)?;
        Some(&mut Arc::make_mut(served).collection)
    }

    /// All policies: of collections, flows, Compute endpoints and projects.
    pub(super) fn policies(&self) -> impl Iterator<Item = &Policy> {
        let collections = self.collections.iter();
        let policies = collections.flat_map(|served| &served.collection.policies);
        let policies = policies.chain(self.flows.policies());
        let policies = policies.chain(self.compute.policies());
        policies.chain(&self.auth.policies)
    }

    pub(super) fn policy(&self, id: Uuid) -> Option<&Policy> {
        self.policies().find(|policy| policy.id == id)
    }

    /// Replaces every copy of the policy that has the id of `changed`.
    pub(super) fn change_policy(&mut self, changed: &Policy) {
        let is_it = |policy: &&mut Policy| policy.id == changed.id;
        for served in &mut self.collections {
            let mut policies = served.collection.policies.iter();
            if policies.any(|policy| policy.id == changed.id) {
                let policies = Arc::make_mut(served).collection.policies.iter_mut();
                policies
                    .filter(is_it)
                    .for_each(|policy| policy.clone_from(changed));
            }
        }
        let others = self.flows.policies_mut();
        let others = others.chain(self.compute.policies_mut());
        let others = others.chain(&mut self.auth.policies);
        others
            .filter(is_it)
            .for_each(|policy| policy.clone_from(changed));
    }

    pub(super) fn user(&self, id: Uuid) -> Option<&User> {
        self.users.iter().find(|user| user.id() == id)
    }

    pub(super) fn user_of_identity(&self, identity: Uuid) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.identity(identity).is_some())
    }
}

/// An OAuth client.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Client {
    pub(super) id: Uuid,
    pub(super) name: String,
    /// The secret of a confidential client. A native client has none and must use PKCE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) secret: Option<String>,
    /// The registered redirect URIs, besides loopback and the page that shows the code.
    #[serde(default)]
    pub(super) redirect_uris: Vec<String>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the secret.
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A login page without an answer yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Ticket {
    pub(super) request: LoginRequest,
    pub(super) expires: SystemTime,
}

/// An authorization code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Code {
    pub(super) grant: Grant,
    pub(super) redirect_uri: String,
    pub(super) challenge: Option<String>,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) expires: SystemTime,
    pub(super) used: bool,
}

/// The grant behind a code or token: by a user, or by a client for itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Grant {
    /// Identifies the tokens of one code, which are revoked if the code is used again.
    pub(super) id: Uuid,
    pub(super) client: Uuid,
    pub(super) user: Uuid,
    pub(super) session: Arc<Session>,
    pub(super) scopes: Vec<Scope>,
    pub(super) offline: bool,
    /// For a service that acts on behalf of the client that called it: the consents for this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) via: Option<Via>,
}

/// The client that got the consents to a service's scopes, and the chain of scopes above, from the
/// client's own scope down.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Via {
    pub(super) client: Uuid,
    pub(super) scopes: Vec<String>,
}

/// An access or refresh token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) grant: Grant,
    pub(super) resource_server: String,
    pub(super) scopes: Vec<String>,
    pub(super) is_refresh: bool,
    pub(super) issued: SystemTime,
    /// `None` for a refresh token that was not revoked.
    pub(super) expires: Option<SystemTime>,
    pub(super) revoked: bool,
}

impl Token {
    /// Revokes the token. A refresh token ends now, so that it is forgotten like others.
    pub(super) fn revoke(&mut self, now: SystemTime) {
        self.revoked = true;
        self.expires.get_or_insert(now);
    }

    pub(super) fn is_active(&self, now: SystemTime) -> bool {
        !self.revoked && self.expires.is_none_or(|end| now < end)
    }
}
