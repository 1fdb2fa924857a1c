//! A body of axum's that is not put into a `ReplayBody`.

use axum::Router;
use axum::body::Body;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, reauth_fn};
use tower::{Layer, ServiceExt};

fn main() {
    let login = reauth_fn(|_| async { Ok(Credential::bearer("token")?) });
    let client = GareLayer::new(login).layer(Router::new());
    let request = http::Request::new(Body::from("one"));
    drop(client.oneshot(request));
}
