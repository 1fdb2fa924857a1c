//! A connection is reused after an error that was read ahead.

use bytes::Bytes;
use http::Request;

use super::clients::{
    Client, Hyper, Login, ReqwestMiddleware, ReqwestService, Transport, Upload, read,
};
use super::service::Service;

async fn one_connection<C: Client>(transport: Transport) {
    let service = Service::default();
    let server = service.start().await;
    let login = Login::new();
    let client = C::new(transport);
    // Challenges that are returned, challenges that are followed, and requests after them.
    for (path, authorization, status) in [
        ("/get/sized", "Basic Og==", 403),
        ("/get/chunked", "Basic Og==", 403),
        ("/get/trailers", "Basic Og==", 403),
        ("/get/chunked", "Bearer stale", 200),
        ("/upload/whole", "Bearer staler", 200),
        ("/get/long", "Basic Og==", 403),
        ("/get/sized", "Bearer fresh", 200),
    ] {
        let request = Request::post(server.url(path))
            .header("authorization", authorization)
            .body(Upload::Memory(Bytes::from_static(b"something")))
            .expect("a request");
        let (got, _) = read(client.send(request, Some(&login)).await).await;
        assert_eq!(got.status, status, "{path} {authorization}");
    }
    assert_eq!(login.logins(), 2);
    assert_eq!(server.connections(), 1);
}

#[checks::test]
async fn hyper_over_http1_reuses_its_connection() {
    one_connection::<Hyper>(Transport::Http1).await;
}

#[checks::test]
async fn hyper_over_http2_reuses_its_connection() {
    one_connection::<Hyper>(Transport::Http2).await;
}

#[checks::test]
async fn reqwest_service_over_http1_reuses_its_connection() {
    one_connection::<ReqwestService>(Transport::Http1).await;
}

#[checks::test]
async fn reqwest_middleware_over_http1_reuses_its_connection() {
    one_connection::<ReqwestMiddleware>(Transport::Http1).await;
}

#[checks::test]
async fn reqwest_middleware_over_http2_reuses_its_connection() {
    one_connection::<ReqwestMiddleware>(Transport::Http2).await;
}
