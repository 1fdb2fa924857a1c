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

/// The error in the name of a service in a command, if there is one. `https` stands for the HTTPS
/// servers of collections.
pub(crate) fn unknown(name: Option<&str>) -> Option<String> {
    let name = name.filter(|name| *name != "https" && named(name).is_none())?;
    Some(format!("there is no service {name}"))
}

/// The service with this name.
pub(crate) fn named(name: &str) -> Option<&'static Listed> {
    let mut services = SERVICES.iter().copied().flatten();
    services.find(|service| service.name == name)
}
