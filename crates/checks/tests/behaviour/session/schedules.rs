//! Random schedules of requests, challenges, expiries, failures and dropped callers, compared with
//! a sequential [reference model](super::reference).

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, GareOutcome, GaveUp, Principal, ReauthError,
    Reauthenticator, Session, Target,
};
use http::{Request, Response};
use proptest::prelude::*;
use tokio::time::{Instant, sleep};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};

use super::reference::{self, Answer, Asked, Asking, Reference, Way};
use checks::mock::{Body, CONSENT, MFA, POLICY, Service, answer, authorization, get, presenting};

const USERS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// The needs of each user's requests, which start together; and after how long others of the
    /// same user are dropped.
    Requests(Vec<(usize, Vec<u8>, Vec<u64>)>),
    Wait(u64),
    Store(usize, Option<u8>),
    Void(usize),
    Next(usize, Way),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let user = 0..USERS;
    let needs = prop::collection::vec(1..=3_u8, 1..4);
    let dropped = prop::collection::vec(0..1_500_u64, 0..3);
    let page = prop::collection::vec((user.clone(), needs, dropped), 1..3);
    let way = prop::sample::select(vec![
        Way::SucceedsForAWhile,
        Way::IsUseless,
        Way::Declines,
        Way::Panics,
        Way::Hangs,
    ]);
    let times = vec![1, 500, 3_000, 14_000, 16_000, 29_000, 31_000];
    let step = prop_oneof![
        6 => page.prop_map(Step::Requests),
        3 => prop::sample::select(times).prop_map(Step::Wait),
        1 => (user.clone(), prop::option::of(0..=2_u8)).prop_map(|(user, level)| Step::Store(user, level)),
        2 => user.clone().prop_map(Step::Void),
        2 => (user, way).prop_map(|(user, way)| Step::Next(user, way)),
    ];
    prop::collection::vec(step, 1..16)
}

/// The state of the service and of Globus Auth. A token is `user.number.level`.
#[derive(Default)]
struct World {
    number: u64,
    /// Tokens with a lower number have no level.
    void: [u64; USERS],
    expires: Vec<(u64, Instant)>,
    stored: [Option<String>; USERS],
    ways: [VecDeque<Way>; USERS],
    asked: [Vec<Asked>; USERS],
}

impl World {
    fn token(&mut self, user: usize, level: u8) -> String {
        self.number += 1;
        format!("{user}.{}.{level}", self.number)
    }

    /// The response to a request of `user` with this token.
    fn answer(&self, user: usize, need: u8, token: &str) -> Response<Body> {
        let mut parts = token.split('.');
        let mut part = || parts.next().and_then(|part| part.parse::<u64>().ok());
        let (owner, number, level) = (part(), part(), part());
        if let Some(owner) = owner {
            assert_eq!(owner, user as u64, "a token on another's request");
        }
        let number = number.unwrap_or(0);
        if self
            .expires
            .iter()
            .any(|(known, end)| *known == number && Instant::now() >= *end)
        {
            return answer(401, "{}");
        }
        let level = level.filter(|_| number >= self.void[user]).unwrap_or(0);
        match level {
            level if level >= u64::from(need) => answer(200, ""),
            0 => answer(403, CONSENT),
            1 => answer(403, POLICY),
            _ => answer(403, MFA),
        }
    }
}

#[derive(Clone, Default)]
struct Auth(Arc<Mutex<World>>);

fn user(target: &Target) -> usize {
    match target.principal() {
        Principal::Presented(value) => {
            let value = value.header_value().to_str().expect("text");
            usize::from(value.as_bytes()[7] - b'0')
        }
        _ => 0,
    }
}

fn demand(asked: &AuthorizationParameters) -> u8 {
    match asked {
        asked if asked.session_required_mfa => 2,
        asked if !asked.session_required_policies.is_empty() => 1,
        _ => 0,
    }
}

#[async_trait]
impl Reauthenticator for Auth {
    async fn reauthenticate(&self, challenge: &Challenge) -> Result<Credential, ReauthError> {
        let user = user(challenge.target());
        let demand = match challenge.is_unauthenticated() {
            true => reference::ANY,
            false => demand(&challenge.gare().authorization_parameters),
        };
        let way = {
            let mut world = self.0.lock().expect("no panic");
            world.asked[user].push(Asked {
                demand,
                generation: challenge.generation(),
                attempt: challenge.attempt(),
            });
            world.ways[user].pop_front().unwrap_or(Way::Succeeds)
        };
        if way == Way::Hangs {
            return pending().await;
        }
        sleep(Duration::from_millis(reference::LOGIN)).await;
        match way {
            Way::Declines => return Err(ReauthError::declined()),
            Way::Panics => panic!("on purpose"),
            _ => {}
        }
        let mut world = self.0.lock().expect("no panic");
        let level = reference::level_after(demand, way);
        let credential = Credential::bearer(world.token(user, level))?;
        if way != Way::SucceedsForAWhile {
            return Ok(credential);
        }
        let lifetime = Duration::from_millis(reference::LIFETIME);
        let number = world.number;
        world.expires.push((number, Instant::now() + lifetime));
        Ok(credential.with_lifetime(lifetime))
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        let target = request.target();
        sleep(Duration::from_millis(reference::RENEWAL)).await;
        let stored = self.0.lock().expect("no panic").stored[user(target)].clone();
        Ok(stored.map(Credential::bearer).transpose()?)
    }
}

fn client(session: &Session, world: &Arc<Mutex<World>>) -> Service {
    let world = Arc::clone(world);
    let service = service_fn(move |request: Request<Body>| {
        let world = Arc::clone(&world);
        async move {
            let token = authorization(&request)
                .strip_prefix("Bearer ")
                .unwrap_or("");
            // The need is in the query: with it in the path, the leader of a login would matter.
            let user = request.uri().path().trim_start_matches('/').parse();
            let need = request.uri().query().and_then(|need| need.parse().ok());
            let (user, need): (u8, u8) = (user.expect("a user"), need.expect("a need"));
            let answer = world
                .lock()
                .expect("no panic")
                .answer(user.into(), need, token);
            sleep(Duration::from_millis(reference::ANSWER)).await;
            Ok::<_, Infallible>(answer)
        }
    });
    GareLayer::from_session(session.clone()).layer(BoxCloneSyncService::new(service))
}

async fn ask(client: Service, user: usize, need: u8) -> Answer {
    let mut request = get(&format!("/{user}?{need}"));
    if user > 0 {
        request = presenting(request, &format!("Bearer {user}.0.0"));
    }
    let response = client.oneshot(request).await.expect("an answer");
    let outcome = response.extensions().get::<GareOutcome>();
    let gave_up = match outcome.and_then(GareOutcome::gave_up) {
        None => String::new(),
        Some(GaveUp::NoProgress | GaveUp::BackingOff { cause: None, .. }) => {
            reference::NOT_HELPED.to_owned()
        }
        Some(
            GaveUp::Failed(error)
            | GaveUp::BackingOff {
                cause: Some(error), ..
            },
        ) => error.to_string(),
        Some(gave_up) => gave_up.name().to_owned(),
    };
    (response.status().as_u16(), gave_up)
}

/// Sends the requests. The dropped requests are sent first, so that they lead.
async fn send(client: &Service, page: Vec<(usize, Vec<u8>, Vec<u64>)>) -> Vec<(usize, Answer)> {
    let mut all = Vec::new();
    for (user, needs, dropped) in page {
        let least = needs.iter().min().copied().unwrap_or(1);
        for after in dropped {
            let request = ask(client.clone(), user, least);
            tokio::spawn(tokio::time::timeout(Duration::from_millis(after), request));
        }
        for need in needs {
            all.push((user, tokio::spawn(ask(client.clone(), user, need))));
        }
    }
    let mut answers = Vec::new();
    for (user, request) in all {
        answers.push((user, request.await.expect("no panic")));
    }
    answers
}

/// The requests of [`send`], in its order.
fn asking((_, needs, dropped): &(usize, Vec<u8>, Vec<u64>)) -> Vec<Asking> {
    let least = needs.iter().min().copied().unwrap_or(1);
    let dropped = dropped.iter().map(|after| Asking {
        need: least,
        dropped: Some(*after),
    });
    let stay = needs.iter().map(|need| Asking {
        need: *need,
        dropped: None,
    });
    dropped.chain(stay).collect()
}

async fn run(steps: Vec<Step>) {
    let auth = Auth::default();
    let session = Session::builder(auth.clone())
        .max_logins(reference::MAX_LOGINS)
        .backoff(
            Duration::from_millis(reference::BACKOFF),
            Duration::from_millis(reference::BACKOFF),
        )
        .refresh_window(Duration::ZERO)
        .login_budget(1_000, Duration::from_secs(1))
        .login_timeout(Duration::from_millis(reference::LOGIN_TIMEOUT))
        .build();
    let client = client(&session, &auth.0);
    let mut references: [Reference; USERS] = Default::default();
    references[1].presents = true;
    references[2].presents = true;
    let began = Instant::now();
    for step in steps {
        match step {
            Step::Wait(time) => sleep(Duration::from_millis(time)).await,
            Step::Store(user, level) => {
                references[user].store(level);
                let mut world = auth.0.lock().expect("no panic");
                world.stored[user] = level.map(|level| world.token(user, level));
            }
            Step::Void(user) => {
                references[user].void();
                let mut world = auth.0.lock().expect("no panic");
                world.void[user] = world.number + 1;
            }
            Step::Next(user, way) => {
                references[user].ways.push_back(way);
                auth.0.lock().expect("no panic").ways[user].push_back(way);
            }
            Step::Requests(page) => {
                let now = began.elapsed().as_millis() as u64;
                let answers = send(&client, page.clone()).await;
                for (user, reference) in references.iter_mut().enumerate() {
                    let of_user = page.iter().filter(|(whose, ..)| *whose == user);
                    let asking: Vec<Asking> = of_user.flat_map(asking).collect();
                    let of_user = answers.iter().filter(|(whose, _)| *whose == user);
                    let answers: Vec<Answer> = of_user.map(|(_, answer)| answer.clone()).collect();
                    if !answers.is_empty() {
                        let expected = reference.requests(now, &asking);
                        assert_eq!(answers, expected, "user {user}");
                    }
                }
            }
        }
        let world = auth.0.lock().expect("no panic");
        for (user, reference) in references.iter().enumerate() {
            assert_eq!(world.asked[user], reference.asked, "logins of user {user}");
        }
        let stats = session.stats();
        let sum = |count: fn(&Reference) -> u64| references.iter().map(count).sum::<u64>();
        assert_eq!(stats.logins, sum(|reference| reference.asked.len() as u64));
        assert_eq!(stats.failed_logins, sum(|reference| reference.failed));
        assert_eq!(stats.look_ups, sum(|reference| reference.look_ups));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[checks::test(seconds = 600)]
    fn session_agrees_with_the_reference_model(steps in steps()) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(run(steps));
    }
}
