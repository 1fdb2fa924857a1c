//! The servers: a bare server in the client's thread, and `FakeGlobus` in its own thread and
//! runtime.

use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use fake_globus::{Collection, FakeGlobus, Identity};
use http::{HeaderValue, Request};
use http_body_util::Full;
use tokio::runtime::Builder;

use super::clients::Body;
use checks::bench::request::CREDENTIAL;
use checks::bench::server;
use checks::sample::TRANSFER_ALL;

/// The URL of a server, with a credential that it challenges and one that it accepts.
#[derive(Clone)]
pub struct Place {
    url: String,
    stale: HeaderValue,
    pub fresh: HeaderValue,
}

impl Place {
    /// A request that the server challenges.
    pub fn request(&self) -> Request<Body> {
        Request::get(&self.url)
            .header("authorization", self.stale.clone())
            .header("accept", "application/json")
            .header("user-agent", "bad_path/1.0")
            .body(Full::new(Bytes::new()))
            .expect("a request")
    }
}

pub enum Server {
    /// Started for each batch.
    InThread,
    Fake(Place),
}

impl Server {
    pub fn name(&self) -> &'static str {
        match self {
            Self::InThread => "a bare server in the client's thread",
            Self::Fake(_) => "`FakeGlobus` in its own thread",
        }
    }

    pub fn fake() -> Self {
        Self::Fake(start_fake())
    }

    pub async fn place(&self) -> Place {
        match self {
            Self::Fake(place) => place.clone(),
            Self::InThread => Place {
                url: format!("http://{}/v0.10/task_list", server::start().await),
                stale: secret("AgSt4leAgSt4leAgSt4leAgSt4leAgSt4leAgSt4leAgSt4le"),
                fresh: HeaderValue::from_static(CREDENTIAL),
            },
        }
    }
}

/// Serves a collection that requires a login within ten minutes, until the program ends.
fn start_fake() -> Place {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // Only listings block. One thread is enough; more would take CPU time from the client.
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .build()
            .expect("a runtime");
        runtime.block_on(async move {
            let data = tempfile::tempdir().expect("a directory");
            let ada = Identity::new("ada", "uchicago.edu");
            let collection = Collection::new("Restricted", data.path()).session_minutes(10);
            let globus = FakeGlobus::builder()
                .collection(collection.clone())
                .identity(ada.clone())
                .keep_requests(100)
                .start()
                .await
                .expect("FakeGlobus");
            let stale = globus.issue_token(&ada, TRANSFER_ALL).expect("a token");
            globus.clock().advance(Duration::from_secs(3600));
            let fresh = globus.issue_token(&ada, TRANSFER_ALL).expect("a token");
            let (base, id) = (globus.transfer_url(), collection.id());
            sender
                .send(Place {
                    url: format!("{base}v0.10/operation/endpoint/{id}/stat"),
                    stale: secret(&stale),
                    fresh: secret(&fresh),
                })
                .expect("a receiver");
            std::future::pending::<()>().await;
        });
    });
    receiver.recv().expect("a place")
}

fn secret(token: &str) -> HeaderValue {
    format!("Bearer {token}").parse().expect("a header value")
}
