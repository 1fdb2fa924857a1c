//! The layer around all endpoints: checks the host of a request, applies limits and faults, records
//! the request, and reports panics.

use std::any::Any;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use super::fault::Fault;
use super::identity::User;
use super::record::{RequestKind, SeenRequest, ViolationKind};
use super::service::Operation;
use super::world::Shared;
use super::{cors, limit};

/// The maximal size of a request's body, in bytes. Submissions with many files and dumps are large.
const LARGEST_BODY: usize = 64 * 1024 * 1024;

/// Request extension: the username of the caller, once it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct CalledBy(Arc<OnceLock<String>>);

impl CalledBy {
    pub(super) fn name(&self, user: &User) {
        // A second call changes nothing: a request has one caller.
        let _ = self.0.set(user.primary.username());
    }
}

/// Sets the username of the caller of a request.
pub(super) fn called_by(request: &Request, user: &User) {
    if let Some(called_by) = request.extensions().get::<CalledBy>() {
        called_by.name(user);
    }
}

/// Response extension: the response is a challenge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Challenged;

/// Adds the layer that every request passes.
pub(super) fn with_common_layer(routes: Router<Shared>, world: &Shared) -> Router<Shared> {
    let limit = DefaultBodyLimit::max(LARGEST_BODY);
    routes
        .layer(limit)
        .layer(from_fn_with_state(world.clone(), guard))
}

/// Answers a request with a limit, a fault or `answer`, and records it.
pub(super) async fn record(
    world: &Shared,
    operation: Option<Operation>,
    service: &'static str,
    mut request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    let uri = request.uri();
    let mut seen = SeenRequest {
        kind: RequestKind::of(service, operation),
        operation: operation.map(|operation| operation.name),
        method: request.method().clone(),
        path: uri.path().to_owned(),
        query: uri.query().map(ToOwned::to_owned),
        user: None,
        status: 0,
        challenged: false,
    };
    let credentials = request.headers().get_all(header::AUTHORIZATION).iter();
    if credentials.count() > 1 {
        world.violation(ViolationKind::SeveralCredentials, seen.path.as_str());
    }
    let query = seen.query.as_deref();
    if query.is_some_and(|query| query.contains("access_token=")) {
        world.violation(ViolationKind::TokenInUrl, seen.path.as_str());
    }
    let called_by = CalledBy::default();
    request.extensions_mut().insert(called_by.clone());
    let limit = limit(world, seen.kind, service, operation);
    let fault = match limit {
        None => fault(world, seen.kind, service, operation),
        Some(_) => None,
    };
    if let Some(fault) = &fault {
        tokio::time::sleep(fault.delay()).await;
    }
    let response = match limit {
        Some(retry_after) => Some(limit::too_many(service, &seen.path, retry_after)),
        None => fault.and_then(|fault| fault.response(service, &seen.path)),
    };
    let response = match response {
        Some(response) => response,
        None => answer(request).await,
    };
    seen.status = response.status().as_u16();
    seen.user = called_by.0.get().cloned();
    seen.challenged = response.extensions().get::<Challenged>().is_some();
    world.log().note(seen);
    world.recorded.notify_waiters();
    response
}

/// Rejects a request to another host. Runs the handler in its own task, so that a panic is reported
/// and does not close the connection.
async fn guard(State(world): State<Shared>, request: Request, next: Next) -> Response {
    if !names_this_server(&request, world.host.as_deref()) {
        // DNS rebinding: a web page can let a name of its own resolve to 127.0.0.1.
        return (
            StatusCode::MISDIRECTED_REQUEST,
            "this server accepts addresses, localhost and the host of its public URL only",
        )
            .into_response();
    }
    let is_of_a_page = request.headers().contains_key(header::ORIGIN)
        && !request.uri().path().starts_with("/_fake/");
    if is_of_a_page && let Some(response) = cors::preflight(&request) {
        return response;
    }
    match tokio::spawn(next.run(request)).await {
        Ok(response) if is_of_a_page => cors::allowed(response),
        Ok(response) => response,
        Err(error) => {
            let message = match error.try_into_panic() {
                Ok(payload) => panic_message(&*payload),
                Err(cancelled) => cancelled.to_string(),
            };
            world.log().panic(message.clone());
            (StatusCode::INTERNAL_SERVER_ERROR, message).into_response()
        }
    }
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    format!(
        "a handler panicked: {}",
        text.unwrap_or("with a value that is not text")
    )
}

/// `Retry-After` in seconds, if a limit answers the request.
fn limit(
    world: &Shared,
    kind: RequestKind,
    service: &str,
    operation: Option<Operation>,
) -> Option<u64> {
    let limits = &mut world.state().limits;
    let counted = limits
        .iter_mut()
        .map(|limit| limit.count(kind, service, operation));
    // `fold` visits every limit, so that each one counts the request.
    let wait = counted.fold(None, |wait: Option<u64>, one| wait.max(one));
    limits.retain(|limit| !limit.is_over());
    wait
}

/// The first fault that matches a request. Counts the request for it.
fn fault(
    world: &Shared,
    kind: RequestKind,
    service: &str,
    operation: Option<Operation>,
) -> Option<Fault> {
    let mut state = world.state();
    let faults = &mut state.faults;
    let position = faults
        .iter()
        .position(|fault| fault.concerns(kind, service, operation))?;
    let fault = faults.get_mut(position)?;
    fault.times = fault.times.saturating_sub(1);
    if fault.times > 0 {
        Some(fault.clone())
    } else {
        faults.remove(position)
    }
}

/// Whether the host of a request is an IP address, `localhost` or the host of the public URL. A
/// page needs a name for DNS rebinding.
fn names_this_server<B>(request: &axum::http::Request<B>, public: Option<&str>) -> bool {
    let header = request.headers().get(header::HOST);
    let host = match (header, request.uri().authority()) {
        (Some(host), _) => host.to_str().unwrap_or_default(),
        // HTTP/2 has the host in the URI and may omit the header.
        (None, Some(authority)) => authority.as_str(),
        (None, None) => return true,
    };
    let name = match host.rsplit_once(':') {
        // The colons of an IPv6 address stand within brackets.
        Some((name, port)) if !port.ends_with(']') => name,
        _ => host,
    };
    let address = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'));
    let is_address = match address {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => name.parse::<Ipv4Addr>().is_ok(),
    };
    is_address || name == "localhost" || Some(name) == public
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FakeGlobus, Person};

    async fn panics() -> &'static str {
        panic!("deliberately")
    }

    #[checks::test]
    async fn panic_is_answered_500_and_returned_by_shutdown() {
        let globus = FakeGlobus::builder()
            .person(Person::automatic())
            .start()
            .await
            .expect("a server");
        let world = globus.world_for_tests();
        let routes = Router::new().route("/panic", axum::routing::get(panics));
        let router = with_common_layer(routes, &world).with_state(world.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        let response = checks::browser::client()
            .get(format!("http://{address}/panic"))
            .send()
            .await
            .expect("a response");
        assert_eq!(response.status(), 500);
        let error = globus.shutdown().await.expect_err("a panic");
        assert!(error.to_string().contains("deliberately"), "{error}");
    }

    #[checks::test]
    fn host_is_an_address_or_localhost() {
        for (host, ok) in [
            ("127.0.0.1:80", true),
            ("localhost", true),
            ("[::1]:1", true),
            ("[::1]", true),
            ("192.168.1.5:80", true),
            ("[fe80::2]", true),
            ("[evil.example]", false),
            ("127.0.0.1.evil.example", false),
            ("evil.example:80", false),
        ] {
            let request = axum::http::Request::builder();
            let of_header = request.header(header::HOST, host).body(());
            let of_uri = axum::http::Request::get(format!("http://{host}/")).body(());
            for request in [of_header, of_uri] {
                let request = request.expect("a request");
                assert_eq!(names_this_server(&request, None), ok, "{host}");
            }
        }
    }
}
