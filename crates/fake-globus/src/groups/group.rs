//! [`Group`], and its documents.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::written;
use crate::gare::{Gare, Parameters};
use crate::identity::User;
use crate::service::Caller;
use crate::session::{Demand, never_met};
use crate::stable_id::stable_id;

/// The session limit in the documents of a group that does not enforce one: 8 hours.
const SESSION_LIMIT: Duration = Duration::from_secs(28_800);

/// A group with its members.
///
/// ```
/// use fake_globus::Group;
///
/// let group = Group::new("Climate").member("ada@uchicago.edu", "admin").session_minutes(30);
/// println!("globus group show {}", group.id());
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "GroupForm", into = "GroupForm")]
pub struct Group {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) members: Vec<Member>,
    /// The maximal age of a session that may read the group.
    pub(super) session: Option<Duration>,
}

/// A member of a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Member {
    /// A username or an id.
    identity: String,
    #[serde(default = "member")]
    role: String,
}

fn member() -> String {
    "member".to_owned()
}

impl Group {
    /// A group without members. Its id is derived from its name.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            id: stable_id("group", &name),
            name,
            description: String::new(),
            members: Vec::new(),
            session: None,
        }
    }

    /// Sets the id. Default: derived from the name.
    pub fn with_id(mut self, id: Uuid) -> Self {
        self.id = id;
        self
    }

    /// The id of the group in requests.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// Adds the identity (a username or an id) with the role `member`, `manager` or `admin`.
    pub fn member(mut self, identity: impl Into<String>, role: impl Into<String>) -> Self {
        self.members.push(Member {
            identity: identity.into(),
            role: role.into(),
        });
        self
    }

    /// Makes this a high-assurance group: a member can read it only with a login within the last
    /// `minutes`.
    pub fn session_minutes(mut self, minutes: u64) -> Self {
        self.session = Some(Demand::minutes(minutes));
        self
    }

    /// The error in its settings, if there is one.
    pub(crate) fn contradiction(&self) -> Option<String> {
        let is_never_met = self.session.is_some_and(|session| session.is_zero());
        is_never_met.then(|| never_met(&format!("group \"{}\"", self.name)))
    }

    pub(super) fn described(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// The memberships of `user`.
    fn of<'a>(&'a self, user: &'a User) -> impl Iterator<Item = (Uuid, &'a Member)> {
        self.members.iter().filter_map(|member| {
            let mut own = user.identities();
            let own = own.find(|own| own.is_named(&member.identity))?;
            Some((own.id(), member))
        })
    }

    pub(super) fn has(&self, user: &User) -> bool {
        self.of(user).next().is_some()
    }

    pub(super) fn is_administered_by(&self, user: &User) -> bool {
        self.of(user).any(|(_, member)| member.role == "admin")
    }

    /// The requirement for a member whose session is too old.
    pub(super) fn requirement(&self, caller: &Caller, now: SystemTime) -> Option<Gare> {
        let demand = Demand {
            max_age: self.session,
            ..Demand::default()
        };
        let ids: Vec<Uuid> = self.of(&caller.user).map(|(id, _)| id).collect();
        let authentications = &caller.session.authentications;
        let is_fresh = |id: &Uuid| {
            let found = authentications.get(id);
            found.is_some_and(|found| demand.accepts(*found, now))
        };
        if self.session.is_none() || ids.iter().any(is_fresh) {
            return None;
        }
        Some(Gare::new(Parameters {
            session_message: Some(format!("The group {} requires a recent login", self.name)),
            session_required_identities: ids.iter().map(Uuid::to_string).collect(),
            ..Parameters::default()
        }))
    }

    /// The group in a list for the caller.
    pub(super) fn document(&self, caller: &Caller, now: SystemTime) -> Value {
        let limit = self.session.unwrap_or(SESSION_LIMIT);
        let mine: Vec<(Uuid, &Member)> = self.of(&caller.user).collect();
        let authentications = &caller.session.authentications;
        let timeouts = mine.iter().filter_map(|(id, _)| {
            self.session?;
            // A limit of billions of years has no end that can be written.
            let end = authentications.get(id)?.at.checked_add(limit)?;
            let left = end.duration_since(now).unwrap_or_default().as_secs();
            let timeout = json!({"expires_in": left, "expire_time": written(end)});
            Some((id.to_string(), timeout))
        });
        let memberships = mine.iter().map(|(id, member)| {
            let own = caller.user.identity(*id);
            let username = own.map_or_else(|| member.identity.clone(), |own| own.username());
            self.membership(*id, &username, member)
        });
        json!({
            "id": self.id,
            "name": self.name,
            "parent_id": null,
            "group_type": "regular",
            "enforce_session": self.session.is_some(),
            "session_limit": limit.as_secs(),
            "session_timeouts": timeouts.collect::<BTreeMap<_, _>>(),
            "my_memberships": memberships.collect::<Vec<_>>(),
            "policies": {"group_visibility": "private", "group_members_visibility": "managers"},
        })
    }

    /// The document of one group for the caller.
    pub(super) fn whole(&self, caller: &Caller, now: SystemTime) -> Value {
        let mut document = self.document(caller, now);
        document["description"] = self.description.as_str().into();
        document["subscription_id"] = Value::Null;
        document["subscription_info"] = Value::Null;
        document
    }

    pub(super) fn memberships(&self, users: &[User]) -> Vec<Value> {
        let found = users.iter().flat_map(|user| {
            let own = |id| user.identity(id).map(|own| own.username());
            let each = self.of(user);
            each.map(move |(id, member)| self.membership(id, &own(id).unwrap_or_default(), member))
        });
        found.collect()
    }

    fn membership(&self, id: Uuid, username: &str, member: &Member) -> Value {
        json!({
            "group_id": self.id,
            "identity_id": id,
            "username": username,
            "role": member.role,
            "status": "active",
        })
    }

    pub(super) fn policies(&self) -> Value {
        json!({
            "is_high_assurance": self.session.is_some(),
            "authentication_assurance_timeout": self.session.unwrap_or(SESSION_LIMIT).as_secs(),
            "group_visibility": "private",
            "group_members_visibility": "managers",
            "join_requests": false,
            "signup_fields": [],
        })
    }
}

/// The format of a group in a configuration and in a dump.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupForm {
    name: String,
    #[serde(default)]
    id: Option<Uuid>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    session_minutes: Option<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    members: Vec<Member>,
}

impl From<GroupForm> for Group {
    fn from(form: GroupForm) -> Self {
        let group = Self::new(form.name);
        Self {
            id: form.id.unwrap_or(group.id),
            description: form.description,
            members: form.members,
            session: form.session_minutes.map(Demand::minutes),
            ..group
        }
    }
}

impl From<Group> for GroupForm {
    fn from(group: Group) -> Self {
        Self {
            name: group.name,
            id: Some(group.id),
            description: group.description,
            session_minutes: group.session.map(|session| session.as_secs() / 60),
            members: group.members,
        }
    }
}
