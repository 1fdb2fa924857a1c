//! Many requests challenged at once, over real sockets.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use fake_globus::{Collection, FakeGlobus, Identity, Policy, RequestKind};
use globus_gare::reauth::{Credential, Session, reauth_fn};
use tokio::sync::Semaphore;
use tower::util::BoxCloneSyncService;
use tower::{ServiceExt, service_fn};

use crate::support::globus::{
    Connections, Http, World, behind, data, list, send_all, stale, start, trusting,
};
use crate::support::oauth::log_in;
use checks::mock::outcome;
use checks::sample::TRANSFER_ALL;

const REQUESTS: usize = 10_000;
const CONNECTIONS: usize = 64;

/// `http`, which adds a permit to `refused` for each response that is no success.
fn counting(http: Http, refused: Arc<Semaphore>) -> Http {
    BoxCloneSyncService::new(service_fn(move |request| {
        let (http, refused) = (http.clone(), Arc::clone(&refused));
        async move {
            let answer = http.oneshot(request).await?;
            if !answer.status().is_success() {
                refused.add_permits(1);
            }
            Ok(answer)
        }
    }))
}

/// The statuses of the responses to each request, by its mark.
fn answers(globus: &FakeGlobus) -> HashMap<usize, Vec<u16>> {
    let mut answers: HashMap<usize, Vec<u16>> = HashMap::new();
    for seen in globus.requests() {
        if seen.kind == RequestKind::List {
            let query = seen.query.expect("a mark");
            let mark = query.strip_prefix("mark=").expect("a mark");
            let mark = mark.parse().expect("a number");
            answers.entry(mark).or_default().push(seen.status);
        }
    }
    answers
}

#[checks::test(flavor = "multi_thread")]
async fn ten_thousand_requests_challenged_together_cost_one_login() {
    let world = World::start().await;
    let (globus, ada) = (world.globus.clone(), world.ada.clone());

    // The login ends only after all requests were challenged.
    let refused = Arc::new(Semaphore::new(0));
    let logins = Arc::new(AtomicUsize::new(0));
    let (own, gate, counted) = (globus.clone(), Arc::clone(&refused), Arc::clone(&logins));
    let login = reauth_fn(move |_| {
        let (globus, ada) = (own.clone(), ada.clone());
        let (gate, counted) = (Arc::clone(&gate), Arc::clone(&counted));
        async move {
            counted.fetch_add(1, SeqCst);
            let all = gate.acquire_many(REQUESTS as u32).await.expect("open");
            drop(all);
            let token = globus.issue_token(&ada, TRANSFER_ALL).expect("a token");
            Ok(Credential::bearer(token)?)
        }
    });
    let session = Session::builder(login).trust(trusting(&globus)).build();
    let connections = Connections::at_most(CONNECTIONS);
    let client = behind(&session, counting(connections.client(), refused));
    let mut waited = 0;
    for answer in world.page(&client, REQUESTS).await {
        assert_eq!(answer.status(), 200);
        assert!(answer.body().contains("hello.txt"));
        let outcome = outcome(&answer);
        assert_eq!(outcome.replays(), 1);
        // The login may have ended before the last challenges are inspected.
        waited += u64::from(outcome.logins());
    }

    assert_eq!(logins.load(SeqCst), 1);
    let answers = answers(&globus);
    for mark in 0..REQUESTS {
        assert_eq!(answers[&mark], [502, 200], "request {mark}");
    }
    let counts = globus.counts();
    assert_eq!((counts.listings, counts.challenges), (20_000, REQUESTS));
    assert!(globus.violations().is_empty(), "{:?}", globus.violations());
    let opened = connections.opened();
    assert!(opened <= CONNECTIONS, "{opened} connections");
    let stats = session.stats();
    assert_eq!(
        (stats.challenges, stats.logins, stats.joins, stats.replays),
        (10_000, 1, waited - 1, 10_000)
    );
    assert_eq!(
        (stats.failed_logins, stats.gave_up.values().sum::<u64>()),
        (0, 0)
    );
}

#[checks::test(flavor = "multi_thread")]
async fn three_requirements_at_once_cost_at_most_three_logins() {
    let (data, ada) = (data(), Identity::new("ada", "uchicago.edu"));
    let recent = Policy::new("recent").session_minutes(10);
    let collections = [
        Collection::new("consent", data.path()).data_access(),
        Collection::new("policy", data.path()).policy(recent),
        Collection::new("factor", data.path()).mfa(),
    ];
    let builder = collections
        .iter()
        .cloned()
        .fold(FakeGlobus::builder(), |all, one| all.collection(one));
    let globus = start(builder.identity(ada.clone())).await;
    let stale = stale(&globus, &ada);

    // The first login waits until every request was challenged once.
    let refused = Arc::new(Semaphore::new(0));
    let connections = Connections::at_most(CONNECTIONS);
    let http = Connections::at_most(1).client();
    let (own, gate) = (globus.clone(), Arc::clone(&refused));
    let login = reauth_fn(move |challenge| {
        let (globus, gate, http) = (own.clone(), Arc::clone(&gate), http.clone());
        async move {
            let all = gate.acquire_many(300).await.expect("open");
            drop(all);
            let asked = &challenge.gare().authorization_parameters;
            log_in(&globus, http, asked).await
        }
    });
    let session = Session::builder(login).trust(trusting(&globus)).build();
    let client = behind(&session, counting(connections.client(), refused));
    let all = (0..300).map(|mark| list(&globus, &collections[mark % 3], mark));
    for answer in send_all(&client, &stale, all).await {
        assert_eq!(answer.status(), 200, "{}", answer.body());
    }
    let stats = session.stats();
    assert!((1..=3).contains(&stats.logins), "{} logins", stats.logins);
    assert_eq!(
        (stats.failed_logins, stats.gave_up.values().sum::<u64>()),
        (0, 0)
    );
    for (mark, statuses) in answers(&globus) {
        let (last, before) = statuses.split_last().expect("an answer");
        assert_eq!(*last, 200, "request {mark}");
        assert!((1..=3).contains(&before.len()), "request {mark}");
        assert!(!before.contains(&200), "request {mark} was accepted twice");
    }
    assert!(globus.violations().is_empty(), "{:?}", globus.violations());
}
