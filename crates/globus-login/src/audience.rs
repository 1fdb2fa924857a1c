//! The audience of a token: which token a service, or a collection's server, is sent.

use std::sync::Arc;

use super::SetupError;
use super::app::Shared;
use super::scope::{Scope, Scopes};
use globus_gare::reauth::{Credential, Origin, ReauthError, Target};

/// The audience of a token.
#[derive(Clone, Copy, Debug)]
pub(super) enum Audience<'a> {
    /// A service, by the name of its resource server.
    Service(&'a str),
    /// The HTTPS server of the collection with this id.
    Collection(&'a str),
}

impl<'a> Audience<'a> {
    /// The resource server of the token. That of a collection has the collection's id.
    pub(super) fn resource_server(self) -> &'a str {
        match self {
            Self::Service(name) | Self::Collection(name) => name,
        }
    }

    /// Restricts a collection's credential to the collection's server.
    pub(super) fn restrict(self, credential: Credential) -> Credential {
        match self {
            Self::Service(_) => credential,
            Self::Collection(id) => credential.for_collection(id),
        }
    }
}

/// The HTTPS servers that the program named, with the ids of their collections.
#[derive(Clone, Debug, Default)]
pub(super) struct NamedCollections(Vec<(Origin, Arc<str>)>);

impl NamedCollections {
    /// Adds a server, or replaces its collection. `host` may be a URL.
    pub(super) fn add(&mut self, host: &str, id: &str) -> Result<(), SetupError> {
        let url = match host.contains("://") {
            true => host.to_owned(),
            false => format!("https://{host}"),
        };
        let origin: Origin = url
            .parse()
            .map_err(|error| SetupError::caused(format!("{host:?} is not a host"), error))?;
        if !may_get_tokens(&origin) {
            return Err(SetupError::new(format!(
                "{host:?} is plain http, which is allowed on this machine only: set an https URL"
            )));
        }
        let is_name = id.parse::<Scope>().is_ok_and(|scope| scope.name() == id);
        if !is_name || id.contains('/') {
            return Err(SetupError::new(format!(
                "{id:?} is not the id of a collection"
            )));
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

/// Whether a token can be sent to `origin` without being readable on the network.
pub(super) fn may_get_tokens(origin: &Origin) -> bool {
    origin.is_secure() || origin.is_loopback()
}

impl Shared {
    /// The audience of a target; `None` for an unknown target.
    pub(super) fn audience<'a>(&'a self, target: &'a Target) -> Option<Audience<'a>> {
        let origin = target.origin();
        if let Some(id) = self.collections.of(origin).or(target.collection()) {
            return Some(Audience::Collection(id));
        }
        let named = target.resource_server();
        let server = named.or_else(|| self.resource_servers.of(origin));
        server.map(Audience::Service)
    }

    /// As [`audience`](Self::audience), with an error for an unknown target that says what to do.
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

/// The scope for a collection's files over HTTPS. A mapped collection also needs `data_access`.
pub(super) fn scopes_of_collection(id: &str, has_data_access: bool) -> Result<Scopes, ReauthError> {
    let mut text = format!("https://auth.globus.org/scopes/{id}/https");
    if has_data_access {
        text += &format!(" https://auth.globus.org/scopes/{id}/data_access");
    }
    text.parse()
        .map_err(|error| ReauthError::new("the collection's id is invalid").with_source(error))
}
