//! reqwest as a tower service, with the layer around it.
//!
//! reqwest follows redirects itself: the adapter tells the layer which URL it was that answered. One that does not tell
//! must not follow redirects (`redirect::Policy::none()`), or a stranger's requirement passes for that of the service.

mod stand_in;

use std::error::Error;

use globus_gare::reauth::AnsweredBy;
use globus_gare::{GareLayer, Session};
use http::{Request, Response};
use http_body_util::BodyExt;
use reqwest::{Body, Client};
use tower::{Service, ServiceBuilder, ServiceExt, service_fn};

type BoxError = Box<dyn Error + Send + Sync>;

fn service(
    client: Client,
) -> impl Service<Request<Body>, Response = Response<Body>, Error = BoxError, Future: Send> + Clone + Send
{
    service_fn(move |request: Request<Body>| {
        let client = client.clone();
        async move {
            let response = client.execute(request.try_into()?).await?;
            let url = response.url().as_str().parse()?;
            let mut response = Response::from(response);
            response.extensions_mut().insert(AnsweredBy(url));
            Ok(response)
        }
    })
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let globus = stand_in::StandIn::start().await?;

    let client = ServiceBuilder::new()
        .layer(GareLayer::from_session(
            Session::builder(globus.login())
                .trust(globus.trust())
                .build(),
        ))
        .service(service(Client::builder().no_proxy().build()?));

    let request = Request::get(&globus.url)
        .header("authorization", format!("Bearer {}", globus.stale))
        .body(Body::default())?;
    let response = client.oneshot(request).await?;
    stand_in::print_names(&response.into_body().collect().await?.to_bytes())
}
