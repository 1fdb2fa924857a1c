//! A client of Globus Transfer that is generic over its tower service, as in a library.

mod stand_in;

use std::error::Error;

use bytes::Bytes;
use globus_gare::{GareLayer, Session};
use http::{Request, Response};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower::{Layer, Service, ServiceExt};

type BoxError = Box<dyn Error + Send + Sync>;

/// The client works with any tower service, with the layer or without.
#[derive(Clone)]
struct Transfer<S> {
    service: S,
}

impl<S, B> Transfer<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>, Error: Into<BoxError>> + Clone,
    B: Body<Error: Into<BoxError>>,
{
    async fn list(&self, url: &str, token: &str) -> Result<Bytes, BoxError> {
        let request = Request::get(url)
            .header("authorization", format!("Bearer {token}"))
            .body(Full::default())?;
        let response = self
            .service
            .clone()
            .oneshot(request)
            .await
            .map_err(Into::into)?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(Into::into)?;
        if status.is_success() {
            Ok(body.to_bytes())
        } else {
            Err(format!("Transfer responded with {status}").into())
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let globus = stand_in::StandIn::start().await?;

    let plain = Client::builder(TokioExecutor::new()).build_http();
    let gare = GareLayer::from_session(
        Session::builder(globus.login())
            .trust(globus.trust())
            .build(),
    );
    let rejected = Transfer {
        service: plain.clone(),
    }
    .list(&globus.url, &globus.stale)
    .await;
    eprintln!(
        "without the layer: {}",
        rejected.expect_err("the session is too old")
    );

    let transfer = Transfer {
        service: gare.layer(plain),
    };
    stand_in::print_names(&transfer.list(&globus.url, &globus.stale).await?)
}
