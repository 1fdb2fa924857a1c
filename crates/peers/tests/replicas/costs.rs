//! What Redis is asked for: the round trips of a challenge, of a login, and of a good credential.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing};
use bytes::Bytes;
use checks::sample::{Sample, assert_no_violation};
use fake_globus::{Browser, Identity, Page, Person};
use globus_gare::layer::{GareLayer, GareService};
use globus_gare::reauth::{GareOptions, Session};
use globus_gare::reqwest::HttpService;
use globus_login::web::{WebError, WebLogins, WebUser};
use globus_login::{GlobusApp, RedisStore};
use http::{Request, StatusCode};
use http_body_util::Full;
use peers::balancer::Balancer;
use peers::redis_server::{KEY, Redis};
use peers::replicas::User;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt};

const REPLICAS: usize = 3;

/// Longer than a test takes.
const LONG: Duration = Duration::from_secs(3600);

/// A web service whose replicas read a revision once an hour.
struct Portal {
    sample: Sample,
    redis: Redis,
    replicas: Vec<SocketAddr>,
    /// Where the balancer sends the next request.
    next: Arc<Mutex<Vec<SocketAddr>>>,
    site: String,
}

#[derive(Clone)]
struct Replica {
    client: GareService<HttpService>,
    listing: String,
}

impl Portal {
    async fn new(users: usize) -> Self {
        let sample = Sample::with(
            |collection| collection.session_minutes(10),
            |globus| {
                let all = (0..users).map(|at| Identity::new(name(at), "uchicago.edu"));
                all.fold(globus.person(Person::browser()), |globus, user| {
                    globus.identity(user)
                })
            },
        );
        let sample = sample.await;
        sample.write("hello.txt", "hello");
        let balancer = Balancer::bind().await;
        let mut portal = Self {
            sample,
            redis: Redis::start().await,
            replicas: Vec::new(),
            next: Arc::clone(&balancer.replicas),
            site: balancer.url(),
        };
        balancer.start();
        for _ in 0..REPLICAS {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
            portal.replicas.push(listener.local_addr().expect("one"));
            let replica = portal.replica();
            tokio::spawn(async move { axum::serve(listener, replica).await });
        }
        // The first of all users loads the scripts into Redis.
        let first = portal.user(0);
        portal.log_in(&first, 0, 0).await;
        portal
    }

    fn replica(&self) -> Router {
        let globus = &self.sample.globus;
        let store = self.redis.store_with(RedisStore::builder().max_age(LONG));
        let clock = globus.clock().clone();
        let app = GlobusApp::user(globus.confidential_client_id().to_string())
            .client_secret(globus.client_secret())
            .auth_url(globus.auth_url())
            .resource_server_for(globus.transfer_url(), "transfer.api.globus.org")
            .redirect_uri(format!("{}callback", self.site))
            .refresh_tokens(true)
            // A replica that tells it reads the login once more, when the session is about to end.
            .warn_before_session_ends(Duration::ZERO)
            .clock(move || clock.now())
            .store(store)
            .build()
            .expect("an app");
        let sealer = KEY.parse().expect("a key");
        let logins = WebLogins::new(app, sealer, &self.site).expect("a site");
        let session = Session::builder(logins.clone()).trust(self.sample.trust());
        let client = HttpService::from_builder(reqwest::Client::builder().no_proxy());
        let client = GareLayer::from_session(session.build()).layer(client.expect("a client"));
        Router::new()
            .route("/ls", routing::get(list))
            .merge(logins.routes())
            .layer(logins.layer())
            .with_state(Replica {
                client,
                listing: self.sample.listing(),
            })
    }

    fn user(&self, at: usize) -> User {
        User {
            name: name(at),
            browser: Browser::new(),
            page: format!("{}ls", self.site).parse().expect("a URL"),
        }
    }

    /// Has the user open the listing on one replica; gives the page, and the round trips.
    async fn visit(&self, user: &User, replica: usize) -> (Page, u64) {
        self.open(user, user.page.as_str(), replica).await
    }

    async fn open(&self, user: &User, url: &str, replica: usize) -> (Page, u64) {
        *self.next.lock().expect("whole") = vec![self.replicas[replica]];
        let before = self.redis.commands().await;
        let page = user.browser.get(url).await.expect("a page");
        (page, self.redis.commands().await - before)
    }

    /// The round trips of a request that one replica sends to a login.
    async fn challenge(&self, user: &User, replica: usize) -> u64 {
        let (page, cost) = self.visit(user, replica).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        cost
    }

    /// The round trips of a listing for which nobody is asked.
    async fn listing(&self, user: &User, replica: usize) -> u64 {
        let (page, cost) = self.visit(user, replica).await;
        user.assert_shown(&page);
        cost
    }

    /// The round trips of a whole login: it begins on one replica, ends on the next, and the
    /// listing comes from the one after that.
    async fn log_in(&self, user: &User, replica: usize, look: u64) -> u64 {
        let (page, begin) = self.visit(user, replica).await;
        let login = page.redirect().expect("a redirect");
        let login = user.browser.get(login).await.expect("a page");
        let callback = user.approve(&login).await;
        let callback = self.open(user, callback.as_str(), (replica + 1) % REPLICAS);
        let (page, end) = callback.await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        begin - look + end + self.listing(user, (replica + 2) % REPLICAS).await
    }

    /// Ends the sessions that the collection wants, when they are older than those of the rounds
    /// before: that a younger one is refused would be news.
    fn later_session_ends(&self, round: usize) {
        let minutes = 20 + u32::try_from(round).expect("a few");
        let clock = self.sample.globus.clock();
        clock.advance(Duration::from_secs(60) * minutes);
    }
}

fn name(user: usize) -> String {
    format!("user-{user}")
}

async fn list(State(replica): State<Replica>, user: WebUser) -> Result<Response, WebError> {
    let request = Request::get(replica.listing);
    let request = request.extension(GareOptions::new().principal(user.principal()?));
    let answer = replica
        .client
        .oneshot(request.body(Full::<Bytes>::default())?);
    let answer = answer.await?;
    WebError::check(&answer)?;
    Ok((answer.status(), Body::new(answer.into_body())).into_response())
}

#[checks::test(seconds = 600)]
async fn login_takes_six_round_trips_at_most() {
    let portal = Portal::new(2).await;
    let user = portal.user(1);
    // Nobody is known yet: the begin asks for nothing. Lease, load, commit, release, and a look-up.
    assert_eq!(portal.log_in(&user, 0, 0).await, 5);
    for replica in 0..REPLICAS {
        let expected = if replica == 2 { 0 } else { 1 };
        assert_eq!(portal.listing(&user, replica).await, expected);
    }
    // That the collection wants such logins is new at first, and then for how long one does.
    for (round, cost) in [6, 6, 5, 5].into_iter().enumerate() {
        portal.later_session_ends(round);
        // The look at the record is the challenge's.
        let login = portal.log_in(&user, round % REPLICAS, 1).await;
        assert_eq!(login, cost, "round {round}");
        let looks = [(round + 1) % REPLICAS, round % REPLICAS];
        for replica in looks {
            // The login that another replica has had: one look finds it.
            assert_eq!(portal.listing(&user, replica).await, 1, "round {round}");
        }
    }
    assert_no_violation(&portal.sample.globus);
}

#[checks::test(seconds = 600)]
async fn challenge_takes_one_round_trip() {
    let portal = Portal::new(2).await;
    let user = portal.user(1);
    portal.log_in(&user, 0, 0).await;
    for (round, first) in [2, 2, 1].into_iter().enumerate() {
        for replica in 0..REPLICAS {
            portal.listing(&user, replica).await;
        }
        portal.later_session_ends(round);
        assert_eq!(portal.challenge(&user, 2).await, first, "round {round}");
        // What the first one taught, all know: they look, and commit nothing.
        for replica in [2, 2, 0, 1, 0] {
            assert_eq!(portal.challenge(&user, replica).await, 1, "round {round}");
        }
        portal.log_in(&user, 2, 1).await;
    }
    assert_no_violation(&portal.sample.globus);
}

#[checks::test(seconds = 600)]
async fn good_credential_takes_no_round_trip() {
    let portal = Portal::new(2).await;
    let user = portal.user(1);
    portal.log_in(&user, 0, 0).await;
    for replica in 0..REPLICAS {
        portal.listing(&user, replica).await;
    }
    // A login is a message to all replicas, which costs no read.
    portal.later_session_ends(0);
    let before = portal.redis.commands().await;
    portal.log_in(&user, 0, 0).await;
    for _ in 0..10 {
        for replica in 0..REPLICAS {
            portal.listing(&user, replica).await;
        }
    }
    // The look, the login and what it teaches, and a look of each other replica.
    let expected = 1 + 6 + (REPLICAS as u64 - 1);
    assert_eq!(portal.redis.commands().await - before, expected);
}
