//! reqwest, which follows redirects itself: a small adapter tells who answered.

use bytes::Bytes;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::AnsweredBy;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

use super::cases::cases;
use super::origins::{MFA, SECRET, Server, answer, ended, session};

/// Sends a request to `url` through the layer, over a reqwest client.
async fn send(session: &globus_gare::reauth::Session, url: &str) -> Response<()> {
    let http = checks::browser::client();
    let inside = service_fn(move |request: Request<Full<Bytes>>| {
        let http = http.clone();
        async move {
            let request = request.map(|_| reqwest::Body::default());
            let answer = http.execute(request.try_into()?).await?;
            let answered_by = AnsweredBy(answer.url().as_str().parse().expect("a URI"));
            let mut response: Response<reqwest::Body> = answer.into();
            response.extensions_mut().insert(answered_by);
            Ok::<_, reqwest::Error>(response)
        }
    });
    let client = GareLayer::from_session(session.clone()).layer(inside);
    let request = Request::get(url).body(Full::default());
    let response = client.oneshot(request.expect("a request")).await;
    response.expect("an answer").map(drop)
}

cases!(send);
