//! A boxed service that cannot be cloned, where `BoxCloneService` was meant.

use std::convert::Infallible;

use bytes::Bytes;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, reauth_fn};
use http::{Request, Response};
use http_body_util::Full;
use tower::util::BoxService;
use tower::{Layer, ServiceExt, service_fn};

fn main() {
    let login = reauth_fn(|_| async { Ok(Credential::bearer("token")?) });
    let inner = BoxService::new(service_fn(|_: Request<Full<Bytes>>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let client = GareLayer::new(login).layer(inner);
    drop(client.oneshot(Request::new(Full::default())));
}
