//! Requests that wait for a login which is not theirs: each kind asks for its own when that is over.
//!
//! In process, where nothing is measured but the layer: what a request costs must not grow with how many there are.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, reauth_fn};
use http::{Request, Response};
use http_body_util::Full;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tower::{Layer, ServiceExt, service_fn};

use super::batch::Batch;
use super::clients::LOGIN;
use super::measure::measure;
use checks::bench::{table, time};

type Body = Full<Bytes>;

const KINDS: usize = 3;

/// `count` requests, of all kinds in turn. None is let in before somebody has logged in for its kind.
fn batch(count: usize) -> Batch {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let satisfied = Arc::<Mutex<HashSet<String>>>::default();
    let known = Arc::clone(&satisfied);
    let login = reauth_fn(move |challenge| {
        let satisfied = Arc::clone(&satisfied);
        async move {
            tokio::time::sleep(LOGIN).await;
            let asked = &challenge.gare().authorization_parameters;
            let mut satisfied = satisfied.lock().unwrap();
            satisfied.extend(asked.session_required_single_domain.iter().cloned());
            Ok(Credential::bearer(format!("login{}", satisfied.len()))?)
        }
    });
    let service = service_fn(move |request: Request<Body>| {
        let kind = request.uri().path().trim_start_matches('/').to_owned();
        let response = if known.lock().unwrap().contains(&kind) {
            Response::new(Body::new(Bytes::from_static(b"{}")))
        } else {
            let body = format!(
                r#"{{"authorization_parameters": {{"session_required_single_domain": ["{kind}"]}}}}"#
            );
            let response = Response::builder().status(403);
            response.body(Body::new(body.into())).unwrap()
        };
        async { Ok::<_, std::convert::Infallible>(response) }
    });
    let service = GareLayer::new(login).layer(service);
    Box::new(move || {
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for at in 0..count {
                let url = format!("https://transfer.api.globus.org/kind{}", at % KINDS);
                let request = Request::get(url).body(Body::default()).unwrap();
                tasks.spawn(service.clone().oneshot(request));
            }
            while let Some(answer) = tasks.join_next().await {
                assert_eq!(answer.unwrap().unwrap().status(), 200);
            }
        });
    })
}

pub fn report() {
    let rows = [100, 1_000, 10_000].map(|count| {
        let runs = (0..7).map(|_| measure(batch(count)).cpu.as_nanos() as f64);
        let cpu = time::median(runs.collect());
        vec![
            table::whole(count as f64),
            table::duration(cpu / count as f64),
        ]
    });
    table::print(
        "Three requirements that no one login satisfies, in process",
        &["requests", "CPU, each"],
        &rows,
    );
}
