//! The requirement for a login: the `session_*` parameters of the authorize request.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::collection::Policy;
use crate::identity::{Identity, User};
use crate::session::Authentication;
use crate::world::World;

use super::params::Params;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Requirement {
    /// All of these usernames or ids. They must belong to one user.
    pub(super) identities: Vec<String>,
    /// One of these domains.
    pub(super) domains: Vec<String>,
    /// All of these policies.
    pub(super) policies: Vec<Policy>,
    pub(super) mfa: bool,
}

impl Requirement {
    /// Parses the parameters. An empty or false parameter is an error, as in Globus Auth.
    pub(super) fn parse(params: &Params, world: &World) -> Result<Self, String> {
        let policies = params.list("session_required_policies")?;
        let policies = policies.iter().map(|id| {
            id.parse()
                .ok()
                .and_then(|id| world.state().policy(id).cloned())
                .ok_or_else(|| format!("session_required_policies: there is no policy {id}"))
        });
        let mut requirement = Self {
            identities: params.list("session_required_identities")?,
            domains: params.list("session_required_single_domain")?,
            policies: policies.collect::<Result<_, _>>()?,
            mfa: match params.one("session_required_mfa")? {
                None => false,
                Some(value) if value.eq_ignore_ascii_case("true") => true,
                Some(value) => return Err(format!("session_required_mfa must not be \"{value}\"")),
            },
        };
        if requirement.mfa && requirement.identities.is_empty() && requirement.domains.is_empty() {
            if world.state().ignores_lone_mfa {
                requirement.mfa = false;
                return Ok(requirement);
            }
            return Err(
                "session_required_mfa requires session_required_identities or \
                        session_required_single_domain"
                    .to_owned(),
            );
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

    /// Whether a login of `user` with `identity` can satisfy the requirement.
    pub(super) fn permits(&self, user: &User, identity: &Identity) -> bool {
        let named = |wanted: &String| user.identities().any(|own| own.is_named(wanted));
        let allowed = |policy: &Policy| {
            let mut identities = user.identities();
            identities.any(|own| policy.demand.allows_domain(own))
        };
        self.identities.iter().all(named)
            && self.policies.iter().all(allowed)
            && (self.domains.is_empty() || identity.is_from(&self.domains))
            && self.concerns(identity)
    }

    /// Whether `identity` satisfies a part of the requirement: a name, the domains or a policy.
    fn concerns(&self, identity: &Identity) -> bool {
        let concerns_everybody =
            self.identities.is_empty() && self.domains.is_empty() && self.policies.is_empty();
        let mut policies = self.policies.iter();
        concerns_everybody
            || self.names(identity)
            || identity.is_from(&self.domains)
            || policies.any(|policy| policy.demand.allows_domain(identity))
    }

    fn names(&self, identity: &Identity) -> bool {
        self.identities.iter().any(|name| identity.is_named(name))
    }

    /// The identities that must authenticate when `picked` logs in: `picked`, the required
    /// identities, and one more for each policy that none of these satisfies.
    pub(super) fn identities_to_authenticate(&self, user: &User, picked: &Identity) -> Vec<Uuid> {
        let named = user.identities().filter(|own| self.names(own));
        let mut identities: Vec<&Identity> = named.collect();
        if !identities.iter().any(|own| own.id() == picked.id()) {
            identities.push(picked);
        }
        for policy in &self.policies {
            let allowed = |identity: &&Identity| policy.demand.allows_domain(identity);
            if !identities.iter().any(allowed) {
                identities.extend(user.identities().find(allowed));
            }
        }
        identities.into_iter().map(Identity::id).collect()
    }

    /// Whether an earlier authentication of `identity` satisfies the requirement.
    pub(super) fn accepts(
        &self,
        identity: &Identity,
        earlier: Authentication,
        now: SystemTime,
    ) -> bool {
        let mut policies = self.policies.iter();
        (earlier.mfa || !self.needs_mfa())
            && policies.all(|policy| {
                !policy.demand.allows_domain(identity) || policy.demand.accepts(earlier, now)
            })
    }

    /// The lines of the requirement on the login page.
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
