//! Redirects, followed inside and outside the layer.

use std::convert::Infallible;

use globus_gare::{GareLayer, Session, Trust};
use http::{Request, Response};
use tower::{ServiceBuilder, ServiceExt, service_fn};
use tower_http::follow_redirect::FollowRedirectLayer;

use super::service::{gave_up, get_as};
use checks::mock::{Body, Login, MFA, answer};

/// A service that redirects to a stranger, which challenges the request. Panics if the stranger
/// gets a credential.
async fn globus(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    if request.uri().host() == Some("stranger.example") {
        assert!(
            !request.headers().contains_key("authorization"),
            "a token for a stranger"
        );
        return Ok(answer(403, MFA));
    }
    let mut response = answer(307, "");
    let to = "https://stranger.example/".parse().expect("a value");
    response.headers_mut().insert("location", to);
    Ok(response)
}

#[checks::test]
async fn redirect_followed_on_either_side_is_untrusted() {
    let session = Session::builder(Login::at_once()).trust(Trust::globus());
    let layer = GareLayer::from_session(session.build());
    let inside = ServiceBuilder::new()
        .layer(layer.clone())
        .layer(FollowRedirectLayer::new())
        .service(service_fn(globus));
    let response = inside.oneshot(get_as("stale")).await.expect("a response");
    assert_eq!(
        (response.status().as_u16(), gave_up(&response)),
        (403, Some("untrusted"))
    );

    let outside = ServiceBuilder::new()
        .layer(FollowRedirectLayer::new())
        .layer(layer.clone())
        .service(service_fn(globus));
    let response = outside.oneshot(get_as("stale")).await.expect("a response");
    assert_eq!(
        (response.status().as_u16(), gave_up(&response)),
        (403, Some("untrusted"))
    );
    assert_eq!(layer.session().stats().logins, 0);
}

/// A client that follows redirects and does not record the URL. The documentation requires it to.
#[checks::test]
async fn redirect_hidden_by_the_client_is_trusted() {
    let layer = Login::at_once().layer();
    let silent = ServiceBuilder::new()
        .layer(layer.clone())
        .map_response(|response: Response<Body>| {
            let (mut head, body) = response.into_parts();
            head.extensions.clear();
            Response::from_parts(head, body)
        })
        .layer(FollowRedirectLayer::new())
        .service(service_fn(globus));
    let response = silent.oneshot(get_as("stale")).await.expect("a response");
    assert_eq!(
        gave_up(&response),
        Some("no_progress"),
        "the symptom: a login for a stranger"
    );
    assert_eq!(layer.session().stats().logins, 1);
}
