//! A run: rounds of requests, while the clock advances and consents are revoked.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use checks::sample::TRANSFER_ALL;
use fake_globus::{Browser, Clock, Collection, ErrorShape, FakeGlobus, Identity, Policy};
use globus_gare::reauth::{Credential, Principal as Identified, Session, Stats, Trust};
use globus_login::GlobusApp;
use http::HeaderValue;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::clients::{Clients, Urls};
use crate::ledger::Ledger;
use crate::logins::{Logins, People, named};
use crate::plan::{Plan, USERS};
use crate::proxy::Proxy;
use crate::report;
use crate::usage::{self, Usage};

pub(crate) const IN_FLIGHT: u32 = 256;
pub(crate) const ROUNDS: u32 = 20;
/// How often the clock advances in a long run, and the least number of requests in between, because
/// a login takes time.
const TICKS: u32 = 200;
const SOONEST: u32 = 1_000;
/// The step of the clock: all sessions expire, and from time to time the tokens.
const TICK: Duration = Duration::from_secs(10 * 60 * 60);
/// Short, because the requests of a hanging login wait this long.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(1);
/// More than the users, and far fewer than the logins and the one-time principals.
pub(crate) const REMEMBERED: usize = 128;

/// The results of a run.
pub(crate) struct Results {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) ends: BTreeMap<&'static str, u64>,
    pub(crate) odd: Vec<String>,
    pub(crate) usage: Vec<Usage>,
    pub(crate) stats: Stats,
    pub(crate) prompts: u32,
    pub(crate) violations: Vec<String>,
    /// Tasks that are alive at the end: of the clients, and of the servers.
    pub(crate) tasks: (usize, usize),
    pub(crate) took: Duration,
}

/// The state that all callers share.
struct Shared {
    ledger: Arc<Ledger>,
    urls: Urls,
    clock: Clock,
    globus: Arc<FakeGlobus>,
    identities: Arc<Vec<Identity>>,
    next: AtomicU32,
    tick_every: u32,
    ends: Mutex<BTreeMap<&'static str, u64>>,
    odd: Mutex<Vec<String>>,
}

/// Sends `requests` requests.
pub(crate) fn send_requests(requests: u32) -> Results {
    let began = Instant::now();
    let (servers, callers) = (runtime("servers"), runtime("callers"));
    let ledger = Arc::new(Ledger::new(requests));
    let identities: Vec<_> = (0..USERS)
        .map(|user| Identity::new(format!("user{user}"), "uchicago.edu"))
        .collect();
    let identities = Arc::new(identities);
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("hello.txt"), "hello").unwrap();
    let collections = collections(data.path());
    let (globus, proxy) = servers.block_on(async {
        let builder = FakeGlobus::builder().keep_requests(1_000);
        let builder = identities
            .iter()
            .cloned()
            .fold(builder, |all, one| all.identity(one));
        let builder = collections
            .iter()
            .cloned()
            .fold(builder, |all, one| all.collection(one));
        let globus = builder.start().await.unwrap();
        let address = globus.transfer_url().replace("http://", "");
        let address = address.trim_end_matches('/').to_owned();
        let proxy = Proxy::open(Arc::clone(&ledger), address).unwrap();
        (Arc::new(globus), proxy)
    });
    let base = format!("http://{}/", proxy.address);

    let tokens: Vec<_> = identities
        .iter()
        .map(|identity| globus.issue_token(identity, TRANSFER_ALL).unwrap())
        .collect();
    let values = tokens.iter().map(|token| {
        let credential = Credential::bearer(token).unwrap();
        credential.header_value().clone()
    });
    let names = identities
        .iter()
        .map(|identity| HeaderValue::from_str(&identity.username()).unwrap());
    let urls = Urls {
        base: base.clone(),
        collections: collections
            .iter()
            .map(|collection| collection.id().to_string())
            .collect(),
        users: names.zip(values).collect(),
    };
    let presented: HashMap<_, _> = (0..USERS)
        .map(|user| (urls.users[user as usize].1.as_bytes().to_vec(), user))
        .collect();
    let people = People {
        identities: Arc::clone(&identities),
        presented: Arc::new(presented),
        browser: Browser::new(),
        asked: Arc::default(),
    };
    let asked = Arc::clone(&people.asked);
    let app = GlobusApp::user(globus.client_id().to_string())
        .auth_url(globus.auth_url())
        .resource_server_for(&base, "transfer.api.globus.org")
        .refresh_tokens(false)
        .prompt(people.clone())
        .build()
        .unwrap();
    let under_way = Arc::<AtomicUsize>::default();
    let logins = Logins {
        app: app.clone(),
        under_way: Arc::clone(&under_way),
    };
    let session = Session::builder(logins)
        .trust(Trust::none().origin(&base).unwrap())
        .login_timeout(LOGIN_TIMEOUT)
        // A run takes minutes, so the backoffs are shorter.
        .backoff(Duration::from_millis(20), Duration::from_millis(40))
        .login_budget(10, Duration::from_millis(400))
        .max_principals(REMEMBERED)
        .build();
    let shared = Arc::new(Shared {
        ledger: Arc::clone(&ledger),
        urls,
        clock: globus.clock(),
        globus: Arc::clone(&globus),
        identities,
        next: AtomicU32::new(0),
        tick_every: (requests / TICKS).max(SOONEST),
        ends: Mutex::default(),
        odd: Mutex::default(),
    });

    let usage = callers.block_on(async {
        begin(&app, &people).await;
        drop((app, people));
        let mut usage = Vec::new();
        let bar = progress(requests);
        for round in 1..=ROUNDS {
            let last = u32::try_from(u64::from(requests) * u64::from(round) / u64::from(ROUNDS));
            let last = last.unwrap_or(requests);
            shared.round(Clients::of(&session), last, &bar).await;
            wait_for(|| under_way.load(SeqCst) == 0).await;
            settled(&servers).await;
            let tasks = settled(&callers).await;
            usage.push(Usage {
                requests: last,
                after: began.elapsed(),
                heap: usage::heap(),
                resident: usage::resident(),
                descriptors: usage::descriptors(),
                tasks,
                principals: session.stats().principals,
            });
        }
        bar.finish_and_clear();
        usage
    });

    let stats = session.stats();
    drop(session);
    let shared = Arc::into_inner(shared).expect("no caller is left");
    drop(shared.globus);
    let callers_left = callers.block_on(left(&callers));
    let globus = Arc::into_inner(globus).expect("nobody else has it");
    let violations = globus
        .violations()
        .iter()
        .map(|violation| format!("{violation:?}"))
        .collect();
    drop(proxy);
    servers
        .block_on(globus.shutdown())
        .expect("no handler panicked");
    let servers_left = servers.block_on(left(&servers));
    for runtime in [callers, servers] {
        runtime.shutdown_timeout(Duration::from_secs(5));
    }
    Results {
        ledger,
        ends: shared.ends.into_inner().unwrap(),
        odd: shared.odd.into_inner().unwrap(),
        usage,
        stats,
        prompts: asked.load(SeqCst),
        violations,
        tasks: (callers_left, servers_left),
        took: began.elapsed(),
    }
}

pub(crate) fn runtime(name: &str) -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(2).thread_name(name).enable_all();
    builder.build().unwrap()
}

/// The collections: one that accepts any token, and others that require a recent login, a policy,
/// MFA or a consent, with different errors.
fn collections(data: &std::path::Path) -> Vec<Collection> {
    let (hour, domain) = (60, "uchicago.edu");
    let collection = |name: &str| Collection::new(name, data);
    vec![
        collection("Open"),
        collection("Recent")
            .domain(domain)
            .session_minutes(hour)
            .errors(ErrorShape::Detail),
        collection("Policy").policy(Policy::new("Today").session_minutes(15 * hour)),
        collection("Strict")
            .mfa()
            .domain(domain)
            .session_minutes(25 * hour)
            .errors(ErrorShape::Embedded),
        collection("Mapped").data_access(),
    ]
}

/// Logs in all users that requests only name.
async fn begin(app: &GlobusApp, people: &People) {
    for user in (0..USERS).step_by(2) {
        let identity = match user {
            0 => Identified::Session,
            _ => Identified::Named(named(user).into()),
        };
        let pending = app.begin_login(&identity, None).await.unwrap();
        let url = people.log_in(pending.authorize_url(), user, true).await;
        app.finish_login(pending, url.unwrap()).await.unwrap();
    }
}

impl Shared {
    /// Sends the requests up to `last`, and waits for their ends. Then the clients close their
    /// connections.
    async fn round(self: &Arc<Self>, clients: Clients, last: u32, bar: &ProgressBar) {
        let mut callers = JoinSet::new();
        for _ in 0..IN_FLIGHT {
            let (shared, clients, bar) = (Arc::clone(self), clients.clone(), bar.clone());
            callers.spawn(async move {
                loop {
                    let number = shared.next.fetch_add(1, SeqCst);
                    if number >= last {
                        break;
                    }
                    shared.send(&clients, number).await;
                    bar.inc(1);
                }
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended.expect("no caller panics");
        }
        self.next.store(last, SeqCst);
    }

    async fn send(&self, clients: &Clients, number: u32) {
        if number % self.tick_every == self.tick_every - 1 {
            self.advance_clock(number / self.tick_every);
        }
        let plan = Plan::of(number);
        let end = clients.run(&plan, &self.urls).await;
        self.ledger.ended(number);
        match report::verdict(&plan, &end, &self.ledger) {
            Ok(verdict) => *self.ends.lock().unwrap().entry(verdict).or_default() += 1,
            Err(odd) => self.odd.lock().unwrap().push(format!("{plan:?}: {odd}")),
        }
    }

    /// Advances the clock by ten hours. Sometimes revokes a user's consents.
    fn advance_clock(&self, tick: u32) {
        self.clock.advance(TICK);
        if tick.is_multiple_of(3) {
            let user = (tick / 3) % USERS;
            let revoked = self.globus.revoke_consents(&self.identities[user as usize]);
            revoked.expect("a known identity");
        }
    }
}

fn progress(requests: u32) -> ProgressBar {
    let style = "{bar:40} {human_pos}/{human_len} requests, {per_sec}, {eta} left";
    let style = ProgressStyle::with_template(style).unwrap();
    ProgressBar::new(requests.into()).with_style(style)
}

/// Waits until `is_so`, for at most ten seconds.
async fn wait_for(is_so: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The number of tasks of `runtime`, once it is constant.
async fn settled(runtime: &Runtime) -> usize {
    let (mut tasks, mut times) = (0, 0);
    while times < 10 {
        let now = runtime.metrics().num_alive_tasks();
        times = if now == tasks { times + 1 } else { 0 };
        tasks = now;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tasks
}

/// The number of tasks of `runtime` that do not end.
async fn left(runtime: &Runtime) -> usize {
    let alive = || runtime.metrics().num_alive_tasks();
    wait_for(|| alive() == 0).await;
    alive()
}
