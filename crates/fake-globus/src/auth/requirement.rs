//! What a login has to satisfy: the `session_*` parameters of the authorize request.

use uuid::Uuid;

use crate::collection::Policy;
use crate::identity::{Identity, User};
use crate::session::Authentication;
use crate::world::World;

use super::params::Params;

#[derive(Clone, Debug, Default)]
pub(super) struct Requirement {
    /// All of these, and all of one user.
    pub(super) identities: Vec<String>,
    /// Any of these.
    pub(super) domains: Vec<String>,
    /// All of these.
    pub(super) policies: Vec<Policy>,
    pub(super) mfa: bool,
}

impl Requirement {
    /// Reads the parameters. Like Globus Auth, it refuses those that are empty or false instead of ignoring them.
    pub(super) fn parse(params: &Params, world: &World) -> Result<Self, String> {
        let policies = params.list("session_required_policies")?;
        let policies = policies.iter().map(|id| {
            world
                .policy(id)
                .cloned()
                .ok_or_else(|| format!("session_required_policies: no policy {id}"))
        });
        let requirement = Self {
            identities: params.list("session_required_identities")?,
            domains: params.list("session_required_single_domain")?,
            policies: policies.collect::<Result<_, _>>()?,
            mfa: match params.one("session_required_mfa")? {
                None => false,
                Some(value) if value.eq_ignore_ascii_case("true") => true,
                Some(value) => return Err(format!("session_required_mfa cannot be \"{value}\"")),
            },
        };
        if requirement.mfa && requirement.identities.is_empty() && requirement.domains.is_empty() {
            return Err("session_required_mfa needs session_required_identities or \
                        session_required_single_domain beside it"
                .to_owned());
        }
        if !requirement.identities.is_empty() && !requirement.domains.is_empty() {
            return Err(
                "session_required_identities and session_required_single_domain exclude each other"
                    .to_owned(),
            );
        }
        Ok(requirement)
    }

    pub(super) fn needs_mfa(&self) -> bool {
        self.mfa || self.policies.iter().any(|policy| policy.demand.mfa)
    }

    /// Whether logging in with `identity` of `user` can satisfy it.
    pub(super) fn permits(&self, user: &User, identity: &Identity) -> bool {
        let named = |wanted: &String| user.identities().any(|own| own.is_named(wanted));
        let is_one_of_them =
            self.identities.is_empty() || self.identities.iter().any(|id| identity.is_named(id));
        is_one_of_them
            && self.identities.iter().all(named)
            && (self.domains.is_empty() || identity.is_from(&self.domains))
            && self
                .policies
                .iter()
                .all(|policy| policy.demand.allows_domain(identity))
    }

    /// Who has to authenticate when `picked` logs in: everybody that is asked for by name, or the one that was picked.
    pub(super) fn who(&self, user: &User, picked: &Identity) -> Vec<Uuid> {
        if self.identities.is_empty() {
            return vec![picked.id()];
        }
        let named = |identity: &&Identity| {
            self.identities
                .iter()
                .any(|wanted| identity.is_named(wanted))
        };
        user.identities().filter(named).map(Identity::id).collect()
    }

    /// Whether an earlier authentication still does.
    pub(super) fn accepts(&self, earlier: Authentication, now: std::time::SystemTime) -> bool {
        (earlier.mfa || !self.needs_mfa())
            && self
                .policies
                .iter()
                .all(|policy| policy.demand.accepts(earlier, now))
    }

    /// What a person reads about it, a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.identities.is_empty() {
            lines.push(format!("Log in as {}", self.identities.join(" and ")));
        }
        if !self.domains.is_empty() {
            lines.push(format!(
                "Log in with an identity of {}",
                self.domains.join(" or ")
            ));
        }
        lines.extend(
            self.policies
                .iter()
                .map(|policy| format!("Satisfy the policy “{}”", policy.name)),
        );
        if self.needs_mfa() {
            lines.push("Use your second factor".to_owned());
        }
        lines
    }
}
