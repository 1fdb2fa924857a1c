//! The issued tokens that a session remembers after many logins.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Credential, GareOptions, Session, reauth_fn};
use http::Request;
use tokio::time::advance;

use super::look_ups::keeping;
use checks::mock::{
    Body, Login, MFA, POLICY, Service, answer, authorization, behind, get, presenting, send, with,
};

const LOGINS: usize = 60;

/// A service whose sessions a test can end.
#[derive(Clone, Default)]
struct Sessions {
    /// The number of logins that are too old.
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
        Session::builder(login).max_principals(bound).build()
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

/// Sends the requests again and again. Each time their sessions have ended.
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
    // Each token was sent once. After that it had a successor.
    assert_eq!(sessions.sent_as_they_came.load(SeqCst), 3);
}

#[checks::test]
async fn busy_account_takes_bounded_memory() {
    let ada = || vec![with(get("/"), GareOptions::new().principal("ada"))];
    let (sessions, session) = log_in_often(ada).await;
    assert_eq!(sessions.logins.load(SeqCst), LOGINS);
    assert_eq!(session.stats().principals, 1);
    let client = sessions.client(&session);
    // Her last eight issued tokens lead to her account. An older one leads to none.
    for (number, accounts) in [(LOGINS - 7, 1), (LOGINS, 1), (LOGINS - 8, 2)] {
        let request = presenting(get("/"), &format!("Bearer token-{number}"));
        send(&client, request).await;
        assert_eq!(session.stats().principals, accounts, "token-{number}");
    }
}

fn token(token: &str) -> Credential {
    Credential::bearer(token).expect("a token")
}

fn of(name: &str, path: &str) -> Request<Body> {
    with(get(path), GareOptions::new().principal(name))
}

/// The tokens that a request for `/` that presents `shared` is sent with.
async fn sent_for_shared(session: &Session) -> Vec<String> {
    let sent = Arc::default();
    let client = keeping(session, &sent, |_, _| answer(200, ""));
    send(&client, presenting(get("/"), "Bearer shared")).await;
    std::mem::take(&mut *sent.lock().expect("whole"))
}

/// A service whose paths each accept one token.
fn in_turn(session: &Session) -> Service {
    behind(&GareLayer::from_session(session.clone()), |request| match (
        request.uri().path(),
        authorization(&request),
    ) {
        ("/shared" | "/again", "Bearer shared") => answer(200, ""),
        ("/own", token) if token.starts_with("Bearer own") => answer(200, ""),
        ("/open", _) => answer(200, ""),
        ("/again", _) => answer(403, POLICY),
        _ => answer(403, MFA),
    })
}

#[checks::test]
async fn issued_token_is_superseded_before_it_is_sent() {
    // For a session without another account, and for one without another issued token.
    for name in [None, Some("ada")] {
        let login = Login::at_once()
            .then(Ok(token("shared")))
            .then(Ok(token("own")));
        let session = Session::new(login);
        let client = in_turn(&session);
        let request = |path| name.map_or_else(|| get(path), |name| of(name, path));
        for path in ["/shared", "/own"] {
            assert_eq!(send(&client, request(path)).await.status(), 200);
        }
        assert_eq!(
            sent_for_shared(&session).await,
            ["/ Bearer own"],
            "{name:?}"
        );
    }
}

#[checks::test]
async fn presented_token_is_superseded_though_none_was_issued() {
    let login = Login::at_once().stored("own");
    let session = Session::new(login);
    let client = in_turn(&session);
    // No login issued a token for the account. The presented token leads to it.
    let request = || presenting(get("/own"), "Bearer shared");
    assert_eq!(send(&client, request()).await.status(), 200);
    assert_eq!(sent_for_shared(&session).await, ["/ Bearer own"]);
}

#[checks::test]
async fn token_issued_twice_still_leads_to_its_account() {
    let login = Login::at_once()
        .then(Ok(token("shared")))
        .then(Ok(token("own")))
        .then(Ok(token("shared")))
        .then(Ok(token("own-2")));
    let session = Session::new(login);
    let client = in_turn(&session);
    for path in ["/shared", "/own", "/again", "/own"] {
        assert_eq!(send(&client, of("ada", path)).await.status(), 200, "{path}");
    }
    assert_eq!(sent_for_shared(&session).await, ["/ Bearer own-2"]);
}

#[checks::test(start_paused = true)]
async fn token_of_two_accounts_leads_to_none() {
    let mut login = Login::at_once();
    for number in 0..4 {
        login = login.then(Ok(token("shared")));
        login = login.then(Ok(token(&format!("own-{number}"))));
    }
    let session = Session::builder(login)
        .principal_idle(Duration::from_secs(60))
        .build();
    let client = in_turn(&session);
    let log_in = async |name| {
        for path in ["/shared", "/own"] {
            assert_eq!(send(&client, of(name, path)).await.status(), 200, "{name}");
        }
    };
    for name in ["ada", "bob", "eve"] {
        log_in(name).await;
    }
    // Ada and Bob are dropped, Eve stays, and Max is new.
    advance(Duration::from_secs(60)).await;
    send(&client, of("eve", "/own")).await;
    assert_eq!(session.stats().principals, 1);
    log_in("max").await;
    assert_eq!(session.stats().principals, 2);
    assert_eq!(sent_for_shared(&session).await, ["/ Bearer shared"]);
}

#[checks::test(start_paused = true)]
async fn token_leads_to_its_only_remaining_account() {
    let login = Login::at_once()
        .then(Ok(token("shared")))
        .then(Ok(token("shared")))
        .then(Ok(token("shared")))
        .then(Ok(token("own")));
    let session = Session::builder(login)
        .principal_idle(Duration::from_secs(60))
        .build();
    let client = in_turn(&session);
    for name in ["ada", "bob"] {
        assert_eq!(send(&client, of(name, "/shared")).await.status(), 200);
    }
    advance(Duration::from_secs(60)).await;
    // The idle accounts are dropped when her request ends.
    for path in ["/open", "/shared", "/own"] {
        assert_eq!(send(&client, of("eve", path)).await.status(), 200, "{path}");
    }
    assert_eq!(session.stats().principals, 1);
    assert_eq!(sent_for_shared(&session).await, ["/ Bearer own"]);
}
