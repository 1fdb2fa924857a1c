//! The example `download`, with a collection's server on loopback.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use checks::tokens::with;
use futures_util::StreamExt;
use globus_login::JsonStore;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, RANGE};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::support::collection::COLLECTION;
use crate::support::endpoint::*;
use crate::support::program::{coverage, example};
use crate::support::*;

const FILE: &[u8] = b"0123456789";

/// The requested paths, each with the ports of the clients.
type Seen = Arc<Mutex<HashMap<String, Vec<u16>>>>;

fn answered(status: u16, body: impl Into<Body>) -> Response {
    let response = Response::builder().status(status).body(body.into());
    response.expect("an answer")
}

fn out_of_order(code: &str) -> Response {
    let text = format!("GlobusError: v=1 c={code}\r\nGridFTP-Reason: so\r\n");
    answered(404, text)
}

/// The bytes of the requested range.
fn file(request: &Request) -> Response {
    let range = request.headers()[RANGE].to_str().expect("text");
    let from = range
        .strip_prefix("bytes=")
        .and_then(|it| it.strip_suffix('-'));
    let from: usize = from.and_then(|it| it.parse().ok()).expect("a range");
    let whole: &[u8] = match request.uri().path() {
        "/empty" => &[],
        _ => FILE,
    };
    match whole.get(from..) {
        None | Some([]) => answered(416, ""),
        Some(rest) => answered(206, rest),
    }
}

/// A response that announces the whole file and ends after four bytes.
fn cut_short() -> Response {
    let sent = [Ok(Bytes::from_static(&FILE[..4])), Err("torn")];
    let sent = futures_util::stream::iter(sent).then(async |part| {
        // Lets the first bytes go out.
        tokio::task::yield_now().await;
        part
    });
    let mut response = answered(200, Body::from_stream(sent));
    let length = FILE.len().into();
    response.headers_mut().insert(CONTENT_LENGTH, length);
    response
}

async fn serve(seen: Seen) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(
        move |ConnectInfo(client): ConnectInfo<SocketAddr>, request: Request| {
            let path = request.uri().path().to_owned();
            let mut seen = seen.lock().expect("no panic");
            let ports = seen.entry(path.clone()).or_default();
            ports.push(client.port());
            let token = request.headers().get(AUTHORIZATION);
            assert_eq!(token.expect("a token"), "Bearer of-collection");
            let answer = match path.as_str() {
                "/short" if ports.len() == 1 => cut_short(),
                // Each connection keeps its back end.
                "/flaky" if ports[0] == client.port() => out_of_order("INTERNAL_ERROR"),
                "/broken" => out_of_order("ENDPOINT_ERROR"),
                "/missing" => out_of_order("PATH_NOT_FOUND"),
                _ => file(&request),
            };
            async move { answer }
        },
    );
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    url
}

/// A home directory with a login, for the example.
async fn home() -> TempDir {
    let home = tempfile::tempdir().expect("a directory");
    let path = format!(".globus/app/{CLIENT}/download/tokens.json");
    let store = JsonStore::new(home.path().join(path));
    for (server, access, scope) in [
        (AUTH_SERVER, "of-auth", "openid"),
        (TRANSFER_SERVER, "of-transfer", TRANSFER_ALL),
        (COLLECTION, "of-collection", "https"),
    ] {
        let token = stored(server, access, true);
        keep(&store, with(&token, json!({"scope": scope}))).await;
    }
    home
}

/// Runs the example in `home`. Returns whether it succeeded, and its errors.
async fn downloaded(home: &TempDir, url: &str) -> (bool, String) {
    let ran = Command::new(example("download"))
        .args([url, COLLECTION])
        .env_clear()
        .envs(coverage())
        .env("HOME", home.path())
        .env("GLOBUS_CLIENT_ID", CLIENT)
        .env("GLOBUS_SDK_SERVICE_URL_AUTH", "http://127.0.0.1:1")
        .current_dir(home.path())
        .output();
    let ran = ran.await.expect("the example starts");
    let printed = String::from_utf8_lossy(&ran.stderr).into_owned();
    (ran.status.success(), printed)
}

#[checks::test(seconds = 600)]
async fn download_resumes_retries_and_reports_a_missing_file() {
    let seen = Seen::default();
    let server = serve(Arc::clone(&seen)).await;
    let home = home().await;
    for (path, before, result, tries) in [
        ("/whole", "", Ok(FILE), 1),
        ("/begun", "0123", Ok(FILE), 1),
        ("/ended", "0123456789", Ok(FILE), 1),
        ("/empty", "", Ok(&FILE[..0]), 1),
        ("/short", "", Ok(FILE), 2),
        ("/flaky", "", Ok(FILE), 2),
        ("/missing", "", Err("no such file"), 1),
        ("/broken", "", Err("try again later"), 5),
    ] {
        let name = home.path().join(&path[1..]);
        std::fs::write(&name, before).expect("a file");
        let (is_done, printed) = downloaded(&home, &format!("{server}{path}")).await;
        assert_eq!(is_done, result.is_ok(), "{path}: {printed}");
        match result {
            Err(says) => assert!(printed.contains(says), "{path}: {printed}"),
            Ok(file) => assert_eq!(std::fs::read(&name).expect("a file"), file, "{path}"),
        }
        let mut ports = seen.lock().expect("no panic")[path].clone();
        assert_eq!(ports.len(), tries, "{path}");
        ports.dedup();
        assert_eq!(ports.len(), tries, "{path}: one connection for each try");
    }
}

#[checks::test(seconds = 600)]
async fn url_of_a_directory_is_an_error() {
    let home = tempfile::tempdir().expect("a directory");
    for url in ["https://data.example/", "https://data.example/directory/"] {
        let (is_done, printed) = downloaded(&home, url).await;
        assert!(
            !is_done && printed.contains("the URL names no file"),
            "{printed}"
        );
    }
}
