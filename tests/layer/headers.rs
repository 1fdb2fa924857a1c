//! Requests of one session with different headers.

use std::sync::{Arc, Mutex};

use globus_gare::layer::GareLayer;
use http::{HeaderMap, Request};
use tower::{Service, ServiceExt};

use checks::mock::{Body, Login, MFA, answer, authorization, behind, get, presenting};

#[checks::test]
async fn each_request_is_replayed_with_its_own_headers() {
    let seen = Arc::new(Mutex::new(Vec::<(String, HeaderMap)>::new()));
    let record = Arc::clone(&seen);
    let layer = GareLayer::new(Login::at_once());
    let mut service = behind(&layer, move |request: Request<Body>| {
        let (let_in, mut headers) = (
            authorization(&request).starts_with("Bearer token-"),
            request.headers().clone(),
        );
        headers.remove("authorization");
        let place = request.uri().to_string();
        record.lock().expect("whole").push((place, headers));
        if let_in {
            answer(200, "{}")
        } else {
            answer(403, MFA)
        }
    });
    let lists: [&[(&'static str, &'static str)]; 7] = [
        &[("accept", "a"), ("x-one", "1"), ("x-two", "2")],
        // The same headers again, then fewer, more, others, in another order, and none.
        &[("accept", "a"), ("x-one", "1"), ("x-two", "2")],
        &[("accept", "a"), ("x-two", "2")],
        &[
            ("x-new", "n"),
            ("accept", "a"),
            ("x-one", "1"),
            ("x-two", "2"),
            ("x-two", "3"),
        ],
        &[("accept", "b"), ("x-one", ""), ("x-two", "2")],
        &[("x-two", "2"), ("x-one", "1"), ("accept", "a")],
        &[],
    ];
    for (number, list) in lists.into_iter().enumerate() {
        // Each request is of another user, so each is challenged first.
        let mut request = presenting(get(&format!("/{number}")), &format!("Bearer {number}"));
        if number == 3 {
            *request.uri_mut() = "https://groups.api.globus.org/3".parse().expect("a URI");
        }
        for (name, value) in list {
            let value = value.parse().expect("a value");
            request.headers_mut().append(*name, value);
        }
        let place = request.uri().to_string();
        let mut headers = request.headers().clone();
        headers.remove("authorization");
        let response = service.ready().await.expect("ready").call(request).await;
        assert_eq!(response.expect("an answer").status(), 200, "{number}");
        let seen = std::mem::take(&mut *seen.lock().expect("whole"));
        let sent = (place, headers);
        assert_eq!(seen, [sent.clone(), sent], "{number}");
    }
}
