//! The table of a service's endpoints, each with its name in the official SDK.

use std::marker::PhantomData;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{self, MethodRouter};

use crate::observe;
use crate::world::Shared;

use super::{Listed, Problem, Service, forms};

/// A call of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) service: &'static str,
    /// The name of the method in the official SDK, if there is one.
    pub(crate) name: &'static str,
}

/// The endpoints of a service. A path is set with [`at`](Self::at), and its methods follow.
pub(crate) struct Endpoints<S> {
    world: Shared,
    router: Router<Shared>,
    path: &'static str,
    names: Vec<&'static str>,
    service: PhantomData<fn() -> S>,
}

impl<S: Service> Endpoints<S> {
    pub(super) fn new(world: &Shared) -> Self {
        Self {
            world: world.clone(),
            router: Router::new(),
            path: "/",
            names: Vec::new(),
            service: PhantomData,
        }
    }

    /// Sets the path of the methods that follow.
    pub(crate) fn at(mut self, path: &'static str) -> Self {
        self.path = path;
        self
    }

    pub(crate) fn get<T: 'static>(
        self,
        name: &'static str,
        handler: impl Handler<T, Shared>,
    ) -> Self {
        self.on(name, routing::get(handler))
    }

    pub(crate) fn post<T: 'static>(
        self,
        name: &'static str,
        handler: impl Handler<T, Shared>,
    ) -> Self {
        self.on(name, routing::post(handler))
    }

    pub(crate) fn put<T: 'static>(
        self,
        name: &'static str,
        handler: impl Handler<T, Shared>,
    ) -> Self {
        self.on(name, routing::put(handler))
    }

    pub(crate) fn patch<T: 'static>(
        self,
        name: &'static str,
        handler: impl Handler<T, Shared>,
    ) -> Self {
        self.on(name, routing::patch(handler))
    }

    pub(crate) fn delete<T: 'static>(
        self,
        name: &'static str,
        handler: impl Handler<T, Shared>,
    ) -> Self {
        self.on(name, routing::delete(handler))
    }

    fn on(mut self, name: &'static str, method: MethodRouter<Shared>) -> Self {
        let operation = Operation {
            service: S::NAME,
            name,
        };
        self.names.push(name);
        let state = (self.world.clone(), operation);
        let method = method.route_layer(from_fn_with_state(state, observed::<S>));
        for base in S::BASES {
            let path = format!("{base}{}", self.path);
            self.router = self.router.route(&path, method.clone());
        }
        self
    }

    pub(super) fn into_router(self) -> Router<Shared> {
        self.router
    }

    /// The names of all operations.
    pub(super) fn into_names(self) -> Vec<&'static str> {
        self.names
    }
}

async fn observed<S: Service>(
    State((world, operation)): State<(Shared, Operation)>,
    request: Request,
    next: Next,
) -> Response {
    let resource = request.uri().path().to_owned();
    let answer = async |request| {
        let response = forms::in_own_form::<S>(next.run(request).await, &resource).await;
        S::finish(response, &resource)
    };
    observe::record(&world, Some(operation), operation.service, request, answer).await
}

/// Answers a call that no service of an origin serves: 501, in the form of the service that owns
/// the path.
pub(crate) async fn not_served(
    services: &'static [Listed],
    world: Shared,
    request: Request,
) -> Response {
    let path = request.uri().path().to_owned();
    let mut owners = services.iter().filter(|service| (service.owns)(&path));
    // An origin has at least one service.
    let service = owners.next().unwrap_or(&services[0]);
    let message = format!(
        "fake-globus does not serve {} {path} of the service \"{}\"",
        request.method(),
        service.name
    );
    let answer = async |_| {
        (service.error)(&Problem {
            status: StatusCode::NOT_IMPLEMENTED,
            code: "NotImplemented",
            message: &message,
            resource: &path,
        })
    };
    observe::record(&world, None, service.name, request, answer).await
}
