//! A streaming request body that is not put into a `ReplayBody`.

use bytes::Bytes;
use futures_util::stream;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, reauth_fn};
use http_body::Frame;
use http_body_util::StreamBody;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{Layer, ServiceExt};

fn main() {
    let login = reauth_fn(|_| async { Ok(Credential::bearer("token")?) });
    let client = Client::builder(TokioExecutor::new()).build_http();
    let client = GareLayer::new(login).layer(client);
    let chunks = stream::iter([Ok::<_, std::io::Error>(Frame::data(Bytes::from("chunk")))]);
    let request = http::Request::new(StreamBody::new(chunks));
    drop(client.oneshot(request));
}
