//! Approval of required scopes: which a login asks for, and which only after the person allows
//! them.

use std::fmt;
use std::sync::Arc;

use super::audience::Audience;
use super::default_scope::default_scope;
use super::flow::Wanted;
use super::scope::{Scope, ScopeParseError, Scopes};
use super::store::{Login, LoginRecord};
use super::user::AppUser;
use super::{GlobusAppBuilder, LoginPrompt, LoginRequest};
#[cfg(feature = "web")]
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reauth::{ReauthError, Target, printable};

/// Services whose scopes have a client id in place of the resource server's name.
const IDS: [(&str, &str); 2] = [
    ("eec9b274-0c81-4334-bdc2-54e90e689b9a", "flows.globus.org"),
    ("facd7ccc-c5f4-42aa-916b-a0e270e2c2a9", "funcx_service"),
];

/// The program's rule for required scopes.
#[derive(Clone, Default)]
pub(super) struct Approval(Option<Rule>);

type Rule = Arc<dyn Fn(&Target, &Scope) -> bool + Send + Sync>;

/// The scopes of one login.
#[derive(Clone, Debug)]
pub(super) struct Sought {
    /// The scopes that the login asks for: `kept` and `new`.
    pub(super) all: Scopes,
    /// The scopes that later logins ask for as well.
    pub(super) kept: Scopes,
    /// The scopes that the person has to allow first.
    pub(super) new: Scopes,
}

impl GlobusAppBuilder {
    /// Allows scopes that services may require, in addition to the default ones.
    ///
    /// A challenge can require scopes. The login then asks for them, and the program holds the
    /// tokens. By default a login asks for:
    ///
    /// - scopes of the challenging service itself, with their dependencies
    /// - scopes of the challenging collection itself, without dependencies
    /// - scopes that the program named, or that an earlier login asked for
    ///
    /// The login also asks for each other scope for which `rule` returns `true`. For the remaining
    /// required scopes, the prompt [asks the person](LoginPrompt::allows_new_scopes) first, and
    /// later logins do not ask for these scopes. If nobody can be asked, the login fails.
    ///
    /// ```
    /// use globus_login::GlobusApp;
    ///
    /// let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000")
    ///     .scopes_may_be_required(|target, scope| {
    ///         target.origin().host() == "flows.automate.globus.org" && scope.name().ends_with("_user")
    ///     })
    ///     .build()?;
    /// # Ok::<(), globus_login::SetupError>(())
    /// ```
    pub fn scopes_may_be_required(
        mut self,
        rule: impl Fn(&Target, &Scope) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.approval = Approval(Some(Arc::new(rule)));
        self
    }
}

impl AppUser {
    /// The scopes of a login: those of the program, of earlier logins, and of the requirement.
    pub(super) fn sought(&self, held: &Login, wanted: Wanted<'_>) -> Result<Sought, ReauthError> {
        self.unite(held, wanted).map_err(|error| {
            ReauthError::new("the login cannot ask for the required scopes").with_source(error)
        })
    }

    fn unite(&self, held: &Login, wanted: Wanted<'_>) -> Result<Sought, ScopeParseError> {
        let settings = &self.shared.settings;
        let program = [&settings.scopes, &settings.extra_scopes, wanted.own()];
        let record = held.record.as_ref().map(LoginRecord::scopes);
        let known = Scopes::united(program.into_iter().chain(record))?;
        let mut passed: Vec<Scopes> = Vec::new();
        let mut new: Vec<Scopes> = Vec::new();
        let required = wanted.required().into_iter();
        for text in required.flat_map(|required| &required.required_scopes) {
            for scope in text.parse::<Scopes>()? {
                let passes = match wanted.challenger() {
                    Some((target, audience)) => {
                        is_own(&scope, audience)
                            || known.covers(&scope.clone().into())
                            || self.shared.approval.allows(target, &scope)
                    }
                    // The program itself requires the scope.
                    None => true,
                };
                let list = if passes { &mut passed } else { &mut new };
                list.push(scope.into());
            }
        }
        if let Some((_, Audience::Service(server))) = wanted.challenger()
            && !held.tokens.contains_key(server)
            && !known
                .iter()
                .chain(passed.iter().flatten())
                .any(|scope| is_of(scope, Audience::Service(server)))
        {
            // Without a scope of the service, the login would bring no token for it.
            passed.extend(default_scope(server));
        }
        let kept = Scopes::united([&known].into_iter().chain(&passed))?;
        let new = Scopes::united(&new)?;
        Ok(Sought {
            all: kept.union(&new)?,
            kept,
            new,
        })
    }
}

#[cfg(feature = "web")]
impl AppUser {
    /// The scopes of a login that began for `required`: those of the program, of the service
    /// itself, of the requirement, and of the record.
    pub(super) fn scopes_of_login(
        &self,
        record: Option<&LoginRecord>,
        own: &Scopes,
        required: Option<&AuthorizationParameters>,
    ) -> Result<Scopes, ScopeParseError> {
        let settings = &self.shared.settings;
        let required = required.into_iter();
        let required = required.flat_map(|required| &required.required_scopes);
        let required = required.map(|text| text.parse());
        let required: Vec<Scopes> = required.collect::<Result<_, _>>()?;
        let known = [&settings.scopes, &settings.extra_scopes, own].into_iter();
        let known = known.chain(record.map(LoginRecord::scopes));
        Scopes::united(known.chain(&required))
    }
}

impl Sought {
    /// Asks the person to allow the new scopes, if there are any.
    pub(super) async fn approve(
        &self,
        prompt: &dyn LoginPrompt,
        request: &LoginRequest,
    ) -> Result<(), ReauthError> {
        // The other program asks the person.
        if self.new.is_empty() || prompt.waits_elsewhere() {
            return Ok(());
        }
        // Text that is not ASCII is not a scope (RFC 6749, section 3.3) and can look like another
        // one. A cut text hides its end.
        let is_scope = |c: char| c.is_ascii_graphic() || c == ' ';
        let is_shown = |text: String| text.chars().all(is_scope) && printable(&text) == text;
        let are_shown = self.new.iter().all(|scope| is_shown(scope.to_string()));
        match are_shown && prompt.allows_new_scopes(request).await? {
            true => Ok(()),
            false => Err(ReauthError::declined().with_source(self.not_allowed())),
        }
    }

    /// Fails if there are new scopes: nobody can be asked.
    pub(super) fn approve_without_a_person(&self) -> Result<(), ReauthError> {
        match self.new.is_empty() {
            true => Ok(()),
            false => Err(ReauthError::other(self.not_allowed())),
        }
    }

    fn not_allowed(&self) -> NotAllowed {
        NotAllowed(printable(&self.new.to_string()))
    }
}

/// Nobody allowed the new scopes.
#[derive(Debug, thiserror::Error)]
#[error(
    "the service requires scopes that are neither its own nor this program's, and nobody allowed them: {0}; \
     to allow them, name them with `scopes` or `scopes_may_be_required`"
)]
struct NotAllowed(String);

impl Approval {
    fn allows(&self, target: &Target, scope: &Scope) -> bool {
        self.0.as_ref().is_some_and(|rule| rule(target, scope))
    }
}

/// Whether the audience may require a scope as its own. With a dependency, the audience would get
/// tokens for another service: that is allowed to a service, not to the owner of a collection.
fn is_own(scope: &Scope, audience: Audience<'_>) -> bool {
    let is_alone = || scope.dependencies().is_empty();
    is_of(scope, audience) && (matches!(audience, Audience::Service(_)) || is_alone())
}

/// Whether a scope belongs to the audience.
fn is_of(scope: &Scope, audience: Audience<'_>) -> bool {
    let server = audience.resource_server();
    owner(scope.name()).is_some_and(|owner| {
        let known = IDS.iter().find(|(id, _)| *id == owner);
        known.map_or(owner, |(_, name)| name) == server
    })
}

/// The service in the name of a scope.
fn owner(scope: &str) -> Option<&str> {
    let of_urn = scope.strip_prefix("urn:globus:auth:scope:");
    let of_url = || scope.strip_prefix("https://auth.globus.org/scopes/");
    let (owner, rest) = match of_urn {
        Some(rest) => rest.split_once(':')?,
        None => of_url()?.split_once('/')?,
    };
    (!rest.is_empty()).then_some(owner)
}

impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Approval")
    }
}
