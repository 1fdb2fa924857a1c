//! A service, a reauthenticator, and requests.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::task::Poll;

use async_trait::async_trait;
use http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri};
use shuttle::future::yield_now;
use shuttle::rand::Rng;

use crate::gare::Detection;
use crate::reauth::{
    AnswerHead, Authorization, Challenge, Credential, CredentialRequest, Exchange, GareOptions,
    GareOutcome, Principal, ReauthError, Reauthenticator, RequestHead, Route, Session, Verdict,
    Why,
};

pub(crate) use checks::mock::{MFA, POLICY};
pub(crate) const DOMAIN: &str =
    r#"{"code":"c","authorization_parameters":{"session_required_single_domain":["a.edu"]}}"#;

/// The end of a login.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Way {
    Succeeds,
    Declines,
    Panics,
    Hangs,
    GivesTheSame,
}

/// A reauthenticator whose logins end in the given way. Checks that one login runs at a time.
#[derive(Clone)]
pub(crate) struct Login(Arc<Counters>);

struct Counters {
    way: Way,
    under_way: AtomicUsize,
    started: AtomicUsize,
    /// The requirements that the session at Globus Auth has satisfied so far.
    met: std::sync::Mutex<String>,
    /// The number of logouts.
    revision: AtomicUsize,
}

impl Login {
    pub(crate) fn that(way: Way) -> Self {
        Self(Arc::new(Counters {
            way,
            under_way: AtomicUsize::new(0),
            started: AtomicUsize::new(0),
            met: Default::default(),
            revision: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn started(&self) -> usize {
        self.0.started.load(SeqCst)
    }
}

/// Counts a login as ended when dropped.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Login {
    /// Logs the first user out: later credentials belong to the second.
    pub(crate) fn log_out(&self) {
        self.0.revision.fetch_add(1, SeqCst);
    }

    /// The suffix of the current user's credentials.
    fn suffix(&self) -> &'static str {
        match self.0.revision.load(SeqCst) {
            0 => "",
            _ => "-second",
        }
    }
}

#[async_trait]
impl Reauthenticator for Login {
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        let started = self.0.started.fetch_add(1, SeqCst) + 1;
        let under_way = self.0.under_way.fetch_add(1, SeqCst);
        // A forgotten login may still run.
        let forgotten = self.0.revision.load(SeqCst);
        assert!(under_way <= forgotten, "two logins at a time");
        let _under_way = UnderWay(&self.0.under_way);
        let suffix = self.suffix();
        yield_now().await;
        match self.0.way {
            Way::Succeeds => {
                let asked = &challenge.gare().authorization_parameters;
                let mfa = if asked.session_required_mfa {
                    "mfa"
                } else {
                    ""
                };
                let policies = asked.session_required_policies.concat();
                let domain = asked.session_required_single_domain.concat();
                let met = {
                    let mut met = self.0.met.lock().expect("no panic");
                    *met += &format!("-{mfa}{policies}{domain}");
                    met.clone()
                };
                yield_now().await;
                Ok(Credential::bearer(format!("token-{started}{met}{suffix}"))?)
            }
            Way::GivesTheSame => Ok(Credential::bearer("token-0-")?),
            Way::Declines => Err(ReauthError::declined()),
            Way::Panics => panic!("a reauthenticator that panics"),
            Way::Hangs => std::future::pending().await,
        }
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        let suffix = self.suffix();
        yield_now().await;
        if matches!(request.why(), Why::Required(_)) {
            return Ok(None);
        }
        Ok(Some(Credential::bearer(format!("token-0-{suffix}"))?))
    }

    fn revision(&self, _: &Principal) -> u64 {
        self.0.revision.load(SeqCst) as u64
    }
}

/// The end of a request.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) admitted: bool,
    pub(crate) sent: usize,
    pub(crate) outcome: Option<GareOutcome>,
}

/// Sends a request. It is challenged with `demand` until its token satisfies `admits`.
pub(crate) async fn request(
    session: Session,
    demand: &'static str,
    admits: fn(&str) -> bool,
) -> End {
    request_with(session, GareOptions::new(), demand, admits).await
}

/// A request of `name` that has begun.
pub(crate) fn begun(session: &Session, name: &str) -> Exchange {
    start(session, GareOptions::new().principal(name)).0
}

fn start(session: &Session, options: GareOptions) -> (Exchange, Authorization) {
    let mut extensions = Extensions::new();
    extensions.insert(options.clone());
    let request = RequestHead {
        method: &Method::GET,
        scheme: "https",
        authority: "transfer.api.globus.org",
        path: "/v0.10/task_list",
        headers: &HeaderMap::new(),
        extensions: &extensions,
        defaults: &options,
    };
    match session.start(request) {
        Route::Handle(handled, authorization) => {
            let uri = "https://transfer.api.globus.org/v0.10/task_list";
            let request = (&Method::GET, Uri::from_static(uri));
            (
                Exchange::new(handled, request, None, &options),
                authorization,
            )
        }
        _ => unreachable!("a trusted origin"),
    }
}

pub(crate) async fn request_with(
    session: Session,
    options: GareOptions,
    demand: &'static str,
    admits: fn(&str) -> bool,
) -> End {
    let (mut exchange, authorization) = start(&session, options);
    let mut header = match authorization {
        Authorization::Known(value) => value,
        Authorization::Awaited => exchange.credential().await,
    };
    let mut sent = 0;
    loop {
        sent += 1;
        yield_now().await;
        let admitted = header
            .as_ref()
            .is_some_and(|value: &HeaderValue| admits(value.to_str().expect("ASCII")));
        yield_now().await;
        let status = if admitted {
            StatusCode::OK
        } else {
            StatusCode::FORBIDDEN
        };
        if !admitted {
            let answer = AnswerHead {
                status,
                headers: &HeaderMap::new(),
                sources: &[],
            };
            let detection = Detection::of(demand.as_bytes());
            if let Verdict::Replay(value) = exchange.answered(answer, detection, true).await {
                header = Some(value);
                continue;
            }
        }
        let mut extensions = Extensions::new();
        exchange.finish(status, &mut extensions);
        return End {
            admitted,
            sent,
            outcome: extensions.remove(),
        };
    }
}

/// Runs `future`, and may drop it at a moment that the checker picks.
pub(crate) async fn perhaps_dropped<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if shuttle::rand::thread_rng().gen_bool(0.15) => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}
