//! The service of these tests: requires a credential, receives uploads in several manners, and
//! answers with each kind of body.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Incoming;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tower::ServiceExt;
use tower_http::compression::Compression;

use crate::support::server::{Answer, BoxError, Server};

/// The accepted response. Long enough to be compressed.
const LISTING: &str = r#"{"DATA_TYPE": "file_list", "DATA": [], "path": "/~/"}"#;

pub(crate) use checks::mock::MFA as GARE;

#[derive(Clone, Default)]
pub(crate) struct Service(Arc<State>);

struct State {
    /// The received uploads.
    uploads: Mutex<Vec<String>>,
    /// Releases slow responses.
    gate: Semaphore,
}

impl Default for State {
    fn default() -> Self {
        Self {
            uploads: Mutex::default(),
            gate: Semaphore::new(0),
        }
    }
}

impl Service {
    pub(crate) async fn start(&self) -> Server {
        let service = self.clone();
        Server::start(move |request| service.clone().answer(request)).await
    }

    pub(crate) fn uploads(&self) -> Vec<String> {
        self.0.uploads.lock().expect("no panic").clone()
    }

    pub(crate) fn let_go(&self) {
        self.0.gate.add_permits(1);
    }

    async fn answer(self, request: Request<Incoming>) -> Answer {
        let known = request
            .headers()
            .get_all("authorization")
            .iter()
            .eq(["Bearer fresh"]);
        let path = request.uri().path().to_owned();
        match path.rsplit_once('/').expect("a path") {
            ("/upload", manner) => self.upload(manner, known, request).await,
            (_, kind) => self.download(kind, known, request).await,
        }
    }

    async fn upload(self, manner: &str, known: bool, request: Request<Incoming>) -> Answer {
        let (head, mut body) = request.into_parts();
        let framing = |name: &str| {
            let value = head.headers.get(name);
            value
                .map_or("-", |value| value.to_str().expect("ASCII"))
                .to_owned()
        };
        let framed = format!(
            "{} {}",
            framing("content-length"),
            framing("transfer-encoding")
        );
        match manner {
            _ if known => {}
            "whole" => {
                self.note(receive(body).await, &framed);
                return json(403, GARE);
            }
            "partly" => {
                let _ = body.frame().await;
            }
            "early" => {}
            _ => panic!("{manner}"),
        }
        if known {
            let received = receive(body).await;
            self.note(received.clone(), &framed);
            return json(200, &received.unwrap_or_default());
        }
        // Read to its end, as servers do to avoid a reset of the connection.
        tokio::spawn(async move { receive(body).await });
        json(403, GARE)
    }

    fn note(&self, received: Option<String>, framed: &str) {
        let received = received.unwrap_or_else(|| "broken".to_owned());
        let mut uploads = self.0.uploads.lock().expect("no panic");
        uploads.push(format!("{received} {framed}"));
    }

    async fn download(self, kind: &str, known: bool, request: Request<Incoming>) -> Answer {
        let text = if known { LISTING } else { GARE };
        let status = if known { 200 } else { 403 };
        let pieces = |rest: Vec<Result<Frame<Bytes>, BoxError>>| {
            let (one, two) = text.split_at(5);
            let data =
                [one, two].map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes()))));
            framed(status, stream::iter(data.into_iter().chain(rest)))
        };
        match kind {
            "sized" => json(status, text),
            "chunked" => pieces(vec![]),
            "trailers" => {
                let trailers = HeaderMap::from_iter([(
                    http::HeaderName::from_static("x-sum"),
                    http::HeaderValue::from_static("right"),
                )]);
                let mut answer = pieces(vec![Ok(Frame::trailers(trailers))]);
                answer
                    .headers_mut()
                    .insert("trailer", "x-sum".parse().expect("a value"));
                answer
            }
            "reset" => {
                // The first pieces are sent before the connection breaks.
                let (one, two) = text.split_at(5);
                let pieces = VecDeque::from([Ok(one), Ok(two), Err("reset")]);
                let slowly = stream::unfold(pieces, async |mut pieces| {
                    tokio::task::yield_now().await;
                    let piece = pieces.pop_front()?;
                    let frame = piece.map(|text| Frame::data(Bytes::from_static(text.as_bytes())));
                    Some((frame.map_err(BoxError::from), pieces))
                });
                framed(status, slowly)
            }
            "drip" => {
                let state = Arc::clone(&self.0);
                let slowly = stream::iter(text.as_bytes().chunks(40)).enumerate().then(
                    move |(position, piece)| {
                        let state = Arc::clone(&state);
                        async move {
                            if position > 0 && !known {
                                state.gate.acquire().await.expect("open").forget();
                            }
                            Ok(Frame::data(Bytes::from_static(piece)))
                        }
                    },
                );
                framed(status, slowly)
            }
            "endless" => {
                // Numbered, so that a missing piece is noticed.
                let piece = |number: u32| Bytes::from(format!("{number:08}").repeat(1024));
                let pieces = stream::iter(0u32..).map(move |number| Ok(Frame::data(piece(number))));
                framed(status, pieces)
            }
            "long" => json(status, &format!("{text}{}", " ".repeat(300 * 1024))),
            "none" => Response::builder()
                .status(204)
                .body(Empty::new().map_err(|never| match never {}).boxed())
                .expect("an answer"),
            "gzip" | "br" | "zstd" => {
                let inner = tower::service_fn(move |_: Request<Incoming>| async move {
                    Ok::<_, BoxError>(json(status, text))
                });
                let answer = Compression::new(inner)
                    .oneshot(request)
                    .await
                    .expect("an answer");
                assert_eq!(answer.headers()["content-encoding"], kind);
                answer.map(|body| body.map_err(BoxError::from).boxed())
            }
            _ => panic!("{kind}"),
        }
    }
}

/// The length, hash and trailer of a body; `None` if it broke off.
async fn receive(body: Incoming) -> Option<String> {
    let body = body.collect().await.ok()?;
    let trailer = body.trailers().and_then(|trailers| trailers.get("x-sum"));
    let trailer = trailer
        .map_or("-", |value| value.to_str().expect("ASCII"))
        .to_owned();
    let data = body.to_bytes();
    Some(format!(
        "{} {:x?} {trailer}",
        data.len(),
        Sha256::digest(&data).as_slice()
    ))
}

/// The result of [`receive`] for `data`.
pub(crate) fn received(data: &[u8], trailer: bool) -> String {
    let trailer = if trailer { "right" } else { "-" };
    format!(
        "{} {:x?} {trailer}",
        data.len(),
        Sha256::digest(data).as_slice()
    )
}

fn json(status: u16, text: &str) -> Answer {
    let body = Full::from(text.to_owned()).map_err(|never| match never {});
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(BodyExt::boxed(body))
        .expect("an answer")
}

fn framed(
    status: u16,
    frames: impl futures_util::Stream<Item = Result<Frame<Bytes>, BoxError>> + Send + Sync + 'static,
) -> Answer {
    let body = StreamBody::new(frames);
    assert!(body.size_hint().exact().is_none());
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(BodyExt::boxed(body))
        .expect("an answer")
}
