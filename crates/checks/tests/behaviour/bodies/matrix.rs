//! Clients × kinds of bodies × transports: each cell is a test.

use bytes::Bytes;
use http::{Method, Request};

use super::clients::{
    Client, Got, Hyper, Login, Outcome, ReqwestMiddleware, ReqwestService, Transport, Upload, read,
};
use super::service::{GARE, Service, received};
use super::source::{Step, data};

fn request(method: Method, url: String, upload: Upload) -> Request<Upload> {
    Request::builder()
        .method(method)
        .uri(url)
        .header("te", "trailers")
        .header("trailer", "x-sum")
        .body(upload)
        .expect("a request")
}

fn nothing() -> Upload {
    Upload::Memory(Bytes::new())
}

/// Sends `upload` to a service that answers in `manner`; returns what the service received.
async fn upload<C: Client>(
    transport: Transport,
    manner: &str,
    upload: Upload,
) -> (Got, Outcome, usize, Vec<String>) {
    let service = Service::default();
    let server = service.start().await;
    let login = Login::new();
    let request = request(
        Method::POST,
        server.url(&format!("/upload/{manner}")),
        upload,
    );
    let client = C::new(transport);
    let (got, outcome) = read(client.send(request, Some(&login)).await).await;
    (got, outcome, login.logins(), service.uploads())
}

/// Asserts that the replay sends the same body with the same framing.
async fn assert_replayed<C: Client>(transport: Transport, body: Upload, sum: String, framed: &str) {
    for manner in ["whole", "partly", "early"] {
        let (got, outcome, logins, uploads) = upload::<C>(transport, manner, body.clone()).await;
        assert_eq!(
            (got.status.as_u16(), outcome),
            (200, Some(None)),
            "{manner}"
        );
        assert_eq!(got.data, sum, "{manner}");
        assert_eq!(logins, 1);
        let attempts = if manner == "whole" { 2 } else { 1 };
        assert_eq!(
            uploads,
            vec![format!("{sum} {framed}"); attempts],
            "{manner}"
        );
    }
}

fn framing(transport: Transport, length: &str) -> String {
    match (transport, length) {
        (Transport::Http1, "-") => "- chunked".to_owned(),
        (_, length) => format!("{length} -"),
    }
}

async fn upload_in_memory_is_replayed<C: Client>(transport: Transport) {
    let sum = received(b"in memory", false);
    let body = Upload::Memory("in memory".into());
    assert_replayed::<C>(transport, body, sum, &framing(transport, "9")).await;
}

fn pieces() -> Vec<Step> {
    vec![
        data("in "),
        Step::Yield,
        data("three"),
        Step::Yield,
        data(" pieces"),
    ]
}

async fn streamed_upload_is_replayed<C: Client>(transport: Transport) {
    let sum = received(b"in three pieces", false);
    let body = Upload::Stream(pieces(), true);
    assert_replayed::<C>(transport, body, sum, &framing(transport, "15")).await;
}

async fn streamed_upload_is_replayed_with_trailers<C: Client>(transport: Transport) {
    let mut steps = pieces();
    steps.push(Step::Trailers);
    let sum = received(b"in three pieces", true);
    let body = Upload::Stream(steps, false);
    assert_replayed::<C>(transport, body, sum, &framing(transport, "-")).await;
}

/// A body over the limit is sent once as a whole, and the outcome says so.
async fn long_streamed_upload_is_sent_once<C: Client>(transport: Transport) {
    let piece = vec![b'x'; 1000];
    let body = Upload::Stream(vec![Step::Data(piece.clone()); 70], false);
    let (got, outcome, logins, uploads) = upload::<C>(transport, "whole", body).await;
    assert_eq!(
        (got.status.as_u16(), outcome),
        (403, Some(Some("not_replayable")))
    );
    assert_eq!(logins, 1, "the login serves the next request");
    let sum = received(&piece.repeat(70), false);
    assert_eq!(uploads, [format!("{sum} {}", framing(transport, "-"))]);
}

/// The response with the layer or middleware; without it, the challenge and the accepted response;
/// and the count of logins.
async fn download<C: Client>(
    transport: Transport,
    method: Method,
    kind: &str,
) -> ((Got, Outcome), Got, Got, usize) {
    let service = Service::default();
    let server = service.start().await;
    let login = if kind == "drip" {
        Login::impatient()
    } else {
        Login::new()
    };
    let client = C::new(transport);
    let request_of = || {
        let mut request = request(
            method.clone(),
            server.url(&format!("/get/{kind}")),
            nothing(),
        );
        let encoding = match kind {
            "gzip" | "br" | "zstd" => kind,
            _ => "identity",
        };
        request
            .headers_mut()
            .insert("accept-encoding", encoding.parse().expect("a value"));
        request
    };
    // A slow body continues once the caller has the head of the response.
    let read_released = async |answer| {
        (0..2).for_each(|_| service.let_go());
        read(answer).await
    };
    let with = read_released(client.send(request_of(), Some(&login)).await).await;
    let (challenged, _) = read_released(client.send(request_of(), None).await).await;
    let mut accepted = request_of();
    accepted
        .headers_mut()
        .insert("authorization", "Bearer fresh".parse().expect("a value"));
    let (accepted, _) = read(client.send(accepted, None).await).await;
    (with, challenged, accepted, login.logins())
}

/// Asserts that the challenge leads to a login and a replay.
async fn assert_followed<C: Client>(transport: Transport, kind: &str) {
    let ((with, outcome), challenged, accepted, logins) =
        download::<C>(transport, Method::GET, kind).await;
    assert_eq!(
        (challenged.status.as_u16(), accepted.status.as_u16()),
        (403, 200)
    );
    assert_eq!((with, outcome), (accepted, Some(None)), "{kind}");
    assert_eq!(logins, 1);
}

/// Asserts that the response is returned unchanged, without a login; returns it.
async fn assert_passed_on<C: Client>(transport: Transport, method: Method, kind: &str) -> Got {
    let ((with, outcome), challenged, _, logins) = download::<C>(transport, method, kind).await;
    assert_eq!((&with, outcome), (&challenged, None), "{kind}");
    assert_eq!(logins, 0);
    with
}

async fn challenge_of_known_length_is_followed<C: Client>(transport: Transport) {
    assert_followed::<C>(transport, "sized").await;
}

async fn chunked_challenge_is_followed<C: Client>(transport: Transport) {
    assert_followed::<C>(transport, "chunked").await;
}

async fn challenge_with_trailers_is_followed<C: Client>(transport: Transport) {
    assert_followed::<C>(transport, "trailers").await;
}

async fn compressed_challenge_is_passed_on<C: Client>(transport: Transport) {
    for kind in ["gzip", "br", "zstd"] {
        let got = assert_passed_on::<C>(transport, Method::GET, kind).await;
        assert_eq!(got.headers["content-encoding"], kind);
    }
}

async fn slow_challenge_is_passed_on<C: Client>(transport: Transport) {
    let got = assert_passed_on::<C>(transport, Method::GET, "drip").await;
    assert_eq!(got.data, GARE);
}

async fn endless_response_is_passed_on<C: Client>(transport: Transport) {
    let got = assert_passed_on::<C>(transport, Method::GET, "endless").await;
    assert_eq!(got.data.len(), 1024 * 1024);
}

async fn broken_response_is_passed_on<C: Client>(transport: Transport) {
    let got = assert_passed_on::<C>(transport, Method::GET, "reset").await;
    assert!(got.broke);
}

async fn response_to_head_is_passed_on<C: Client>(transport: Transport) {
    let got = assert_passed_on::<C>(transport, Method::HEAD, "sized").await;
    assert_eq!(got.status, 403);
}

async fn response_without_content_is_passed_on<C: Client>(transport: Transport) {
    let got = assert_passed_on::<C>(transport, Method::GET, "none").await;
    assert_eq!(got.status, 204);
}

async fn overlong_challenge_is_passed_on<C: Client>(transport: Transport) {
    let got = assert_passed_on::<C>(transport, Method::GET, "long").await;
    assert!(got.data.len() > 300 * 1024);
}

/// A challenge that is not followed is returned unchanged, with its trailers.
async fn challenge_to_basic_credentials_is_passed_on<C: Client>(transport: Transport) {
    for kind in ["sized", "chunked", "trailers"] {
        let service = Service::default();
        let server = service.start().await;
        let login = Login::new();
        let client = C::new(transport);
        // A credential that no login can replace.
        let request_of = || {
            let url = server.url(&format!("/get/{kind}"));
            let mut request = request(Method::GET, url, nothing());
            let basic = "Basic Og==".parse().expect("a value");
            request.headers_mut().insert("authorization", basic);
            request
        };
        let (with, outcome) = read(client.send(request_of(), Some(&login)).await).await;
        let (without, _) = read(client.send(request_of(), None).await).await;
        assert_eq!(
            (with, outcome),
            (without, Some(Some("not_bearer"))),
            "{kind}"
        );
    }
}

macro_rules! cells {
    ($($row:ident: $client:ident over $transport:ident;)*) => {
        $(mod $row {
            use super::{$client, Transport};

            cells!($client over $transport:
                upload_in_memory_is_replayed,
                streamed_upload_is_replayed,
                streamed_upload_is_replayed_with_trailers,
                long_streamed_upload_is_sent_once
            );
            cells!($client over $transport:
                challenge_of_known_length_is_followed,
                chunked_challenge_is_followed,
                challenge_with_trailers_is_followed,
                compressed_challenge_is_passed_on,
                slow_challenge_is_passed_on,
                endless_response_is_passed_on
            );
            cells!($client over $transport:
                broken_response_is_passed_on,
                response_to_head_is_passed_on,
                response_without_content_is_passed_on,
                overlong_challenge_is_passed_on,
                challenge_to_basic_credentials_is_passed_on
            );
        })*
    };
    ($client:ident over $transport:ident: $($cell:ident),*) => {
        $(
            #[checks::test]
            async fn $cell() {
                super::$cell::<$client>(Transport::$transport).await;
            }
        )*
    };
}

cells! {
    hyper_over_http1: Hyper over Http1;
    hyper_over_http2: Hyper over Http2;
    reqwest_service_over_http1: ReqwestService over Http1;
    reqwest_service_over_http2: ReqwestService over Http2;
    reqwest_middleware_over_http1: ReqwestMiddleware over Http1;
    reqwest_middleware_over_http2: ReqwestMiddleware over Http2;
}
