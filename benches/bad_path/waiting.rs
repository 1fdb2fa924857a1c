//! Requests that wait for one login.

use std::cell::Cell;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::join_all;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, reauth_fn};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service, ServiceExt};

use super::kit::{table, time};

const LOGIN: Duration = Duration::from_millis(50);
const REFUSAL: &str = r#"{"code": "AuthorizationRequired", "authorization_parameters": {"session_required_mfa": true}}"#;

/// Refuses whoever has no fresh credential.
async fn serve(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, http::Error> {
    tokio::task::yield_now().await;
    let known = request
        .headers()
        .get("authorization")
        .is_some_and(|value| value == "Bearer fresh");
    let (status, body) = if known { (200, "{}") } else { (403, REFUSAL) };
    Response::builder()
        .status(status)
        .body(Full::new(Bytes::from_static(body.as_bytes())))
}

fn request() -> Request<Full<Bytes>> {
    let request = Request::post("https://transfer.api.globus.org/v0.10/submission_id");
    request.body(Full::new(Bytes::from_static(b"{}"))).unwrap()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// `count` requests through the layer.
fn with_layer(count: usize) {
    let login = reauth_fn(|_| async {
        tokio::time::sleep(LOGIN).await;
        Ok(Credential::bearer("fresh")?)
    });
    let service = GareLayer::new(login).layer(tower::service_fn(serve));
    runtime().block_on(async {
        let requests = (0..count).map(|_| service.clone().oneshot(request()));
        for answer in join_all(requests).await {
            assert_eq!(answer.unwrap().status(), 200);
        }
    });
}

/// The same requests, refused and sent again by hand once somebody has logged in.
fn by_hand(count: usize) {
    let login = tokio::sync::OnceCell::new();
    runtime().block_on(async {
        let requests = (0..count).map(|_| async {
            let mut service = tower::service_fn(serve);
            let refusal = service.call(request()).await.unwrap();
            refusal.into_body().collect().await.unwrap();
            login.get_or_init(|| tokio::time::sleep(LOGIN)).await;
            let mut again = request();
            let value = http::HeaderValue::from_static("Bearer fresh");
            again.headers_mut().insert("authorization", value);
            service.call(again).await.unwrap()
        });
        for answer in join_all(requests).await {
            assert_eq!(answer.status(), 200);
        }
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
    let peak = Cell::new(0);
    peak.set(allocation_counter::measure(|| run(count)).bytes_max);
    Measured {
        wall,
        peak: peak.get(),
    }
}
