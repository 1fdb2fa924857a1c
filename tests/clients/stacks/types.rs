//! The auto traits of the types, checked by the compiler.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use globus_gare::layer::{GareBody, GareFuture, GareLayer, GareService, ReplayBody};
use globus_gare::reauth::{
    Challenge, Credential, GareOptions, GareOutcome, ReauthError, Reauthenticator, Session, Trust,
};
use globus_gare::reqwest::GareMiddleware;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{Full, StreamBody};
use tower::util::{BoxCloneService, BoxCloneSyncService};

fn shared<T: Clone + Send + Sync + 'static>() {}
fn held<T: Send + Sync + 'static>() {}
fn sent<T: Send + 'static>() {}
fn moved<T: Unpin>() {}

type Body = Full<Bytes>;
type Stream =
    StreamBody<futures_util::stream::Pending<Result<http_body::Frame<Bytes>, Infallible>>>;
type Synced = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;
/// `Send`, and not `Sync`.
type Unsynced = BoxCloneService<Request<Body>, Response<Body>, Infallible>;
type Hyper = hyper_util::client::legacy::Client<
    hyper_util::client::legacy::connect::HttpConnector,
    ReplayBody<Stream>,
>;

#[checks::test]
fn shared_types_are_send_and_sync() {
    shared::<GareLayer>();
    shared::<GareService<Synced>>();
    shared::<GareService<Hyper>>();
    shared::<GareMiddleware>();
    shared::<Session>();
    shared::<Trust>();
    shared::<Credential>();
    shared::<Challenge>();
    shared::<GareOptions>();
    shared::<GareOutcome>();
    shared::<ReauthError>();
    held::<Arc<dyn Reauthenticator>>();
    held::<Box<dyn Reauthenticator>>();
}

#[checks::test]
fn spawned_types_are_send() {
    sent::<GareService<Unsynced>>();
    sent::<GareFuture<Synced, Body, Body>>();
    sent::<GareFuture<Unsynced, Body, Body>>();
    sent::<GareFuture<Hyper, ReplayBody<Stream>, hyper::body::Incoming>>();
    held::<GareBody<hyper::body::Incoming>>();
    sent::<GareBody<UnsyncBoxBody<Bytes, Infallible>>>();
    // `ReplayBody` has a lock, so with a body that is only `Send` it is `Sync`, as reqwest
    // requires.
    held::<ReplayBody<UnsyncBoxBody<Bytes, Infallible>>>();
    moved::<ReplayBody<UnsyncBoxBody<Bytes, Infallible>>>();
    moved::<GareBody<hyper::body::Incoming>>();
}

/// Implemented without `async_trait`, to show that the trait is object-safe.
struct ByHand;

impl Reauthenticator for ByHand {
    fn reauthenticate<'life0, 'life1, 'async_trait>(
        &'life0 self,
        _: &'life1 Challenge,
    ) -> Pin<Box<dyn Future<Output = Result<Credential, ReauthError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async { Err(ReauthError::declined()) })
    }
}

#[checks::test]
fn reauthenticator_may_be_a_trait_object() {
    for login in [
        Arc::new(ByHand) as Arc<dyn Reauthenticator>,
        Arc::new(Box::new(ByHand)),
    ] {
        let layer = GareLayer::new(login);
        assert_eq!(layer.session().stats().logins, 0);
    }
}
