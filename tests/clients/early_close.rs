//! Services that refuse an upload by its head, and close the connection before they have read its
//! body.

use std::fmt::Debug;
use std::io;

use bytes::Bytes;
use checks::mock::{Login, MFA};
use globus_gare::layer::GareService;
use globus_gare::reauth::{Session, Trust};
use globus_gare::reqwest::HttpService;
use globus_gare::{GareLayer, GareOptions};
use http::{Request, Response};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tower::{Layer, Service, ServiceExt};

type Body = Full<Bytes>;

/// More than the buffers of two sockets hold.
const UPLOAD: usize = 16 << 20;

/// How an upload without the right token ends.
#[derive(Clone, Copy, Debug)]
enum End {
    /// The challenge is sent, and the rest of the body is read.
    Heard,
    /// The challenge is sent, and the connection reset.
    AnsweredAndReset,
    /// The connection is reset.
    Reset,
}

async fn start(end: End) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            // What breaks it is what the tests look at from the other side.
            tokio::spawn(async move { answer(stream, end).await });
        }
    });
    url
}

async fn answer(stream: TcpStream, end: End) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut length, mut is_known) = (0, false);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        match line.trim().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().map_err(io::Error::other)?,
            Some(("authorization", value)) => is_known = value == "Bearer token-1",
            Some(_) => {}
            // The line of the request has no colon with a blank after it.
            None if line.trim().is_empty() => break,
            None => {}
        }
    }
    let (status, text) = match is_known {
        true => (200, "in"),
        false => (403, MFA),
    };
    let is_upload = length > 0 && !is_known;
    if !is_upload {
        let mut body = (&mut stream).take(length);
        tokio::io::copy(&mut body, &mut tokio::io::sink()).await?;
    } else if matches!(end, End::Reset) {
        // With unread data, the close becomes a reset.
        return Ok(());
    }
    let head = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        text.len()
    );
    stream.write_all(format!("{head}{text}").as_bytes()).await?;
    stream.flush().await?;
    if is_upload && matches!(end, End::AnsweredAndReset) {
        return Ok(());
    }
    stream.shutdown().await?;
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await?;
    Ok(())
}

fn layer(login: &Login, url: &str) -> GareLayer {
    let trust = Trust::none().origin(url).expect("an origin");
    GareLayer::from_session(Session::builder(login.clone()).trust(trust).build())
}

fn hyper() -> Client<HttpConnector, Body> {
    Client::builder(TokioExecutor::new()).build_http()
}

fn reqwest() -> HttpService {
    HttpService::from(checks::browser::client())
}

async fn send<S, B>(client: &GareService<S>, request: Request<Body>) -> Result<u16, String>
where
    S: Service<Request<Body>, Response = Response<B>, Error: Debug, Future: Send>,
    S: Clone + Send + 'static,
    B: http_body::Body<Error: Send> + Send + 'static,
{
    let response = client.clone().oneshot(request).await;
    let response = response.map_err(|error| format!("{error:?}"))?;
    Ok(response.status().as_u16())
}

fn upload(url: &str) -> Request<Body> {
    let body = Body::from(vec![b'x'; UPLOAD]);
    Request::put(url).body(body).expect("a request")
}

#[checks::test]
async fn upload_refused_before_it_was_read_is_replayed() {
    let url = start(End::Heard).await;
    let logins = [Login::at_once(), Login::at_once()];
    let client = layer(&logins[0], &url).layer(hyper());
    assert_eq!(send(&client, upload(&url)).await, Ok(200));
    let client = layer(&logins[1], &url).layer(reqwest());
    assert_eq!(send(&client, upload(&url)).await, Ok(200));
    assert_eq!(logins.map(|login| login.logins()), [1, 1]);
}

/// Where the challenge is lost with the connection, a small request has it.
async fn is_accepted_after_a_small_request<S, B>(client: &GareService<S>, login: &Login, url: &str)
where
    S: Service<Request<Body>, Response = Response<B>, Error: Debug, Future: Send>,
    S: Clone + Send + 'static,
    B: http_body::Body<Error: Send> + Send + 'static,
{
    for _ in 0..2 {
        send(client, upload(url)).await.expect_err("a reset");
        assert_eq!(login.logins(), 0, "the layer saw no challenge");
    }
    let small = Request::get(url).extension(GareOptions::new().login_only());
    let small = small.body(Body::default()).expect("a request");
    assert_eq!(send(client, small).await, Ok(403));
    assert_eq!(send(client, upload(url)).await, Ok(200));
    assert_eq!(login.logins(), 1);
}

#[checks::test]
async fn small_request_logs_in_where_uploads_are_reset() {
    let url = start(End::Reset).await;
    let login = Login::at_once();
    let client = layer(&login, &url).layer(hyper());
    is_accepted_after_a_small_request(&client, &login, &url).await;
    let login = Login::at_once();
    let client = layer(&login, &url).layer(reqwest());
    is_accepted_after_a_small_request(&client, &login, &url).await;
}

/// The challenge races with the reset. Either way the request ends, and a login runs only for a
/// replay.
#[checks::test]
async fn upload_answered_and_reset_ends_with_one_of_both() {
    let url = start(End::AnsweredAndReset).await;
    for _ in 0..5 {
        let logins = [Login::at_once(), Login::at_once()];
        let client = layer(&logins[0], &url).layer(hyper());
        let by_hyper = send(&client, upload(&url)).await;
        let client = layer(&logins[1], &url).layer(reqwest());
        let by_reqwest = send(&client, upload(&url)).await;
        for (ended, login) in [by_hyper, by_reqwest].iter().zip(logins) {
            let is_replayed = *ended == Ok(200);
            assert_eq!(login.logins(), usize::from(is_replayed), "{ended:?}");
        }
    }
}
