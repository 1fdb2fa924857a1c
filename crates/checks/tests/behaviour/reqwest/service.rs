//! A service that requires a credential, and a login that gets it.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use globus_gare::reauth::{
    Credential, GareOutcome, ReauthError, Session, SessionBuilder, Trust, reauth_fn,
};
use globus_gare::reqwest::GareMiddleware;
use http::{Extensions, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};

use crate::support::server::{Answer, Server};

/// A client without the middleware.
pub(crate) use checks::browser::client as plain;
pub(crate) use checks::mock::MFA as GARE;

/// A server that answers `status` and a challenge without `Bearer fresh`; and the count of
/// requests.
pub(crate) async fn guarded(status: u16) -> (Server, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let server = Server::start(move |request: Request<Incoming>| {
        counted.fetch_add(1, SeqCst);
        async move {
            let presented = request.headers().get_all("authorization");
            let known = presented.iter().eq(["Bearer fresh"]);
            let sent = request.into_body().collect().await.expect("a body");
            if known {
                answer(200, sent.to_bytes())
            } else {
                answer(status, Bytes::from_static(GARE.as_bytes()))
            }
        }
    })
    .await;
    (server, requests)
}

pub(crate) fn answer(status: u16, body: Bytes) -> Answer {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::new(body).map_err(|never| match never {}).boxed())
        .expect("an answer")
}

pub(crate) fn session() -> Session {
    builder().build()
}

/// A session whose logins return `Bearer fresh`.
pub(crate) fn builder() -> SessionBuilder {
    let login = reauth_fn(|_| async { Ok(Credential::bearer("fresh")?) });
    Session::builder(login).trust(Trust::none().loopback())
}

/// A session whose logins are declined.
pub(crate) fn declining() -> Session {
    let login = reauth_fn(|_| async { Err(ReauthError::declined()) });
    Session::builder(login)
        .trust(Trust::none().loopback())
        .build()
}

/// A client with only the middleware.
pub(crate) fn with_middleware(session: &Session) -> ClientWithMiddleware {
    ClientBuilder::new(plain())
        .with(GareMiddleware::from_session(session.clone()))
        .build()
}

/// An inner middleware that records `of` each attempt, and marks each response with `Marker(9)`.
pub(crate) struct Watch<T> {
    pub(crate) notes: Arc<Mutex<Vec<T>>>,
    pub(crate) of: fn(&reqwest::Request, &Extensions) -> T,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Marker(pub(crate) u8);

#[async_trait]
impl<T: Send + 'static> Middleware for Watch<T> {
    async fn handle(
        &self,
        request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let note = (self.of)(&request, extensions);
        self.notes.lock().expect("no panic").push(note);
        let mut response = next.run(request, extensions).await?;
        response.extensions_mut().insert(Marker(9));
        Ok(response)
    }
}

/// The client of [`with_middleware`], with `watch` inside.
pub(crate) fn observed<T: Send + 'static>(
    session: &Session,
    watch: Watch<T>,
) -> ClientWithMiddleware {
    ClientBuilder::new(plain())
        .with(GareMiddleware::from_session(session.clone()))
        .with(watch)
        .build()
}

/// The name of the reason that the middleware gave up; empty if it did not; `None` without an
/// outcome.
pub(crate) fn gave_up(response: &reqwest::Response) -> Option<&'static str> {
    let outcome = response.extensions().get::<GareOutcome>()?;
    Some(outcome.gave_up().map_or("", |gave_up| gave_up.name()))
}
