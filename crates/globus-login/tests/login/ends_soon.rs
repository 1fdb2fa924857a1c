//! The warning before the end of a session.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use checks::tokens::{login as kept_login, own};
use globus_gare::gare::AuthorizationParameters;
use globus_login::{GlobusApp, Login, LoginStatus, LoginStore, MemoryStore};
use serde_json::json;

use crate::support::doubles::Listening;
use crate::support::endpoint::*;
use crate::support::{held, target};

const HOUR: Duration = Duration::from_secs(3600);

/// A program, and its clock.
struct Running {
    app: GlobusApp,
    store: MemoryStore,
    person: Listening,
    clock: Arc<Mutex<SystemTime>>,
}

impl Running {
    fn start(endpoint: &Endpoint, before: Option<Duration>) -> Self {
        let clock = Arc::new(Mutex::new(SystemTime::now()));
        let now = Arc::clone(&clock);
        let (store, person) = (MemoryStore::new(), Listening::new());
        let mut app = endpoint.app().store(store.clone()).prompt(person.clone());
        if let Some(before) = before {
            app = app.warn_before_session_ends(before);
        }
        let app = app.clock(move || *now.lock().expect("whole"));
        Self {
            app: app.build().expect("an app"),
            store,
            person,
            clock,
        }
    }

    async fn log_in(&self, required: &AuthorizationParameters) {
        let login = self.app.login_with(required.clone());
        login.await.expect("a login");
    }

    /// Records that `place` challenged a login of this age, although it had satisfied `required`.
    async fn teach(&self, place: &str, required: &AuthorizationParameters, age: Duration) {
        let (store, user) = (&self.store, own(CLIENT));
        let mut kept = serde_json::to_value(kept_login(store, &user).await).expect("JSON");
        kept["record"]["learned"][place] =
            json!({"required": required, "refused_age": age.as_secs(), "number": 1});
        let changed: Login = serde_json::from_value(kept).expect("a login");
        let base = store.load(&user).await.expect("memory").version;
        let done = store.commit(&user, &base, &changed).await;
        done.expect("memory").expect("no other commit");
    }

    async fn use_credential(&self) {
        assert!(held(&self.app, &target(TRANSFER)).await.is_some());
    }

    async fn wait_an_hour(&self) {
        *self.clock.lock().expect("whole") += HOUR;
        // The watch reads the clock every minute.
        tokio::time::pause();
        tokio::time::sleep(Duration::from_secs(61)).await;
        tokio::time::resume();
    }

    async fn told(&self) -> Vec<LoginStatus> {
        let mut told = self.person.told(0).await;
        told.retain(|it| !matches!(it, LoginStatus::LoggedIn { .. }));
        told
    }
}

/// A requirement of a login with an identity from this domain.
fn from(domain: &str) -> AuthorizationParameters {
    AuthorizationParameters::default().with_session_required_single_domain([domain])
}

/// The statuses of a program that runs for `hours` after its login, with sessions of `length`. It
/// may log in again in between.
async fn told(
    length: Duration,
    before: Option<Duration>,
    hours: u32,
    logs_in_again_at: Option<u32>,
) -> Vec<LoginStatus> {
    let endpoint = Endpoint::approving().await;
    let program = Running::start(&endpoint, before);
    let required = from("uchicago.edu");
    program.log_in(&required).await;
    program.teach(TRANSFER_SERVER, &required, length).await;
    for _ in 0..2 {
        program.use_credential().await;
    }
    for hour in 0..hours {
        if logs_in_again_at == Some(hour) {
            program.log_in(&required).await;
        }
        program.wait_an_hour().await;
    }
    program.told().await
}

#[checks::test]
async fn end_of_session_is_warned_of_once_and_in_time() {
    let is_told =
        async |length: u32, before: Option<Duration>, hours| {
            let told = told(HOUR * length, before, hours, None).await;
            assert!(told.len() <= 1, "{told:?}");
            told.first().is_some_and(|told| {
            let words = told.to_string();
            assert!(words.contains("the session for transfer.api.globus.org ends"), "{words}");
            matches!(told, LoginStatus::SessionEndsSoon { place, .. } if place == TRANSFER_SERVER)
        })
        };
    assert!(!is_told(10, None, 8).await);
    assert!(is_told(10, None, 9).await);
    assert!(!is_told(10, Some(HOUR * 3), 6).await);
    assert!(is_told(10, Some(HOUR * 3), 7).await);
    // At most half the length of the session.
    assert!(!is_told(10, Some(HOUR * 9), 4).await);
    assert!(is_told(10, Some(HOUR * 9), 5).await);
    assert!(!is_told(10, Some(Duration::ZERO), 9).await);
}

#[checks::test]
async fn replaced_session_is_not_warned_of() {
    assert!(told(HOUR * 10, None, 12, Some(4)).await.is_empty());
    // The new session is, in its time.
    assert_eq!(told(HOUR * 10, None, 13, Some(4)).await.len(), 1);
}

/// The watch began for a login with a longer session.
#[checks::test]
async fn new_login_with_a_shorter_session_is_warned_of_in_time() {
    let endpoint = Endpoint::approving().await;
    let program = Running::start(&endpoint, None);
    for (place, domain, length) in [
        (TRANSFER_SERVER, "uchicago.edu", 10),
        ("6c54cade-bde5-45c1-bdea-f4bd71dba2cc", "anl.gov", 3),
    ] {
        program.log_in(&from(domain)).await;
        program.teach(place, &from(domain), HOUR * length).await;
        program.use_credential().await;
    }
    program.wait_an_hour().await;
    assert!(program.told().await.is_empty());
    program.wait_an_hour().await;
    let told = program.told().await;
    let [LoginStatus::SessionEndsSoon { place, .. }] = &told[..] else {
        panic!("told something else: {told:?}");
    };
    assert_eq!(place, "6c54cade-bde5-45c1-bdea-f4bd71dba2cc");
}
