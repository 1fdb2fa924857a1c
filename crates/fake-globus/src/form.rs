//! The formats of people, policies and collections in a configuration and in a dump.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::collection::{Collection, ErrorShape, Policy};
use super::identity::Identity;
use super::person::Person;
use super::session::Demand;

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Login {
    #[default]
    Browser,
    Approve,
    Decline,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonForm {
    /// How the login page is answered: in a browser, or by the server.
    #[serde(default)]
    login: Login,
    #[serde(default)]
    delay_ms: u64,
    /// The identity that an automatic person picks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    picks: Option<String>,
    #[serde(default = "yes")]
    mfa: bool,
}

pub(super) fn yes() -> bool {
    true
}

impl From<PersonForm> for Person {
    fn from(form: PersonForm) -> Self {
        Self {
            automatic: !matches!(form.login, Login::Browser),
            declines: matches!(form.login, Login::Decline),
            delay: Duration::from_millis(form.delay_ms),
            picks: form.picks,
            has_mfa: form.mfa,
        }
    }
}

impl From<Person> for PersonForm {
    fn from(person: Person) -> Self {
        Self {
            login: match (person.automatic, person.declines) {
                (false, _) => Login::Browser,
                (true, false) => Login::Approve,
                (true, true) => Login::Decline,
            },
            delay_ms: u64::try_from(person.delay.as_millis()).unwrap_or(u64::MAX),
            picks: person.picks,
            mfa: person.has_mfa,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityForm {
    /// Such as `ada@uchicago.edu`.
    username: String,
    #[serde(default)]
    id: Option<Uuid>,
    #[serde(default)]
    full_name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    linked: Vec<Identity>,
}

impl TryFrom<IdentityForm> for Identity {
    type Error = String;

    fn try_from(form: IdentityForm) -> Result<Self, String> {
        let mut identity = form.username.parse::<Self>()?;
        if let Some(id) = form.id {
            identity = identity.with_id(id);
        }
        if let Some(full_name) = form.full_name {
            identity = identity.full_name(full_name);
        }
        Ok(form.linked.into_iter().fold(identity, Self::linked))
    }
}

impl From<Identity> for IdentityForm {
    fn from(identity: Identity) -> Self {
        Self {
            username: identity.username(),
            id: Some(identity.id()),
            full_name: Some(identity.full_name),
            linked: identity.linked,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyForm {
    name: String,
    #[serde(default)]
    id: Option<Uuid>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(default)]
    session_minutes: Option<u64>,
    /// Added to the minutes.
    #[serde(default, skip_serializing_if = "is_zero")]
    session_seconds: u64,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    excluded_domains: Vec<String>,
    #[serde(default)]
    mfa: bool,
    #[serde(default)]
    high_assurance: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<Uuid>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl From<PolicyForm> for Policy {
    fn from(form: PolicyForm) -> Self {
        let mut policy = Self::new(form.name);
        policy.id = form.id.unwrap_or(policy.id);
        let seconds = Duration::from_secs(form.session_seconds);
        let has_age = form.session_minutes.is_some() || !seconds.is_zero();
        let minutes = Demand::minutes(form.session_minutes.unwrap_or_default());
        let max_age = minutes.saturating_add(seconds);
        policy.demand = Demand {
            identities: Vec::new(),
            domains: form.domains,
            excluded_domains: form.excluded_domains,
            mfa: form.mfa,
            max_age: has_age.then_some(max_age),
        };
        Self {
            description: form.description,
            high_assurance: form.high_assurance,
            project: form.project,
            ..policy
        }
    }
}

impl From<Policy> for PolicyForm {
    fn from(policy: Policy) -> Self {
        Self {
            name: policy.name,
            id: Some(policy.id),
            description: policy.description,
            session_minutes: policy.demand.max_minutes(),
            session_seconds: policy.demand.max_age.map_or(0, |age| age.as_secs() % 60),
            domains: policy.demand.domains,
            excluded_domains: policy.demand.excluded_domains,
            mfa: policy.demand.mfa,
            high_assurance: policy.high_assurance,
            project: policy.project,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CollectionForm {
    name: String,
    #[serde(default)]
    id: Option<Uuid>,
    /// The directory of the collection.
    root: PathBuf,
    #[serde(default)]
    session_minutes: Option<u64>,
    #[serde(default)]
    domains: Vec<String>,
    #[serde(default)]
    required_identities: Vec<String>,
    #[serde(default)]
    mfa: bool,
    #[serde(default)]
    data_access: bool,
    #[serde(default)]
    high_assurance: bool,
    #[serde(default)]
    errors: ErrorShape,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    policies: Vec<Policy>,
}

impl From<CollectionForm> for Collection {
    fn from(form: CollectionForm) -> Self {
        let mut collection = Self::new(form.name, form.root);
        collection.id = form.id.unwrap_or(collection.id);
        collection.demand = Demand {
            identities: form.required_identities,
            domains: form.domains,
            excluded_domains: Vec::new(),
            mfa: form.mfa,
            max_age: form.session_minutes.map(Demand::minutes),
        };
        Self {
            policies: form.policies,
            data_access: form.data_access,
            high_assurance: form.high_assurance,
            errors: form.errors,
            ..collection
        }
    }
}

impl From<Collection> for CollectionForm {
    fn from(collection: Collection) -> Self {
        Self {
            name: collection.name,
            id: Some(collection.id),
            root: collection.root,
            session_minutes: collection.demand.max_minutes(),
            domains: collection.demand.domains,
            required_identities: collection.demand.identities,
            mfa: collection.demand.mfa,
            data_access: collection.data_access,
            high_assurance: collection.high_assurance,
            errors: collection.errors,
            policies: collection.policies,
        }
    }
}
