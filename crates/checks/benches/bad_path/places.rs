//! The servers that refuse: one in the client's own thread, where nothing but the requests themselves takes time, and
//! `FakeGlobus`, in a thread and a runtime of its own.

use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use fake_globus::{Collection, FakeGlobus, Identity};
use http::{HeaderValue, Request};
use http_body_util::Full;
use tokio::runtime::Builder;

use super::clients::Body;
use checks::bench::server::{self, CREDENTIAL};

/// Where requests go, and what they are let in with.
#[derive(Clone)]
pub struct Place {
    url: String,
    stale: HeaderValue,
    pub fresh: HeaderValue,
}

impl Place {
    /// One that will be refused.
    pub fn request(&self) -> Request<Body> {
        Request::get(&self.url)
            .header("authorization", self.stale.clone())
            .header("accept", "application/json")
            .header("user-agent", "bad_path/1.0")
            .body(Full::new(Bytes::new()))
            .unwrap()
    }
}

pub enum Server {
    /// One is started for each batch.
    InThread,
    Fake(Place),
}

impl Server {
    pub fn name(&self) -> &'static str {
        match self {
            Self::InThread => "a bare server in the client's thread",
            Self::Fake(_) => "`FakeGlobus` in a thread of its own",
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

/// Serves a collection that wants a session of the last ten minutes, until the program ends.
fn start_fake() -> Place {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        // What a listing waits for is the disk: one thread is enough, and more would only get in the client's way.
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        runtime.block_on(async move {
            let data = tempfile::tempdir().unwrap();
            let ada = Identity::new("ada", "uchicago.edu");
            let collection = Collection::new("Restricted", data.path()).session_minutes(10);
            let globus = FakeGlobus::builder()
                .collection(collection.clone())
                .identity(ada.clone())
                .keep_requests(100)
                .start()
                .await
                .unwrap();
            let scope = "urn:globus:auth:scope:transfer.api.globus.org:all";
            let stale = globus.issue_token(&ada, scope).unwrap();
            globus.clock().advance(Duration::from_secs(3600));
            let fresh = globus.issue_token(&ada, scope).unwrap();
            let (base, id) = (globus.transfer_url(), collection.id());
            tell.send(Place {
                url: format!("{base}v0.10/operation/endpoint/{id}/stat"),
                stale: secret(&stale),
                fresh: secret(&fresh),
            })
            .unwrap();
            std::future::pending::<()>().await;
        });
    });
    told.recv().unwrap()
}

fn secret(token: &str) -> HeaderValue {
    format!("Bearer {token}").parse().unwrap()
}
