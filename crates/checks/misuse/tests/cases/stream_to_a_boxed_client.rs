//! A streaming request body that is not put into a `ReplayBody`, where the client names its body.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream::{self, Iter};
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, reauth_fn};
use http::{Request, Response};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use tower::util::BoxCloneService;
use tower::{Layer, Service, ServiceExt, service_fn};

type Chunks = StreamBody<Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>>;

fn main() {
    let login = reauth_fn(|_| async { Ok(Credential::bearer("token")?) });
    let inner = BoxCloneService::new(service_fn(|_: Request<Chunks>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let mut client = GareLayer::new(login).layer(inner);
    let request = || Request::new(Chunks::new(stream::iter(vec![])));
    drop(client.call(request()));
    drop(client.oneshot(request()));
}
