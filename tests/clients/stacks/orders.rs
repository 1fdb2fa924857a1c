//! Right and wrong orders of layers.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex};

use globus_gare::ReauthError;
use http::{Request, Response};
use tower::retry::Policy;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::trace::TraceLayer;

use super::service::{Globus, gave_up, get, get_as};
use checks::mock::{Body, Login, presenting};

/// A retry policy: up to so many more attempts after a 502.
#[derive(Clone)]
struct Transient(u32);

impl<B, E> Policy<Request<Body>, Response<B>, E> for Transient {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<Body>,
        result: &mut Result<Response<B>, E>,
    ) -> Option<Ready<()>> {
        let transient = result
            .as_ref()
            .is_ok_and(|response| response.status() == 502);
        self.0 = self.0.checked_sub(1).filter(|_| transient)?;
        Some(ready(()))
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        Some(request.clone())
    }
}

#[checks::test]
async fn retry_outside_never_sees_the_challenge() {
    let globus = Globus::default();
    let layer = Login::at_once().layer();
    let client = ServiceBuilder::new()
        .retry(Transient(3))
        .layer(layer.clone())
        .service(globus.service());
    let response = client.oneshot(get()).await.expect("a response");
    assert_eq!(
        (response.status().as_u16(), gave_up(&response)),
        (200, Some(""))
    );
    assert_eq!(globus.requests(), 2);
    assert_eq!(layer.session().stats().logins, 1);
}

#[checks::test]
async fn retry_inside_repeats_the_challenge_first() {
    let globus = Globus::default();
    let client = ServiceBuilder::new()
        .layer(Login::at_once().layer())
        .retry(Transient(3))
        .service(globus.service());
    let response = client.oneshot(get()).await.expect("a response");
    assert_eq!(response.status(), 200);
    assert_eq!(
        globus.requests(),
        5,
        "the symptom: four attempts before the login"
    );
}

/// As a retry that returns an error when its attempts are used up.
#[checks::test]
async fn error_made_of_a_502_inside_hides_the_challenge() {
    let login = Login::at_once();
    let client = ServiceBuilder::new()
        .layer(login.layer())
        .map_result(|result: Result<Response<Body>, Infallible>| match result {
            Ok(response) if response.status() == 502 => Err(BoxError::from("bad gateway")),
            Ok(response) => Ok(response),
            Err(never) => match never {},
        })
        .service(Globus::default().service());
    client.oneshot(get()).await.expect_err("the symptom");
    assert_eq!(login.logins(), 0, "nobody is asked");
}

#[checks::test]
async fn retry_of_a_declined_login_prompts_nobody_again() {
    let globus = Globus::default();
    let login = Login::at_once().then(Err(ReauthError::declined()));
    let client = ServiceBuilder::new()
        .retry(Transient(3))
        .layer(login.layer())
        .service(globus.service());
    let response = client.oneshot(get()).await.expect("a response");
    assert_eq!(
        (response.status().as_u16(), gave_up(&response)),
        (502, Some("backing_off"))
    );
    assert_eq!(globus.requests(), 4, "the symptom: in vain");
    assert_eq!(login.logins(), 1);
}

#[checks::test]
async fn authorization_set_outside_is_replaced_on_a_replay() {
    let stale = |request: Request<Body>| presenting(request, "Bearer stale");
    let globus = Globus::default();
    let outside = ServiceBuilder::new()
        .map_request(stale)
        .layer(Login::at_once().layer())
        .service(globus.service());
    let response = outside.oneshot(get()).await.expect("a response");
    assert_eq!(response.status(), 200);

    let inside = ServiceBuilder::new()
        .layer(Login::at_once().layer())
        .map_request(stale)
        .service(globus.service());
    let response = inside.oneshot(get()).await.expect("a response");
    assert_eq!(response.status(), 502);
    assert_eq!(
        gave_up(&response),
        Some("no_progress"),
        "the symptom: a login that changes nothing"
    );
}

/// A trace layer inside shows the request's headers in the log.
#[checks::test]
async fn credential_is_hidden_from_traces_of_inner_layers() {
    let seen = Arc::new(Mutex::new(String::new()));
    let noted = Arc::clone(&seen);
    let client = ServiceBuilder::new()
        .layer(SetSensitiveRequestHeadersLayer::new([
            http::header::AUTHORIZATION,
        ]))
        .layer(Login::at_once().layer())
        .layer(TraceLayer::new_for_http())
        .map_request(move |request: Request<Body>| {
            noted
                .lock()
                .expect("whole")
                .push_str(&format!("{:?}", request.headers()));
            request
        })
        .service(Globus::default().service());
    let response = client.oneshot(get_as("stale")).await.expect("a response");
    assert_eq!(response.status(), 200);
    let seen = seen.lock().expect("whole");
    assert_eq!(seen.matches("Sensitive").count(), 2, "{seen}");
    assert!(
        !seen.contains("token-1") && !seen.contains("stale"),
        "{seen}"
    );
}

#[checks::test]
async fn buffer_works_outside_and_inside() {
    let globus = Globus::default();
    let mut outside = ServiceBuilder::new()
        .buffer(4)
        .layer(Login::at_once().layer())
        .service(globus.service());
    let client = outside.ready().await.expect("ready");
    let response = client.call(get()).await.expect("a response");
    assert_eq!((response.status().as_u16(), globus.requests()), (200, 2));

    let globus = Globus::default();
    let mut inside = ServiceBuilder::new()
        .layer(Login::at_once().layer())
        .buffer(1)
        .service(globus.service());
    let client = inside.ready().await.expect("ready");
    let response = client.call(get()).await.expect("a response");
    assert_eq!((response.status().as_u16(), globus.requests()), (200, 2));
}
