//! Serves files over HTTP, at an origin of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Files by their paths, each with its media type.
pub(crate) type Files = BTreeMap<&'static str, (&'static str, String)>;

/// Serves the files until the runtime ends; returns the origin.
pub(crate) async fn serve(files: Files) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let files = Arc::new(files);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, files.clone()));
        }
    });
    format!("http://{address}")
}

/// Answers one request, and closes the connection.
async fn answer(stream: TcpStream, files: Arc<Files>) {
    let mut lines = BufReader::new(stream);
    let mut path = String::new();
    loop {
        let mut line = String::new();
        match lines.read_line(&mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) if line == "\r\n" => break,
            Ok(_) if path.is_empty() => {
                let target = line.split(' ').nth(1).unwrap_or_default();
                path = target.split('?').next().unwrap_or_default().to_owned();
            }
            Ok(_) => {}
        }
    }
    let (status, (kind, body)) = match files.get(path.as_str()) {
        Some((kind, body)) => ("200 OK", (*kind, body.as_str())),
        None => ("404 Not Found", ("text/plain", "")),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    let mut stream = lines.into_inner();
    // The browser may have closed the connection.
    let _ = stream.write_all((head + body).as_bytes()).await;
}
