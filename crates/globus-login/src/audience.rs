//! Whose token a service or a collection's server is sent.

use std::sync::Arc;

use super::SetupError;
use super::app::Shared;
use super::scope::{Scope, Scopes};
use globus_gare::reauth::{Credential, Origin, ReauthError, Target};

/// What a token is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Audience<'a> {
    /// A service, by the name of its resource server.
    Service(&'a str),
    /// The HTTPS server of the collection with this id.
    Collection(&'a str),
}

impl<'a> Audience<'a> {
    /// The resource server of the token. A collection's has its id.
    pub(super) fn resource_server(self) -> &'a str {
        match self {
            Self::Service(name) | Self::Collection(name) => name,
        }
    }

    /// Says of a credential where alone it may be sent.
    pub(super) fn restrict(self, credential: Credential) -> Credential {
        match self {
            Self::Service(_) => credential,
            Self::Collection(id) => credential.for_collection(id),
        }
    }
}

/// The HTTPS servers that the program named, and the ids of their collections.
#[derive(Clone, Debug, Default)]
pub(super) struct NamedCollections(Vec<(Origin, Arc<str>)>);

impl NamedCollections {
    /// Names the collection of a host, in place of an earlier one. `host` may be a URL.
    pub(super) fn add(&mut self, host: &str, id: &str) -> Result<(), SetupError> {
        let url = match host.contains("://") {
            true => host.to_owned(),
            false => format!("https://{host}"),
        };
        let origin: Origin = url
            .parse()
            .map_err(|error| SetupError::caused(format!("{host:?} cannot be used"), error))?;
        if !may_get_tokens(&origin) {
            return Err(SetupError::new(format!(
                "plain http is for this machine only: give an https URL in place of {host:?}"
            )));
        }
        let is_name = id.parse::<Scope>().is_ok_and(|scope| scope.name() == id);
        if !is_name || id.contains('/') {
            return Err(SetupError::new(format!("{id:?} is no id of a collection")));
        }
        self.0.retain(|(known, _)| *known != origin);
        self.0.push((origin, id.into()));
        Ok(())
    }

    pub(super) fn of(&self, server: &Origin) -> Option<&str> {
        let known = self.0.iter().find(|(known, _)| known == server);
        known.map(|(_, id)| &**id)
    }
}

/// Whether a token that is sent to `origin` stays secret on its way.
pub(super) fn may_get_tokens(origin: &Origin) -> bool {
    origin.is_secure() || origin.is_loopback()
}

impl Shared {
    /// Whose token a target gets; `None` where nothing is known of it.
    pub(super) fn audience<'a>(&'a self, target: &'a Target) -> Option<Audience<'a>> {
        let origin = target.origin();
        if let Some(id) = self.collections.of(origin).or(target.collection()) {
            return Some(Audience::Collection(id));
        }
        let named = target.resource_server();
        let server = named.or_else(|| self.resource_servers.of(origin));
        server.map(Audience::Service)
    }

    /// As [`audience`](Self::audience), with an error that says what to do about an unknown target.
    pub(super) fn require_audience<'a>(
        &'a self,
        target: &'a Target,
    ) -> Result<Audience<'a>, ReauthError> {
        match self.audience(target) {
            Some(audience) => Ok(audience),
            None => self
                .resource_servers
                .require(target.origin())
                .map(Audience::Service),
        }
    }
}

/// The scope of reading and writing a collection's files over HTTPS, and what a mapped collection
/// wants beside it.
pub(super) fn scopes_of_collection(id: &str, has_data_access: bool) -> Result<Scopes, ReauthError> {
    let mut text = format!("https://auth.globus.org/scopes/{id}/https");
    if has_data_access {
        text += &format!(" https://auth.globus.org/scopes/{id}/data_access");
    }
    text.parse()
        .map_err(|error| ReauthError::new("the collection's id is none").with_source(error))
}
