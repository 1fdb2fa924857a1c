//! Logins that fail, and logins that send requests through their own client.

use std::future::pending;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use fake_globus::{Person, RequestKind};
use futures_util::future::BoxFuture;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::layer::GareBody;
use globus_gare::reauth::{
    Credential, GareOutcome, GaveUp, ReauthError, Session, Stats, reauth_fn,
};
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use tower::buffer::Buffer;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceExt};

use crate::support::globus::{Body, Connections, World, behind, list, send, trusting};
use crate::support::oauth::log_in;

const REQUESTS: usize = 50;

type Login = dyn Fn(AuthorizationParameters) -> BoxFuture<'static, Result<Credential, ReauthError>>
    + Send
    + Sync;

/// Longer than a slow machine needs.
const LONG: Duration = Duration::from_secs(15 * 60);

/// The responses to many requests with the login `login`.
async fn page(
    world: &World,
    login: Arc<Login>,
    login_timeout: Duration,
) -> (Vec<Response<String>>, Stats) {
    let reauthenticator =
        reauth_fn(move |challenge| login(challenge.gare().authorization_parameters.clone()));
    let session = Session::builder(reauthenticator)
        .trust(trusting(&world.globus))
        .backoff(LONG, LONG)
        .login_timeout(login_timeout)
        .build();
    let client = behind(&session, Connections::at_most(8).client());
    let answers = world.page(&client, REQUESTS).await;
    (answers, session.stats())
}

fn gave_up(answer: &Response<String>) -> Option<&GaveUp> {
    answer.extensions().get::<GareOutcome>()?.gave_up()
}

/// The error of the failed login in the outcome of `answer`.
fn failure(answer: &Response<String>) -> Option<&ReauthError> {
    match gave_up(answer)? {
        GaveUp::Failed(error) => Some(error),
        GaveUp::BackingOff { cause, .. } => cause.as_ref(),
        _ => None,
    }
}

#[checks::test]
async fn failed_login_fails_all_waiters_and_runs_once() {
    type Told = fn(&ReauthError) -> bool;
    let broken = || std::io::Error::other("no network");
    let cases: [(&str, Arc<Login>, Told); 4] = [
        (
            "fails",
            Arc::new(move |_| {
                Box::pin(
                    async move { Err(ReauthError::new("cannot log in").with_source(broken())) },
                )
            }),
            |error| error.to_string() == "cannot log in",
        ),
        (
            "panics",
            Arc::new(|_| Box::pin(async { panic!("on purpose") })),
            |error| {
                error.to_string() == "the reauthenticator panicked"
                    && !(error.is_declined() || error.is_timeout())
            },
        ),
        (
            "hangs",
            Arc::new(|_| Box::pin(pending())),
            ReauthError::is_timeout,
        ),
        (
            "is declined",
            Arc::new(|_| Box::pin(async { Err(ReauthError::declined()) })),
            ReauthError::is_declined,
        ),
    ];
    for (name, login, told) in cases {
        let world = World::start().await;
        let (answers, stats) = page(&world, login, Duration::from_millis(300)).await;
        for answer in &answers {
            assert_eq!(answer.status(), 502, "{name}");
            assert!(answer.body().contains("530-GridFTP-JSON-Result"), "{name}");
            let Some(error) = failure(answer) else {
                panic!("{name}: {:?}", gave_up(answer));
            };
            assert!(told(error), "{name}: {error}");
        }
        assert_eq!((stats.logins, stats.failed_logins), (1, 1), "{name}");
        let failed = stats.joins + 1;
        assert_eq!(stats.gave_up["failed"], failed, "{name}: those that waited");
        let late = REQUESTS as u64 - failed;
        let backed_off = stats.gave_up.get("backing_off").copied();
        assert_eq!(
            backed_off.unwrap_or_default(),
            late,
            "{name}: those that came later"
        );
        assert_eq!(world.globus.counts().listings, REQUESTS, "{name}");
    }
}

#[checks::test]
async fn declined_login_runs_once() {
    let world = World::start().await;
    world.globus.set_person(Person::automatic().declines());
    let (globus, http) = (world.globus.clone(), Connections::at_most(1).client());
    let login = move |asked| -> BoxFuture<'static, _> {
        let (globus, http) = (globus.clone(), http.clone());
        Box::pin(async move { log_in(&globus, http, &asked).await })
    };
    let (answers, stats) = page(&world, Arc::new(login), LONG).await;
    let declined = |answer| failure(answer).is_some_and(ReauthError::is_declined);
    assert!(answers.iter().all(declined));
    assert_eq!((world.globus.counts().declined, stats.logins), (1, 1));
}

#[checks::test]
async fn login_with_the_same_stale_credential_is_no_progress() {
    let world = World::start().await;
    let stale = Credential::bearer(&world.stale).expect("a token");
    let login = move |_| -> BoxFuture<'static, _> {
        let stale = stale.clone();
        Box::pin(async move { Ok(stale) })
    };
    let (answers, stats) = page(&world, Arc::new(login), LONG).await;
    for answer in &answers {
        assert_eq!(answer.status(), 502);
        let reason = gave_up(answer);
        let is_expected = match reason {
            Some(GaveUp::NoProgress) => true,
            // This request came after others had noted it.
            Some(GaveUp::BackingOff { cause, .. }) => cause.is_none(),
            _ => false,
        };
        assert!(is_expected, "{reason:?}");
    }
    assert!(
        stats.gave_up["no_progress"] > stats.joins,
        "those that waited"
    );
    assert_eq!((stats.logins, stats.failed_logins), (1, 0));
    let listings = world.globus.counts().listings;
    assert!(listings <= 2 * REQUESTS, "{listings} for {REQUESTS}");
}

type Answer = Response<GareBody<UnsyncBoxBody<Bytes, BoxError>>>;
type Client = BoxCloneSyncService<Request<Body>, Answer, BoxError>;

/// Sends a request whose login sends its own requests through the same client: a listing that is
/// challenged too, then those of OAuth.
async fn through_its_own_client(buffered: bool, spawned: bool) {
    let world = World::start().await;
    let client: Arc<OnceLock<Client>> = Arc::default();
    let (own, globus, collection) = (
        Arc::clone(&client),
        world.globus.clone(),
        world.collection.clone(),
    );
    let login = reauth_fn(move |challenge| {
        let (globus, collection) = (globus.clone(), collection.clone());
        let client = own.get().expect("set").clone();
        async move {
            let asked = challenge.gare().authorization_parameters.clone();
            if spawned {
                let login = async move { log_in(&globus, client, &asked).await };
                return tokio::spawn(login).await.expect("no panic");
            }
            let refused = send(client.clone(), list(&globus, &collection, 1)).await;
            assert!(!refused.status().is_success(), "there is no login yet");
            log_in(&globus, client, &asked).await
        }
    });
    let session = Session::builder(login)
        .trust(trusting(&world.globus))
        .login_timeout(Duration::from_secs(20))
        .build();
    let layered = behind(&session, Connections::at_most(4).client());
    let layered = if buffered {
        BoxCloneSyncService::new(Buffer::new(layered, 16))
    } else {
        BoxCloneSyncService::new(layered.map_err(BoxError::from))
    };
    assert!(client.set(layered.clone()).is_ok());
    // A request of the session's own principal, as those of OAuth appear to be.
    let demand = r#"{"code":"c","authorization_parameters":{"session_required_single_domain":["uchicago.edu"]}}"#;
    world.globus.fail_next(RequestKind::List, 403, demand);
    if !spawned {
        world.globus.fail_next(RequestKind::List, 403, demand);
    }
    let request = list(&world.globus, &world.collection, 0);
    let answer = send(layered, request).await;
    assert_eq!(answer.status(), 200, "{:?}", gave_up(&answer));
    let stats = session.stats();
    assert_eq!((stats.logins, stats.failed_logins), (1, 0));
    assert_eq!(world.globus.counts().logins, 1);
}

#[checks::test]
async fn login_may_use_its_own_client() {
    through_its_own_client(false, false).await;
}

#[checks::test]
async fn login_may_use_its_own_client_through_a_buffer() {
    through_its_own_client(true, false).await;
}

#[checks::test]
async fn task_of_a_login_may_use_the_same_client() {
    through_its_own_client(false, true).await;
}

#[checks::test]
async fn task_of_a_login_may_use_the_same_client_through_a_buffer() {
    through_its_own_client(true, true).await;
}
