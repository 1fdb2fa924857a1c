//! What is remembered of whom, after many logins.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, GareOptions, Session, reauth_fn};
use http::Request;

use checks::mock::{
    Body, MFA, Service, answer, authorization, behind, get, presenting, send, with,
};

const LOGINS: usize = 60;

/// A service whose sessions all end when they are told to.
#[derive(Clone, Default)]
struct Sessions {
    /// How many logins are too old.
    ended: Arc<AtomicUsize>,
    logins: Arc<AtomicUsize>,
    sent_as_they_came: Arc<AtomicUsize>,
}

impl Sessions {
    fn session(&self, bound: usize) -> Session {
        let logins = Arc::clone(&self.logins);
        let login = reauth_fn(move |_| {
            let login = logins.fetch_add(1, SeqCst) + 1;
            async move { Ok(Credential::bearer(format!("token-{login}"))?) }
        });
        Session::builder(login).max_identities(bound).build()
    }

    fn client(&self, session: &Session) -> Service {
        let own = self.clone();
        behind(&GareLayer::from_session(session.clone()), move |request| {
            let login = authorization(&request).strip_prefix("Bearer token-");
            if login.is_none() {
                own.sent_as_they_came.fetch_add(1, SeqCst);
            }
            match login.and_then(|number| number.parse::<usize>().ok()) {
                Some(number) if number > own.ended.load(SeqCst) => answer(200, ""),
                _ => answer(403, MFA),
            }
        })
    }

    fn end(&self) {
        self.ended.store(self.logins.load(SeqCst), SeqCst);
    }
}

/// Lets the users of these requests send them again and again: each time their sessions have ended.
async fn log_in_often(requests: impl Fn() -> Vec<Request<Body>>) -> (Sessions, Session) {
    let sessions = Sessions::default();
    let session = sessions.session(24);
    let client = sessions.client(&session);
    for _ in 0..LOGINS {
        for request in requests() {
            assert_eq!(send(&client, request).await.status(), 200);
        }
        sessions.end();
    }
    (sessions, session)
}

#[checks::test]
async fn unused_tokens_evict_no_account() {
    let users = || {
        let users = ["Bearer ada", "Bearer grace", "Bearer mary"];
        Vec::from(users.map(|user| presenting(get("/"), user)))
    };
    let (sessions, _) = log_in_often(users).await;
    assert_eq!(sessions.logins.load(SeqCst), 3 * LOGINS);
    // Each value was sent once. From then on there was always a successor.
    assert_eq!(sessions.sent_as_they_came.load(SeqCst), 3);
}

#[checks::test]
async fn busy_account_takes_bounded_memory() {
    let ada = || vec![with(get("/"), GareOptions::new().identity("ada"))];
    let (sessions, session) = log_in_often(ada).await;
    assert_eq!(sessions.logins.load(SeqCst), LOGINS);
    assert_eq!(session.stats().identities, 1);
    let client = sessions.client(&session);
    // The last eight values that were issued for her lead to her; an older one leads to nobody.
    for (number, accounts) in [(LOGINS - 7, 1), (LOGINS, 1), (LOGINS - 8, 2)] {
        let request = presenting(get("/"), &format!("Bearer token-{number}"));
        send(&client, request).await;
        assert_eq!(session.stats().identities, accounts, "token-{number}");
    }
}
