//! The HTTPS server of a collection: an origin of its own, which serves files.
//!
//! It speaks plain HTTP here. As with the real server, every error of a path or a session is a 404
//! with a text, and a request without a token is redirected to Globus Auth, with the id of the
//! collection as the client.

mod backend;
mod content;
mod range;
mod text;

use std::io;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use url::Url;
use uuid::Uuid;

use crate::clock::timestamp;
use crate::gare::Gare;
use crate::observe;
use crate::service::{self, Caller, Operation};
use crate::state::Served;
use crate::transfer::directory::{Directory, File};
use crate::transfer::{self, demand_not_met, path_of};
use crate::world::Shared;
use crate::{control, secret};

pub(super) use backend::{BackEndError, BackEnds, BrokenBackEnd, Connection};
use range::{Part, part};

/// The name of these servers in a command, beside the names of the services.
pub(super) const NAME: &str = "https";

/// The operations, and their names in a command.
pub(super) const OPERATIONS: [(Method, &str); 4] = [
    (Method::GET, "https_get"),
    (Method::HEAD, "https_head"),
    (Method::PUT, "https_put"),
    (Method::DELETE, "https_delete"),
];

/// The maximal size of a file in a `PUT`, in bytes.
const LARGEST: usize = 1 << 30;

/// The server of the collection with this id.
pub(crate) fn router(world: &Shared, id: Uuid) -> Router {
    let handler = move |State(world): State<Shared>, request: Request| serve(world, id, request);
    let routes = control::routes().fallback(handler);
    observe::with_common_layer(routes, world).with_state(world.clone())
}

/// A challenge of an HTTPS server.
pub(crate) fn challenge(gare: &Gare) -> Response {
    text::login_denied(&transfer::result(gare))
}

async fn serve(world: Shared, id: Uuid, request: Request) -> Response {
    let mut operations = OPERATIONS.iter();
    let operation = operations.find(|(method, _)| method == request.method());
    let service = NAME;
    let operation = operation.map(|(_, name)| Operation { service, name });
    let answer = async |request| answer(&world, id, request).await;
    observe::record(&world, operation, service, request, answer).await
}

async fn answer(world: &Shared, id: Uuid, request: Request) -> Response {
    let Some(served) = world.state().collection(id).cloned() else {
        return text::not_found("the collection is gone");
    };
    let server = id.to_string();
    let scope = format!("https://auth.globus.org/scopes/{id}/https");
    let caller = service::caller(world, request.headers(), &server);
    let caller = caller.filter(|caller| caller.scopes.contains(&scope));
    let Some(caller) = caller else {
        return to_auth(world, &server, request.uri().path());
    };
    observe::called_by(&request, &caller.user);
    let connection = request.extensions().get::<ConnectInfo<Connection>>();
    if let Some(ConnectInfo(connection)) = connection {
        let back_ends = &mut world.state().back_ends;
        if let Some(fault) = back_ends.answer(id, *connection) {
            return fault;
        }
    }
    if let Some(denied) = denied(world, &caller, &served) {
        return denied;
    }
    let path = path_of(request.uri().path());
    let method = request.method().clone();
    if method == Method::GET || method == Method::HEAD {
        read(&served, path, method == Method::HEAD, request.headers()).await
    } else if method == Method::PUT {
        match axum::body::to_bytes(request.into_body(), LARGEST).await {
            Ok(content) => change(&served, path, Some(content)).await,
            Err(error) => text::internal(&error.to_string()),
        }
    } else if method == Method::DELETE {
        change(&served, path, None).await
    } else {
        let message = format!("fake-globus does not serve {method} of a collection's HTTPS server");
        (StatusCode::NOT_IMPLEMENTED, message).into_response()
    }
}

/// The redirect to a login in a browser for this collection.
fn to_auth(world: &Shared, collection: &str, path: &str) -> Response {
    let authorize = format!("{}v2/oauth2/authorize", world.base);
    let state = secret::random(16);
    let redirect = format!("https://{collection}.invalid/oauth2/callback");
    let parameters = [
        ("client_id", collection),
        ("redirect_uri", &redirect),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", &state),
        ("resource", path),
    ];
    let url = Url::parse_with_params(&authorize, parameters);
    let url = url.map_or(authorize, String::from);
    (StatusCode::FOUND, [(header::LOCATION, url)]).into_response()
}

fn denied(world: &Shared, caller: &Caller, served: &Served) -> Option<Response> {
    let result = demand_not_met(world, caller, &served.collection)?;
    Some(text::login_denied(&result))
}

/// Answers with a file or a part of it; with its headers only if `is_head`.
async fn read(served: &Arc<Served>, path: String, is_head: bool, headers: &HeaderMap) -> Response {
    let range = headers
        .get(header::RANGE)
        .and_then(|range| range.to_str().ok());
    let range = range.map(ToOwned::to_owned);
    let found = on_disk(served, move |directory| {
        let file = directory.file(&path)?;
        let part = part(range.as_deref(), file.size);
        let (start, length) = part.bounds(file.size);
        // Read here, so that the head and a short body are sent in one packet.
        let is_short = !is_head && length <= content::PIECE;
        let short = is_short.then(|| file.read(start, length)).transpose()?;
        Ok((file, part, short))
    });
    let (file, part, short) = match found.await {
        Ok(found) => found,
        Err(error) => return text::of(&error),
    };
    let status = match part {
        Part::All => StatusCode::OK,
        Part::Bytes(..) => StatusCode::PARTIAL_CONTENT,
        Part::Unsatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
    };
    let mut headers = HeaderMap::new();
    describe(&mut headers, &file, part);
    let (start, length) = part.bounds(file.size);
    let (length, body) = match short {
        Some(content) => (content.len() as u64, content.into()),
        None if is_head => (length, Body::empty()),
        None => (length, content::streamed(file, start, length)),
    };
    headers.insert(header::CONTENT_LENGTH, length.into());
    let octets = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, octets);
    (status, headers, body).into_response()
}

fn describe(headers: &mut HeaderMap, file: &File, part: Part) {
    let size = file.size;
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let modified = timestamp(file.modified).strftime("%a, %d %b %Y %H:%M:%S GMT");
    let range = match part {
        Part::All => None,
        Part::Bytes(first, last) => Some(format!("bytes {first}-{last}/{size}")),
        Part::Unsatisfiable => Some(format!("bytes */{size}")),
    };
    let modified = Some(modified.to_string());
    for (name, value) in [
        (header::LAST_MODIFIED, modified),
        (header::CONTENT_RANGE, range),
    ] {
        if let Some(Ok(value)) = value.map(HeaderValue::try_from) {
            headers.insert(name, value);
        }
    }
}

/// Writes a file, or removes it if there is no content.
async fn change(served: &Arc<Served>, path: String, content: Option<Bytes>) -> Response {
    let done = on_disk(served, move |directory| match content {
        Some(content) => directory.write(&path, &content),
        None => directory.remove_file(&path),
    });
    match done.await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => text::of(&error),
    }
}

async fn on_disk<T: Send + 'static>(
    served: &Arc<Served>,
    work: impl FnOnce(&Directory) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let served = served.clone();
    let done = tokio::task::spawn_blocking(move || work(&served.directory)).await;
    done.map_err(io::Error::other)?
}
