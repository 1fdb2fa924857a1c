//! Boxed services, around the layer and inside it.

use std::convert::Infallible;

use bytes::Bytes;
use globus_gare::layer::{GareBody, GareService};
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use tower::util::{BoxCloneService, BoxCloneSyncService};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::service::{Globus, get, get_as};
use checks::mock::{Body, Login};

/// A program's struct, which needs a type that can be named.
struct Client {
    globus: GareService<BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>>,
}

/// A library's client, generic over its service.
#[derive(Clone)]
struct Transfer<S>(S);

impl<S, B> Transfer<S>
where
    S: Service<Request<Body>, Response = Response<B>, Error: std::fmt::Debug> + Clone,
{
    async fn status(&self) -> u16 {
        let response = self.0.clone().oneshot(get()).await.expect("a response");
        response.status().as_u16()
    }
}

#[checks::test]
async fn boxed_services_work_around_and_inside_the_layer() {
    let layer = Login::at_once().layer();
    let within = Client {
        globus: layer.layer(BoxCloneSyncService::new(Globus::default().service())),
    };
    assert_eq!(Transfer(within.globus).status().await, 200);

    let around: BoxCloneService<Request<Body>, Response<GareBody<Body>>, Infallible> =
        BoxCloneService::new(layer.layer(Globus::default().service()));
    assert_eq!(Transfer(around).status().await, 200);
}

#[checks::test]
async fn generic_client_works_with_and_without_the_layer() {
    let layer = Login::at_once().layer();
    let globus = Globus::default();
    assert_eq!(Transfer(globus.service()).status().await, 502);
    assert_eq!(Transfer(layer.layer(globus.service())).status().await, 200);
    assert_eq!(
        Transfer(layer.layer(layer.layer(globus.service())))
            .status()
            .await,
        200
    );
}

/// Clients with a boxed request body: requests without a body are replayed.
#[checks::test]
async fn empty_boxed_body_is_replayed() {
    let globus = Globus::default();
    let inner = globus.service();
    let unboxing = service_fn(move |request: Request<BoxBody<Bytes, Infallible>>| {
        let inner = inner.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = Full::new(body.collect().await?.to_bytes());
            inner.oneshot(Request::from_parts(head, body)).await
        }
    });
    let client = Login::at_once().layer().layer(unboxing);
    for (body, status) in [("", 200), ("something", 502)] {
        // Each request presents a new token, which no login has replaced.
        let request = get_as(&format!("stale{status}"));
        let request = request.map(|_| Full::from(body).boxed());
        let response = client.clone().oneshot(request).await.expect("a response");
        assert_eq!(response.status(), status, "{body}");
    }
}
