//! A client of Globus Transfer, generic over the service that it sends with: a library's users bring their own.

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

/// It knows of no layer, and needs none: what it is given may log in or not.
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
            Err(format!("Transfer said {status}").into())
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
    let refused = Transfer {
        service: plain.clone(),
    }
    .list(&globus.url, &globus.stale)
    .await;
    eprintln!(
        "without the layer: {}",
        refused.expect_err("the session is too old")
    );

    let transfer = Transfer {
        service: gare.layer(plain),
    };
    stand_in::print_names(&transfer.list(&globus.url, &globus.stale).await?)
}
