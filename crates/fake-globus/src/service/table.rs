//! The table of all services.

use axum::Router;
use axum::response::Response;

use crate::actions::Actions;
use crate::app::App;
use crate::auth::Auth;
use crate::compute::Compute;
use crate::flows::Flows;
use crate::gcs::Gcs;
use crate::groups::Groups;
use crate::https;
use crate::search::Search;
use crate::timers::Timers;
use crate::transfer::Transfer;
use crate::world::Shared;

use super::{Challenge, Endpoints, Problem, Service};

/// A [`Service`] as a value.
pub(crate) struct Listed {
    pub(crate) name: &'static str,
    pub(crate) resource_server: &'static str,
    pub(crate) scopes: &'static str,
    pub(crate) router: fn(&Shared) -> Router<Shared>,
    pub(crate) operations: fn(&Shared) -> Vec<&'static str>,
    pub(crate) error: fn(&Problem<'_>) -> Response,
    pub(crate) challenge: fn(&Challenge<'_>) -> Response,
    pub(crate) owns: fn(&str) -> bool,
}

impl Listed {
    const fn of<S: Service>() -> Self {
        Self {
            name: S::NAME,
            resource_server: S::RESOURCE_SERVER,
            scopes: S::SCOPES,
            router: |world| S::endpoints(Endpoints::new(world)).into_router(),
            operations: |world| S::endpoints(Endpoints::new(world)).into_names(),
            error: S::error,
            challenge: S::challenge,
            owns: S::owns,
        }
    }
}

/// The services of each origin. Services in one slice share a port.
pub(crate) static SERVICES: [&[Listed]; 9] = [
    &[Listed::of::<Auth>(), Listed::of::<Transfer>()],
    &[Listed::of::<Groups>()],
    &[Listed::of::<Search>()],
    &[Listed::of::<Flows>()],
    &[Listed::of::<Timers>()],
    &[Listed::of::<Compute>()],
    &[Listed::of::<Gcs>()],
    &[Listed::of::<Actions>()],
    &[Listed::of::<App>()],
];

/// The error in the names of a service and an operation in a command, if there is one.
pub(crate) fn unknown(
    world: &Shared,
    service: Option<&str>,
    operation: Option<&str>,
) -> Option<String> {
    let unknown = service.filter(|name| *name != https::NAME && named(name).is_none());
    if let Some(name) = unknown {
        return Some(format!("there is no service {name}"));
    }
    let is_meant = |name: &str| service.is_none_or(|service| service == name);
    let listed = SERVICES.iter().copied().flatten();
    let mut meant = listed.filter(|listed| is_meant(listed.name));
    let operation = operation?;
    let mut of_https = https::OPERATIONS.iter().map(|(_, name)| *name);
    let is_known = meant.any(|listed| (listed.operations)(world).contains(&operation))
        || is_meant(https::NAME) && of_https.any(|name| name == operation);
    (!is_known).then(|| {
        let of = service.map_or_else(String::new, |name| format!(" of the service {name}"));
        format!(
            "there is no operation {operation}{of}: give the name of a call in the official Python \
             SDK, such as operation_ls"
        )
    })
}

/// The service with this name.
pub(crate) fn named(name: &str) -> Option<&'static Listed> {
    let mut services = SERVICES.iter().copied().flatten();
    services.find(|service| service.name == name)
}
