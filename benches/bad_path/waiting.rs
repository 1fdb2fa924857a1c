//! Requests that wait for one login.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, Trust, reauth_fn};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Builder;
use tokio::sync::OnceCell;
use tokio::task::JoinSet;
use tower::{Layer, Service, ServiceExt};

use super::kit::{table, time};
use super::server::{self, CREDENTIAL};

const LOGIN: Duration = Duration::from_millis(50);

type Hyper = Client<HttpConnector, Full<Bytes>>;

/// Sends all requests at once, each in a task of its own, to a real server; HTTP/2, so that any number share a connection.
fn at_once<S, E>(count: usize, wrap: impl FnOnce(Hyper) -> S)
where
    S: Service<Request<Full<Bytes>>, Error = E, Future: Send> + Clone + Send + 'static,
    S::Response: Status + Send,
    E: std::fmt::Debug + Send + 'static,
{
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let address = server::start().await;
        let client = Client::builder(TokioExecutor::new())
            .http2_only(true)
            .build_http();
        let service = wrap(client);
        let mut requests = JoinSet::new();
        for _ in 0..count {
            let request = Request::post(format!("http://{address}/v0.10/submission_id"));
            let request = request.body(Full::new(Bytes::from_static(b"{}"))).unwrap();
            requests.spawn(service.clone().oneshot(request));
        }
        while let Some(answer) = requests.join_next().await {
            assert_eq!(answer.unwrap().unwrap().status(), 200);
        }
    });
}

trait Status {
    fn status(&self) -> u16;
}

impl<B> Status for Response<B> {
    fn status(&self) -> u16 {
        Self::status(self).as_u16()
    }
}

/// `count` requests through the layer.
fn with_layer(count: usize) {
    let login = reauth_fn(|_| async {
        tokio::time::sleep(LOGIN).await;
        Ok(Credential::from_header_value(HeaderValue::from_static(
            CREDENTIAL,
        )))
    });
    let layer = GareLayer::new(login).trust(Trust::none().loopback());
    at_once(count, |client| layer.layer(client));
}

/// The same requests, refused and sent again by hand once somebody has logged in.
fn by_hand(count: usize) {
    let login = Arc::new(OnceCell::new());
    at_once(count, |client| {
        tower::service_fn(move |request: Request<Full<Bytes>>| {
            let (mut client, login) = (client.clone(), Arc::clone(&login));
            async move {
                let mut again = request.clone();
                let refusal = client.call(request).await?;
                let _ = refusal.into_body().collect().await;
                login.get_or_init(|| tokio::time::sleep(LOGIN)).await;
                let value = HeaderValue::from_static(CREDENTIAL);
                again.headers_mut().insert("authorization", value);
                client.call(again).await
            }
        })
    });
}

pub fn report() {
    let rows = [1, 100, 10_000].map(|count| {
        let (ours, by_hand_too) = (measure(with_layer, count), measure(by_hand, count));
        let memory = (ours.peak as f64 - by_hand_too.peak as f64) / count as f64;
        let work = (ours.wall - LOGIN.as_nanos() as f64) / count as f64;
        vec![
            table::whole(count as f64),
            table::duration(ours.wall),
            table::duration(by_hand_too.wall),
            format!("{:.3}", ours.wall / by_hand_too.wall),
            table::duration(work.max(0.0)),
            format!("{} bytes", table::whole(memory)),
        ]
    });
    table::print(
        "Refused together, one login of 50 ms",
        &[
            "requests",
            "wall time",
            "by hand",
            "ratio",
            "beside the login, each",
            "memory added, each",
        ],
        &rows,
    );
}

struct Measured {
    wall: f64,
    peak: u64,
}

fn measure(run: fn(usize), count: usize) -> Measured {
    let wall = (0..5).map(|_| {
        let start = Instant::now();
        run(count);
        start.elapsed().as_nanos() as f64
    });
    let wall = time::median(wall.collect());
    let peak = allocation_counter::measure(|| run(count)).bytes_max;
    Measured { wall, peak }
}
