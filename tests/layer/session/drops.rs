//! A caller that is dropped at each point where it waits, beside other callers.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use globus_gare::layer::{GareLayer, GareService};
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, GareOptions, Principal, ReauthError, Reauthenticator,
    Session,
};
use http::{Request, Response};
use http_body::{Body as HttpBody, Frame};
use tower::{Layer, Service, ServiceExt};

use checks::mock::{Body, MFA, OTHER_POLICY, POLICY, authorization, get, presenting, with};

/// How often a future of this test is pending.
const TURNS: usize = 3;

/// Pending so many times. Yields each time.
struct Turns(usize);

impl Turns {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 == 0 {
            return Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    async fn take(mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }
}

/// A slow body.
struct Slow(Turns, Option<&'static str>);

impl HttpBody for Slow {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.0.poll(cx).is_pending() {
            return Poll::Pending;
        }
        let text = self.1.take();
        Poll::Ready(text.map(|text| Ok(Frame::data(Bytes::from(text)))))
    }
}

/// A service that is slow to be ready, to respond and to send its body. Each path has a requirement
/// of its own.
struct Takes {
    readying: Turns,
    /// The number of the lowest accepted token.
    wanted: Arc<AtomicUsize>,
}

impl Clone for Takes {
    fn clone(&self) -> Self {
        Self {
            readying: Turns(TURNS),
            wanted: Arc::clone(&self.wanted),
        }
    }
}

impl Service<Request<Body>> for Takes {
    type Response = Response<Slow>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Slow>, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.readying.poll(cx).map(Ok)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        assert_eq!(self.readying.0, 0, "called before it was ready");
        self.readying = Turns(TURNS);
        let wanted = self.wanted.load(SeqCst);
        Box::pin(async move {
            Turns(TURNS).take().await;
            let (path, token) = (request.uri().path(), authorization(&request));
            let number = token.strip_prefix("Bearer token-");
            let number = number.and_then(|rest| rest.split('-').next()?.parse().ok());
            let admitted = number.is_some_and(|number: usize| number >= wanted)
                && (path != "/policy" || token.contains("policy"));
            let (status, body) = match (admitted, path) {
                (true, _) => (200, "done"),
                (false, "/policy") => (403, POLICY),
                // This policy could be merged with that of the dropped caller.
                (false, "/afterwards") => (403, OTHER_POLICY),
                (false, _) => (403, MFA),
            };
            let response = Response::builder().status(status);
            let response = response.header("content-type", "application/json");
            let body = Slow(Turns(TURNS), Some(body));
            Ok(response.body(body).expect("a response"))
        })
    }
}

/// A slow login, one at a time, which records its requirements.
#[derive(Clone, Default)]
struct Login {
    asked: Arc<Mutex<Vec<Challenge>>>,
    look_ups: Arc<AtomicUsize>,
    /// Whether a look-up finds a token, until that is rejected.
    stored: bool,
}

#[async_trait]
impl Reauthenticator for Login {
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        let number = {
            let mut asked = self.asked.lock().expect("whole");
            asked.push(challenge.clone());
            asked.len()
        };
        // Longer than other requests need to begin to wait for it.
        Turns(16 * TURNS).take().await;
        let asked = &challenge.gare().authorization_parameters;
        let policy = asked.session_required_policies.concat();
        let kind = if policy.is_empty() { "mfa" } else { "policy" };
        Ok(Credential::bearer(format!("token-{number}-{kind}"))?)
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        let target = request.target();
        if *target.principal() != Principal::Named("ada".into()) {
            return Ok(None);
        }
        self.look_ups.fetch_add(1, SeqCst);
        Turns(8 * TURNS).take().await;
        if self.stored {
            return Ok(Some(Credential::bearer("token-0-stored")?));
        }
        Ok(None)
    }
}

/// Polls `future` so many times, then drops it.
async fn dropped_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |cx| {
        if left > 0
            && let Poll::Ready(output) = future.as_mut().poll(cx)
        {
            return Poll::Ready(Some(output));
        }
        left = left.saturating_sub(1);
        if left == 0 {
            return Poll::Ready(None);
        }
        Poll::Pending
    })
    .await
}

struct Scenario {
    name: &'static str,
    /// The path of the dropped caller, and that of the others.
    victim: &'static str,
    others: &'static str,
    victim_first: bool,
    /// Whether the later callers start after a login is under way, with a token that is rejected.
    staggered: bool,
    stored: bool,
    wanted: usize,
    /// The least and the greatest number of logins.
    logins: (usize, usize),
    /// The least and the greatest number of look-ups. Waiting requests share one.
    look_ups: (usize, usize),
}

type Client = GareService<Takes>;

fn named(path: &str) -> Request<Body> {
    with(get(path), GareOptions::new().principal("ada"))
}

impl Scenario {
    fn request(&self, path: &str) -> Request<Body> {
        match self.staggered {
            false => named(path),
            true => presenting(named(path), "Bearer refused"),
        }
    }
}

impl Login {
    async fn under_way(&self) {
        while self.asked.lock().expect("whole").is_empty() {
            tokio::task::yield_now().await;
        }
    }
}

/// Runs the scenario, and drops the caller after so many polls. Returns whether it got its response
/// before that.
async fn run(scenario: &Scenario, polls: usize) -> bool {
    let Scenario { name, .. } = scenario;
    let login = Login {
        stored: scenario.stored,
        ..Login::default()
    };
    let session = Session::builder(login.clone()).max_principals(1).build();
    let wanted = Arc::new(AtomicUsize::new(scenario.wanted));
    let service = Takes {
        readying: Turns(TURNS),
        wanted: Arc::clone(&wanted),
    };
    let client: Client = GareLayer::from_session(session.clone()).layer(service);
    let request = |path| client.clone().oneshot(scenario.request(path));
    let victim = dropped_after(polls, request(scenario.victim));
    let others = || {
        let requests = (0..3).map(|_| request(scenario.others));
        requests.map(tokio::spawn).collect::<Vec<_>>()
    };
    // Another request starts after the caller was dropped.
    let late = request(scenario.others);
    let victim = async move { (victim.await, late.await) };
    let second = async {
        if scenario.staggered {
            login.under_way().await;
        }
    };
    let (victim, others) = if scenario.victim_first {
        let victim = tokio::spawn(victim);
        second.await;
        (victim, others())
    } else {
        let others = others();
        second.await;
        (tokio::spawn(victim), others)
    };
    for other in others {
        let answer = other.await.expect("no panic").expect("an answer");
        assert_eq!(answer.status(), 200, "{name}, {polls} polls");
    }
    let (answered, late) = victim.await.expect("no panic");
    let status = late.expect("an answer").status();
    assert_eq!(status, 200, "{name}, {polls} polls: the late one");
    if let Some(answer) = &answered {
        let status = answer.as_ref().expect("an answer").status();
        assert_eq!(status, 200, "{name}, {polls} polls");
    }
    let logins = login.asked.lock().expect("whole").len();
    let (least, most) = scenario.logins;
    assert!(
        (least..=most).contains(&logins),
        "{name}, {polls} polls: {logins} logins"
    );
    let look_ups = login.look_ups.load(SeqCst);
    let (least, most) = scenario.look_ups;
    assert!(
        (least..=most).contains(&look_ups),
        "{name}, {polls} polls: {look_ups} look-ups"
    );

    // The session still works, and the requirement of the dropped caller is forgotten.
    wanted.store(logins + 1, SeqCst);
    let answer = client.clone().oneshot(named("/afterwards")).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 200, "{name}, {polls} polls: afterwards");
    let asked = login.asked.lock().expect("whole").clone();
    assert_eq!(asked.len(), logins + 1, "{name}, {polls} polls: afterwards");
    let last = &asked[logins].gare().authorization_parameters;
    assert_eq!(
        last.session_required_policies,
        ["q"],
        "{name}, {polls} polls: a requirement was left behind"
    );

    // No use of its account is left: another principal may replace it.
    let other = GareOptions::new().principal("bob").no_prompt();
    let request = with(get("/mfa"), other);
    let _ = client.oneshot(request).await.expect("an answer");
    let identities = session.stats().principals;
    assert_eq!(identities, 1, "{name}, {polls} polls: one is held");
    answered.is_some()
}

#[checks::test]
async fn dropped_caller_leaves_the_others_working_at_any_wait() {
    let scenario = |name, victim, others, logins, look_ups| Scenario {
        name,
        victim,
        others,
        victim_first: true,
        staggered: false,
        stored: false,
        wanted: 1,
        logins,
        look_ups,
    };
    let scenarios = [
        Scenario {
            stored: true,
            wanted: 0,
            ..scenario("renewal", "/mfa", "/mfa", (0, 0), (1, 1))
        },
        Scenario {
            stored: true,
            ..scenario("renewal and login", "/mfa", "/mfa", (1, 1), (2, 2))
        },
        // A look-up before the request is sent and one before the login. A late one may come in
        // between.
        scenario("login", "/mfa", "/mfa", (1, 1), (2, 3)),
        scenario("login for two", "/policy", "/mfa", (1, 2), (2, 4)),
        scenario("another login for two", "/mfa", "/policy", (1, 2), (2, 4)),
        Scenario {
            staggered: true,
            ..scenario("login to join", "/mfa", "/mfa", (1, 1), (1, 1))
        },
        Scenario {
            staggered: true,
            ..scenario("policy first", "/policy", "/mfa", (1, 2), (1, 4))
        },
        Scenario {
            staggered: true,
            ..scenario("policy second", "/mfa", "/policy", (1, 2), (1, 4))
        },
    ];
    for first in [true, false] {
        for scenario in &scenarios {
            let scenario = Scenario {
                victim_first: first,
                ..*scenario
            };
            let mut polls = 0;
            while !run(&scenario, polls).await {
                polls += 1;
            }
            // The caller waited for readiness, response, body, decision, readiness and response.
            assert!(polls > 2 * TURNS, "{}: {polls} polls", scenario.name);
            println!("{}: dropped at {polls} points", scenario.name);
        }
    }
}
