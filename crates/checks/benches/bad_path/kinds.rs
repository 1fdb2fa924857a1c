//! Requests with three requirements, each of which takes its own login: a request waits for the
//! logins of others, then for its own.
//!
//! In process, with a paused clock: all requests wait before a login ends, and only the layer is
//! counted.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use checks::bench::Case;
use checks::bench::bar::Bars;
use checks::bench::cost::{Cost, Costs};
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, reauth_fn};
use http::{Request, Response};
use http_body_util::Full;
use tokio::runtime::Builder;
use tokio::task::JoinSet;
use tower::{Layer, ServiceExt, service_fn};

use super::clients::LOGIN;

type Body = Full<Bytes>;

const KINDS: usize = 3;
const FEW: usize = 1_000;
const MANY: usize = 10_000;

pub fn cases() -> [Case; 2] {
    [FEW, MANY].map(|count| Case::new(name(count), move || batch(count)))
}

/// The cost of a request does not depend on the number of waiters. If the total were quadratic, it
/// would be ten times as much.
pub fn bars(bars: &mut Bars, costs: &Costs) {
    let each = |count: usize| -> Cost { costs.of(&name(count)) / count as f64 };
    bars.both(
        "one of 10,000 waiters, three requirements",
        each(MANY),
        ("one of 1,000", each(FEW)),
        1.25,
    );
}

fn name(count: usize) -> String {
    format!("{count} requests, three requirements")
}

/// The kinds of requests whose login has succeeded.
#[derive(Clone, Default)]
struct Satisfied(Arc<Mutex<HashSet<String>>>);

impl Satisfied {
    fn add(&self, kinds: &[String]) -> usize {
        let mut satisfied = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        satisfied.extend(kinds.iter().cloned());
        satisfied.len()
    }

    fn has(&self, kind: &str) -> bool {
        let satisfied = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        satisfied.contains(kind)
    }
}

/// Sends `count` requests, of each kind in turn, and waits for the responses.
fn batch(count: usize) {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let satisfied = Satisfied::default();
    let logins = satisfied.clone();
    let login = reauth_fn(move |challenge| {
        let logins = logins.clone();
        async move {
            tokio::time::sleep(LOGIN).await;
            let required = &challenge.gare().authorization_parameters;
            let number = logins.add(&required.session_required_single_domain);
            Ok(Credential::bearer(format!("login{number}"))?)
        }
    });
    let service = service_fn(move |request: Request<Body>| {
        let response = answer(&satisfied, request.uri().path().trim_start_matches('/'));
        async { Ok::<_, Infallible>(response) }
    });
    let service = GareLayer::new(login).layer(service);
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for at in 0..count {
            let url = format!("https://transfer.api.globus.org/kind{}", at % KINDS);
            let request = Request::get(url).body(Body::default()).expect("a request");
            tasks.spawn(service.clone().oneshot(request));
        }
        while let Some(response) = tasks.join_next().await {
            let response = response.expect("no panic").expect("a response");
            assert_eq!(response.status(), 200);
        }
    });
}

fn answer(satisfied: &Satisfied, kind: &str) -> Response<Body> {
    if satisfied.has(kind) {
        return Response::new(Body::new(Bytes::from_static(b"{}")));
    }
    let body = format!(
        r#"{{"authorization_parameters": {{"session_required_single_domain": ["{kind}"]}}}}"#
    );
    let response = Response::builder().status(403);
    response.body(Body::new(body.into())).expect("a response")
}
