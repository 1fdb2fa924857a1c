//! Two threads that send requests through one session at once.

use std::sync::Barrier;
use std::task::{Context, Waker};
use std::time::Instant;

use bytes::Bytes;
use futures_util::FutureExt;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, GareOptions, reauth_fn};
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, Service};

use checks::bench::{table, time};

const CALLS: u32 = 1_000_000;

type Body = Full<Bytes>;

async fn serve(request: Request<Body>) -> Result<Response<Body>, http::Error> {
    let known = request.headers().contains_key("authorization");
    let body = if known {
        "{}"
    } else {
        r#"{"authorization_parameters": {}}"#
    };
    let response = Response::builder().status(if known { 200 } else { 403 });
    response.body(Full::new(Bytes::from_static(body.as_bytes())))
}

fn request(named: Option<&'static str>) -> Request<Body> {
    let mut request = Request::get("https://transfer.api.globus.org/v0.10/task_list")
        .body(Full::default())
        .unwrap();
    if let Some(name) = named {
        request
            .extensions_mut()
            .insert(GareOptions::new().identity(name));
    }
    request
}

/// Nanoseconds of a call, where `threads` make calls at once.
fn calls<S>(service: &S, threads: usize, named: Option<&'static str>) -> f64
where
    S: Service<Request<Body>> + Clone + Send + Sync,
{
    let barrier = Barrier::new(threads);
    let took = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut service = service.clone();
                    let template = request(named);
                    barrier.wait();
                    let start = Instant::now();
                    for _ in 0..CALLS {
                        let _ = service.poll_ready(&mut Context::from_waker(Waker::noop()));
                        std::hint::black_box(
                            service.call(template.clone()).now_or_never().is_some(),
                        );
                    }
                    start.elapsed().as_nanos() as f64
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .fold(0.0, f64::max)
    });
    took / f64::from(CALLS)
}

fn row<S>(name: &str, service: &S, named: Option<&'static str>) -> Vec<String>
where
    S: Service<Request<Body>> + Clone + Send + Sync,
{
    let of = |threads| time::median((0..3).map(|_| calls(service, threads, named)).collect());
    let (one, two): (f64, f64) = (of(1), of(2));
    vec![
        name.to_owned(),
        table::duration(one),
        table::duration(two),
        format!("{:.2}", two / one),
    ]
}

pub fn report() {
    let login = reauth_fn(|_| async { Ok(Credential::bearer("fresh")?) });
    let mut layered = GareLayer::new(login).layer(tower::service_fn(serve));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for named in [None, Some("ada")] {
        let answer = runtime.block_on(layered.call(request(named))).unwrap();
        assert_eq!(answer.status(), 200);
    }
    table::print(
        "Calls through one session, by one thread and by two at once",
        &["service", "one thread", "two threads", "ratio"],
        &[
            row("bare service", &tower::service_fn(serve), None),
            row("globus-gare, the session's own identity", &layered, None),
            row(
                "globus-gare, an identity that requests name",
                &layered,
                Some("ada"),
            ),
        ],
    );
}
