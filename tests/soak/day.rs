//! The day itself: requests in rounds, and what changes while they are under way.

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

use crate::clients::{Clients, Map};
use crate::errand::{Errand, USERS};
use crate::gate::Gate;
use crate::judge;
use crate::ledger::Ledger;
use crate::logins::{Logins, People, named};
use crate::vitals::{self, Vitals};

pub(crate) const IN_FLIGHT: u32 = 256;
pub(crate) const ROUNDS: u32 = 20;
/// How often the clock is moved on a long day, and after how many requests at the soonest: a login takes its time.
const TICKS: u32 = 200;
const SOONEST: u32 = 1_000;
/// By how much: all sessions run out, one after another the tokens too.
const TICK: Duration = Duration::from_secs(10 * 60 * 60);
/// Short, since whoever waits for a login that hangs waits that long.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(1);
/// More than there are users, and far fewer than there are logins and passers-by.
pub(crate) const REMEMBERED: usize = 128;

/// All that is known of the day when it is over.
pub(crate) struct Day {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) ends: BTreeMap<&'static str, u64>,
    pub(crate) odd: Vec<String>,
    pub(crate) vitals: Vec<Vitals>,
    pub(crate) stats: Stats,
    pub(crate) prompts: u32,
    pub(crate) violations: Vec<String>,
    /// Tasks that were still alive at the end: the clients', and the servers'.
    pub(crate) tasks: (usize, usize),
    pub(crate) took: Duration,
}

/// What all callers share.
struct World {
    ledger: Arc<Ledger>,
    map: Map,
    clock: Clock,
    globus: Arc<FakeGlobus>,
    identities: Arc<Vec<Identity>>,
    next: AtomicU32,
    tick_every: u32,
    ends: Mutex<BTreeMap<&'static str, u64>>,
    odd: Mutex<Vec<String>>,
}

/// Sends so many requests.
pub(crate) fn live_through(requests: u32) -> Day {
    let began = Instant::now();
    let (servers, callers) = (runtime("servers"), runtime("callers"));
    let ledger = Arc::new(Ledger::new(requests));
    let identities: Vec<_> = (0..USERS)
        .map(|user| Identity::new(format!("user{user}"), "uchicago.edu"))
        .collect();
    let identities = Arc::new(identities);
    let data = tempfile::tempdir().unwrap();
    std::fs::write(data.path().join("hello.txt"), "hello").unwrap();
    let places = places(data.path());
    let (globus, gate) = servers.block_on(async {
        let builder = FakeGlobus::builder().keep_requests(1_000);
        let builder = identities
            .iter()
            .cloned()
            .fold(builder, |all, one| all.identity(one));
        let builder = places
            .iter()
            .cloned()
            .fold(builder, |all, one| all.collection(one));
        let globus = builder.start().await.unwrap();
        let address = globus.transfer_url().replace("http://", "");
        let address = address.trim_end_matches('/').to_owned();
        let gate = Gate::open(Arc::clone(&ledger), address).unwrap();
        (Arc::new(globus), gate)
    });
    let base = format!("http://{}/", gate.address);

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
    let map = Map {
        base: base.clone(),
        places: places.iter().map(|place| place.id().to_string()).collect(),
        users: names.zip(values).collect(),
    };
    let presented: HashMap<_, _> = (0..USERS)
        .map(|user| (map.users[user as usize].1.as_bytes().to_vec(), user))
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
        .backoff(Duration::from_millis(20), Duration::from_millis(40))
        .max_principals(REMEMBERED)
        .build();
    let world = Arc::new(World {
        ledger: Arc::clone(&ledger),
        map,
        clock: globus.clock(),
        globus: Arc::clone(&globus),
        identities,
        next: AtomicU32::new(0),
        tick_every: (requests / TICKS).max(SOONEST),
        ends: Mutex::default(),
        odd: Mutex::default(),
    });

    let vitals = callers.block_on(async {
        begin(&app, &people).await;
        drop((app, people));
        let mut vitals = Vec::new();
        let bar = progress(requests);
        for round in 1..=ROUNDS {
            let last = u32::try_from(u64::from(requests) * u64::from(round) / u64::from(ROUNDS));
            let last = last.unwrap_or(requests);
            world.round(Clients::of(&session), last, &bar).await;
            wait_for(|| under_way.load(SeqCst) == 0).await;
            settled(&servers).await;
            let tasks = settled(&callers).await;
            vitals.push(Vitals {
                requests: last,
                after: began.elapsed(),
                heap: vitals::heap(),
                resident: vitals::resident(),
                descriptors: vitals::descriptors(),
                tasks,
                identities: session.stats().principals,
            });
        }
        bar.finish_and_clear();
        vitals
    });

    let stats = session.stats();
    drop(session);
    let world = Arc::into_inner(world).expect("no caller is left");
    drop(world.globus);
    let callers_left = callers.block_on(left(&callers));
    let globus = Arc::into_inner(globus).expect("nobody else has it");
    let violations = globus
        .violations()
        .iter()
        .map(|violation| format!("{violation:?}"))
        .collect();
    drop(gate);
    servers
        .block_on(globus.shutdown())
        .expect("no handler panicked");
    let servers_left = servers.block_on(left(&servers));
    for runtime in [callers, servers] {
        runtime.shutdown_timeout(Duration::from_secs(5));
    }
    Day {
        ledger,
        ends: world.ends.into_inner().unwrap(),
        odd: world.odd.into_inner().unwrap(),
        vitals,
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

/// The collections: from one that any token opens to those that want a recent login, a policy, a second factor and a
/// consent, and say so in different ways.
fn places(data: &std::path::Path) -> Vec<Collection> {
    let (hour, domain) = (60, "uchicago.edu");
    let place = |name: &str| Collection::new(name, data);
    vec![
        place("Open"),
        place("Recent")
            .domain(domain)
            .session_minutes(hour)
            .errors(ErrorShape::Detail),
        place("Policy").policy(Policy::new("Today").session_minutes(15 * hour)),
        place("Strict")
            .mfa()
            .domain(domain)
            .session_minutes(25 * hour)
            .errors(ErrorShape::Embedded),
        place("Mapped").data_access(),
    ]
}

/// Logs in everybody whom the requests only name.
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

impl World {
    /// Has the requests up to `last` sent, and waits until each of them has ended. Then the clients close their connections.
    async fn round(self: &Arc<Self>, clients: Clients, last: u32, bar: &ProgressBar) {
        let mut callers = JoinSet::new();
        for _ in 0..IN_FLIGHT {
            let (world, clients, bar) = (Arc::clone(self), clients.clone(), bar.clone());
            callers.spawn(async move {
                loop {
                    let number = world.next.fetch_add(1, SeqCst);
                    if number >= last {
                        break;
                    }
                    world.errand(&clients, number).await;
                    bar.inc(1);
                }
            });
        }
        while let Some(ended) = callers.join_next().await {
            ended.expect("no caller panics");
        }
        self.next.store(last, SeqCst);
    }

    async fn errand(&self, clients: &Clients, number: u32) {
        if number % self.tick_every == self.tick_every - 1 {
            self.pass_time(number / self.tick_every);
        }
        let errand = Errand::of(number);
        let end = clients.run(&errand, &self.map).await;
        self.ledger.ended(number);
        match judge::verdict(&errand, &end, &self.ledger) {
            Ok(verdict) => *self.ends.lock().unwrap().entry(verdict).or_default() += 1,
            Err(odd) => self.odd.lock().unwrap().push(format!("{errand:?}: {odd}")),
        }
    }

    /// Ten hours go by. Now and then somebody withdraws what they had consented to.
    fn pass_time(&self, tick: u32) {
        self.clock.advance(TICK);
        if tick.is_multiple_of(3) {
            let user = (tick / 3) % USERS;
            self.globus.revoke_consents(&self.identities[user as usize]);
        }
    }
}

fn progress(requests: u32) -> ProgressBar {
    let style = "{bar:40} {human_pos}/{human_len} requests, {per_sec}, {eta} left";
    let style = ProgressStyle::with_template(style).unwrap();
    ProgressBar::new(requests.into()).with_style(style)
}

/// Waits for a while until `is_so`.
async fn wait_for(is_so: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// How many tasks of `runtime` there are once their number does not change any more.
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

/// How many tasks of `runtime` do not end.
async fn left(runtime: &Runtime) -> usize {
    let alive = || runtime.metrics().num_alive_tasks();
    wait_for(|| alive() == 0).await;
    alive()
}
