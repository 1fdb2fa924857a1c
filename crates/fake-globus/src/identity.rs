//! Identities, and users with linked identities.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::form;
use super::stable_id::stable_id;

/// An identity such as `ada@uchicago.edu`, with the identities that are linked to it.
///
/// An identity and its linked identities are one user (an *identity set*). The first one is the
/// primary identity: it is the `sub` of every token, also after a login with another identity of
/// the set.
///
/// ```
/// use fake_globus::Identity;
///
/// let ada = Identity::new("ada", "uchicago.edu").linked(Identity::new("ada", "globusid.org"));
/// assert_eq!(ada.username(), "ada@uchicago.edu");
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "form::IdentityForm", into = "form::IdentityForm")]
pub struct Identity {
    id: Uuid,
    name: String,
    domain: String,
    pub(super) full_name: String,
    pub(super) linked: Vec<Identity>,
}

impl Identity {
    /// The identity `name@domain`. Its id is derived from this username.
    pub fn new(name: impl Into<String>, domain: impl Into<String>) -> Self {
        let (name, domain) = (name.into(), domain.into());
        Self {
            id: stable_id("identity", &format!("{name}@{domain}")),
            full_name: name.clone(),
            name,
            domain,
            linked: Vec::new(),
        }
    }

    /// Sets the id. Default: derived from the username.
    pub fn with_id(mut self, id: Uuid) -> Self {
        self.id = id;
        self
    }

    /// Sets the full name, such as `Ada Lovelace`. Default: the part of the username before the
    /// `@`.
    pub fn full_name(mut self, full_name: impl Into<String>) -> Self {
        self.full_name = full_name.into();
        self
    }

    /// Links `other` and the identities linked to it to this identity, which makes them one user.
    pub fn linked(mut self, mut other: Identity) -> Self {
        let further = std::mem::take(&mut other.linked);
        self.linked.push(other);
        self.linked.extend(further);
        self
    }

    /// The id of the identity in Globus Auth.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// `name@domain`.
    pub fn username(&self) -> String {
        format!("{}@{}", self.name, self.domain)
    }

    /// The part of the username after the `@`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    pub(super) fn local_name(&self) -> &str {
        &self.name
    }

    pub(super) fn people_name(&self) -> &str {
        &self.full_name
    }

    /// Whether `text` is the id, the URN or the username of this identity.
    pub(super) fn is_named(&self, text: &str) -> bool {
        let text = text
            .strip_prefix("urn:globus:auth:identity:")
            .unwrap_or(text);
        text.eq_ignore_ascii_case(&self.username()) || text.parse() == Ok(self.id)
    }

    pub(super) fn is_from(&self, domains: &[String]) -> bool {
        domains
            .iter()
            .any(|domain| domain.eq_ignore_ascii_case(&self.domain))
    }
}

impl FromStr for Identity {
    type Err = String;

    /// Parses `name@domain`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('@') {
            Some((name, domain)) if !name.is_empty() && !domain.is_empty() => {
                Ok(Self::new(name, domain))
            }
            _ => Err(format!(
                "an identity looks like ada@uchicago.edu, not \"{text}\""
            )),
        }
    }
}

/// An identity set.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct User {
    pub(super) primary: Identity,
    pub(super) linked: Vec<Identity>,
    /// The identity belongs to a client, and no person can pick it on the login page.
    pub(super) is_client: bool,
}

impl User {
    pub(super) fn new(mut primary: Identity) -> Self {
        let linked = std::mem::take(&mut primary.linked);
        Self {
            primary,
            linked,
            is_client: false,
        }
    }

    pub(super) fn of_client(client: Uuid) -> Self {
        let identity = Identity::new(client.to_string(), "clients.auth.globus.org").with_id(client);
        Self {
            is_client: true,
            ..Self::new(identity)
        }
    }

    pub(super) fn id(&self) -> Uuid {
        self.primary.id
    }

    pub(super) fn identities(&self) -> impl Iterator<Item = &Identity> {
        std::iter::once(&self.primary).chain(&self.linked)
    }

    pub(super) fn identity(&self, id: Uuid) -> Option<&Identity> {
        self.identities().find(|identity| identity.id == id)
    }
}
