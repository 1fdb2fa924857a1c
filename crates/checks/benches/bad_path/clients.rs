//! The clients that are compared: the layer, and the same work by hand.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, Session, Trust, reauth_fn};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;
use tokio::sync::OnceCell;
use tower::{Layer, service_fn};

use super::batch::{self, Batch};
use super::places::Server;

pub const LOGIN: Duration = Duration::from_millis(50);

pub type Body = Full<Bytes>;
pub type Hyper = Legacy<HttpConnector, Body>;
type Failure = hyper_util::client::legacy::Error;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// The layer.
    Ours,
    /// Reads the challenge, and parses it with `serde_json`.
    ByHand,
    /// Reads the challenge, and logs in without parsing it.
    Bare,
}

impl Client {
    pub const ALL: [Self; 3] = [Self::Ours, Self::ByHand, Self::Bare];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "globus-gare",
            Self::ByHand => "by hand",
            Self::Bare => "login + replays",
        }
    }

    /// A batch of `count` requests, which are all challenged first. The login takes `login`.
    pub fn batch(self, server: &Server, count: usize, login: Duration) -> Batch {
        match self {
            Self::Ours => batch::prepare(server, count, |place, client| {
                let fresh = place.fresh.clone();
                let reauthenticator = reauth_fn(move |_| {
                    let fresh = fresh.clone();
                    async move {
                        tokio::time::sleep(login).await;
                        Ok(Credential::from_header_value(fresh))
                    }
                });
                let layer = GareLayer::from_session(
                    Session::builder(reauthenticator)
                        .trust(Trust::none().loopback())
                        .build(),
                );
                layer.layer(client)
            }),
            Self::ByHand | Self::Bare => batch::prepare(server, count, |place, client| {
                let by_hand = ByHand {
                    looks: self == Self::ByHand,
                    client,
                    login,
                    logged_in: Arc::default(),
                    fresh: place.fresh.clone(),
                };
                service_fn(move |request| by_hand.clone().send(request))
            }),
        }
    }
}

#[derive(Clone)]
struct ByHand {
    looks: bool,
    client: Hyper,
    login: Duration,
    logged_in: Arc<OnceCell<()>>,
    fresh: HeaderValue,
}

impl ByHand {
    async fn send(self, request: Request<Body>) -> Result<Response<Incoming>, Failure> {
        let mut again = request.clone();
        let answer = self.client.request(request).await?;
        if !matches!(
            answer.status(),
            StatusCode::FORBIDDEN | StatusCode::BAD_GATEWAY
        ) {
            return Ok(answer);
        }
        let body = answer.into_body().collect().await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        assert!(!self.looks || requires_login(&body), "{body:?}");
        self.logged_in
            .get_or_init(|| tokio::time::sleep(self.login))
            .await;
        again.headers_mut().insert("authorization", self.fresh);
        self.client.request(again).await
    }
}

/// The detection of a program that knows one document and one GridFTP reply.
fn requires_login(body: &[u8]) -> bool {
    let Ok(document) = serde_json::from_slice::<Value>(body) else {
        return false;
    };
    if document.get("authorization_parameters").is_some() {
        return true;
    }
    let reply = document.get("message").and_then(Value::as_str);
    reply
        .and_then(|message| message.split_once("GridFTP-JSON-Result: "))
        .and_then(|(_, reply)| serde_json::from_str::<Value>(reply.split("\\r\\n").next()?).ok())
        .is_some_and(|document| document.get("authorization_parameters").is_some())
}
