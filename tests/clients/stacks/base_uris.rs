//! Layers that complete or change the URI of a request.

use std::sync::{Arc, Mutex};

use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use tower::{ServiceBuilder, ServiceExt};

use super::service::{Globus, gave_up, get};
use checks::mock::{Body, Login, authorization};

fn at(host: &'static str) -> impl Fn(Request<Body>) -> Request<Body> + Clone {
    move |mut request| {
        let mut parts = request.uri().clone().into_parts();
        parts.scheme = Some(Scheme::HTTPS);
        parts.authority = Some(Authority::from_static(host));
        *request.uri_mut() = Uri::from_parts(parts).expect("a URI");
        request
    }
}

fn relative() -> Request<Body> {
    let request = Request::get("/v0.10/task_list").body(Body::default());
    request.expect("a request")
}

#[checks::test]
async fn base_uri_outside_leads_to_a_login() {
    let login = Login::at_once();
    let client = ServiceBuilder::new()
        .map_request(at("transfer.api.globus.org"))
        .layer(login.layer())
        .service(Globus::default().service());
    let response = client.oneshot(relative()).await.expect("a response");
    assert_eq!(
        (response.status().as_u16(), gave_up(&response)),
        (200, Some(""))
    );
    assert_eq!(login.logins(), 1);
}

#[checks::test]
async fn base_uri_inside_leaves_no_origin() {
    let login = Login::at_once().stored("token-1");
    let client = ServiceBuilder::new()
        .layer(login.layer())
        .map_request(at("transfer.api.globus.org"))
        .service(Globus::default().service());
    let response = client.oneshot(relative()).await.expect("a response");
    assert_eq!(
        (response.status().as_u16(), gave_up(&response)),
        (502, Some("no_origin")),
        "the symptom: no credential and no login"
    );
    assert_eq!((login.logins(), login.look_ups()), (0, 0));
}

/// Why the host of a request must not be changed inside.
#[checks::test]
async fn host_changed_inside_gets_the_credential() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sent);
    let client = ServiceBuilder::new()
        .layer(Login::at_once().stored("token-1").layer())
        .map_request(at("mirror.example"))
        .map_request(move |request: Request<Body>| {
            let host = request.uri().host().expect("a host").to_owned();
            let token = authorization(&request).to_owned();
            seen.lock().expect("whole").push((host, token));
            request
        })
        .service(Globus::default().service());
    let response: Response<_> = client.oneshot(get()).await.expect("a response");
    assert_eq!(response.status(), 200);
    assert_eq!(
        *sent.lock().expect("whole"),
        [("mirror.example".to_owned(), "Bearer token-1".to_owned())],
        "the symptom: a token for Transfer goes to another host"
    );
}
