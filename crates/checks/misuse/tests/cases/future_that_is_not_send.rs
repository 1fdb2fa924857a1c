//! A service whose future is not `Send`.

use std::convert::Infallible;
use std::rc::Rc;

use bytes::Bytes;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, reauth_fn};
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

async fn wait() {}

fn main() {
    let login = reauth_fn(|_| async { Ok(Credential::bearer("token")?) });
    let inner = service_fn(|_: Request<Full<Bytes>>| async {
        let count = Rc::new(1);
        wait().await;
        println!("{count}");
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    });
    let client = GareLayer::new(login).layer(inner);
    drop(client.oneshot(Request::new(Full::default())));
}
