use globus_gare::Environment;
use globus_gare::reauth::Origin;

use super::SetupError;
use super::environment::service_url;

/// Services by the name that the SDKs have for them, and the resource server
/// whose token each wants. The resource server is the same in every environment.
const SERVICES: [(&str, &str); 6] = [
    ("transfer", "transfer.api.globus.org"),
    ("groups", "groups.api.globus.org"),
    ("search", "search.api.globus.org"),
    ("flows", "flows.globus.org"),
    ("timer", "524230d7-ea86-4a52-8312-86065a9e0417"),
    ("compute", "funcx_service"),
];

/// Which resource server's token goes to which origin.
#[derive(Clone, Debug, Default)]
pub(super) struct ResourceServers(Vec<(Origin, String)>);

impl ResourceServers {
    /// Globus Auth at `auth`, and the services of the environment where the SDKs would find them.
    pub(super) fn of_environment(
        environment: &Environment,
        auth: Origin,
    ) -> Result<Self, SetupError> {
        let mut servers = Self::default();
        // First, since where it shares an origin with others, it is they that are sent tokens.
        servers.add(auth, "auth.globus.org");
        for (service, name) in SERVICES {
            let url = service_url(environment, service)?;
            let origin = url
                .as_str()
                .parse()
                .map_err(|error| SetupError::caused(url.to_string(), error))?;
            servers.add(origin, name);
        }
        Ok(servers)
    }

    /// The latest word on an origin counts.
    pub(super) fn add(&mut self, origin: Origin, name: impl Into<String>) {
        self.0.retain(|(known, _)| *known != origin);
        self.0.push((origin, name.into()));
    }

    /// The resource server of an origin. An unknown one has none, since a token
    /// must not go to a service that it was not issued for.
    pub(super) fn of<'a>(&'a self, origin: &'a Origin) -> Option<&'a str> {
        let known = self
            .0
            .iter()
            .find(|(known, _)| known == origin)
            .map(|(_, name)| name.as_str());
        // Globus names the resource servers of its older services as their hosts.
        let by_host = || {
            origin.is_secure() && origin.port() == 443 && origin.host().ends_with(".api.globus.org")
        };
        known.or_else(|| by_host().then(|| origin.host()))
    }
}

/// The resource server that a scope is one of, where its name tells.
pub(super) fn server_of_scope(name: &str) -> Option<&str> {
    if matches!(name, "openid" | "profile" | "email" | "offline_access") {
        return Some("auth.globus.org");
    }
    if let Some(rest) = name.strip_prefix("urn:globus:auth:scope:") {
        return rest.split_once(':').map(|(server, _)| server);
    }
    let rest = name.strip_prefix("https://auth.globus.org/scopes/")?;
    match rest.split_once('/')?.0 {
        // Two services whose resource server is not the id that their scopes carry.
        "eec9b274-0c81-4334-bdc2-54e90e689b9a" => Some("flows.globus.org"),
        "facd7ccc-c5f4-42aa-916b-a0e270e2c2a9" => Some("funcx_service"),
        server => Some(server),
    }
}
