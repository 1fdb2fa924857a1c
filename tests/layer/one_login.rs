//! One login for many requests, look-ups, and requests of the login itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, GareOptions, GareOutcome, GaveUp, Principal,
    ReauthError, Reauthenticator, Session,
};
use http::Request;
use tower::ServiceExt;

use checks::mock::{
    Answer, Body, CONSENT, Login, MFA, POLICY, Service, answer, authorization, behind, get,
    is_declined, outcome, presenting, responses, send, settle, spawn, token_number, with,
};

/// A service that accepts the `generation`-th token and later ones.
fn wants(layer: &GareLayer, generation: usize) -> (Service, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&requests);
    let client = behind(layer, move |request| {
        seen.fetch_add(1, Ordering::SeqCst);
        if token_number(&request) >= generation {
            answer(200, "")
        } else {
            answer(403, MFA)
        }
    });
    (client, requests)
}

#[checks::test]
async fn requests_challenged_together_cost_one_login() {
    let login = Login::held();
    let (client, requests) = wants(&GareLayer::new(login.clone()), 1);
    let all: Vec<_> = (0..100).map(|_| spawn(&client, get("/"))).collect();
    settle().await;
    assert_eq!((login.logins(), requests.load(Ordering::SeqCst)), (1, 100));
    login.let_go();
    for response in responses(all).await {
        assert_eq!(response.status(), 200);
        assert_eq!(outcome(&response).logins(), 1);
    }
    assert_eq!((login.logins(), requests.load(Ordering::SeqCst)), (1, 200));
    let stats = client.session().stats();
    assert_eq!(
        (
            stats.challenges,
            stats.logins,
            stats.joins,
            stats.replays,
            stats.gave_up.values().sum::<u64>()
        ),
        (100, 1, 99, 100, 0)
    );
}

#[checks::test]
async fn consent_then_policy_then_mfa_go_through() {
    let login = Login::at_once();
    let client = behind(
        &GareLayer::new(login.clone()),
        |request| match authorization(&request) {
            "Bearer token-1" => answer(403, POLICY),
            "Bearer token-2" => answer(403, MFA),
            "Bearer token-3" => answer(200, ""),
            _ => answer(403, CONSENT),
        },
    );
    let response = send(&client, get("/")).await;
    assert_eq!(response.status(), 200);
    let attempts: Vec<_> = login
        .challenges()
        .iter()
        .map(|challenge| (challenge.attempt(), challenge.generation()))
        .collect();
    assert_eq!(attempts, [(1, 0), (2, 1), (3, 2)]);
}

#[checks::test]
async fn dropped_caller_leaves_the_login_to_the_others() {
    let login = Login::held();
    let (client, _) = wants(&GareLayer::new(login.clone()), 1);
    // This request has a token, so it is sent at once, and waits only after its challenge.
    let old = || presenting(get("/"), "Bearer old");
    let leader = spawn(&client, old());
    settle().await;
    let waiter = spawn(&client, old());
    settle().await;
    assert_eq!((login.logins(), client.session().stats().joins), (1, 1));
    leader.abort();
    settle().await;
    login.let_go();
    assert_eq!(waiter.await.expect("no panic").status(), 200);
    assert_eq!(login.logins(), 1);
}

#[checks::test(start_paused = true)]
async fn failed_login_fails_all_waiters_and_then_backs_off() {
    let login = Login::held().then(Err(ReauthError::declined()));
    let (client, _) = wants(&GareLayer::new(login.clone()), 1);
    let all: Vec<_> = (0..10).map(|_| spawn(&client, get("/"))).collect();
    settle().await;
    login.let_go();
    let gave_up = |response: &Answer| outcome(response).gave_up().map(GaveUp::name);
    for response in responses(all).await {
        assert_eq!(response.status(), 403);
        assert!(is_declined(&response));
        assert_eq!(gave_up(&response), Some("failed"));
    }
    login.let_go();
    let response = send(&client, get("/")).await;
    assert!(is_declined(&response));
    assert_eq!(gave_up(&response), Some("backing_off"));
    assert_eq!(
        (response.status().as_u16(), login.logins()),
        (403, 1),
        "no login starts during the backoff"
    );
    tokio::time::advance(Duration::from_secs(31)).await;
    let response = send(&client, get("/")).await;
    assert_eq!((response.status().as_u16(), login.logins()), (200, 2));
}

#[checks::test]
async fn late_challenge_is_replayed_with_the_current_credential() {
    let login = Login::at_once();
    let (client, requests) = wants(&GareLayer::new(login.clone()), 1);
    let stale = || presenting(get("/"), "Bearer stale");
    // Sent with the stale token. Its challenge arrives after another request has logged in.
    let mut late = Box::pin(client.clone().oneshot(stale()));
    assert!(futures_util::poll!(&mut late).is_pending());
    assert_eq!(send(&client, stale()).await.status(), 200);
    assert_eq!(login.logins(), 1);
    assert_eq!(late.await.expect("a response").status(), 200);
    assert_eq!(login.logins(), 1, "a late challenge starts no login");
    assert_eq!(requests.load(Ordering::SeqCst), 4, "each is replayed once");
}

#[checks::test]
async fn presented_token_is_replaced_by_its_successor() {
    let login = Login::at_once();
    let (client, requests) = wants(&GareLayer::new(login.clone()), 1);
    let of = |token: &str| presenting(get("/"), &format!("Bearer {token}"));
    assert_eq!(send(&client, of("ada")).await.status(), 200);
    assert_eq!(send(&client, of("ada")).await.status(), 200);
    assert_eq!(login.logins(), 1, "the successor is known");
    assert_eq!(
        requests.load(Ordering::SeqCst),
        3,
        "and sent in its place at once"
    );
    assert_eq!(send(&client, of("bob")).await.status(), 200);
    assert_eq!(login.logins(), 2, "another value is another identity");
    let presented = |identity: &Principal, token: &str| matches!(identity, Principal::Presented(value) if value.header_value() == &format!("Bearer {token}"));
    let challenges = login.challenges();
    assert!(presented(challenges[0].target().principal(), "ada"));
    assert!(presented(challenges[1].target().principal(), "bob"));
}

#[checks::test]
async fn bearer_scheme_ignores_case() {
    for (value, logins) in [
        ("Bearer ada", 1),
        ("bearer ada", 1),
        ("BEARER ada", 1),
        ("Bearer", 0),
        ("BearerX ada", 0),
    ] {
        let login = Login::at_once();
        let (client, _) = wants(&GareLayer::new(login.clone()), 1);
        let request = presenting(get("/"), value);
        let response = send(&client, request).await;
        let status = if logins == 1 { 200 } else { 403 };
        assert_eq!(
            (response.status().as_u16(), login.logins()),
            (status, logins),
            "{value}"
        );
    }
}

#[checks::test]
async fn plain_401_is_refreshed_silently_once() {
    let login = Login::at_once().stored("old");
    let session = Session::builder(login.clone()).login_on_401(false);
    let layer = GareLayer::from_session(session.build());
    let client = behind(&layer, |request| match authorization(&request) {
        "Bearer new" => answer(200, ""),
        _ => answer(401, "{}"),
    });
    let response = send(&client, get("/")).await;
    assert_eq!(
        (response.status().as_u16(), login.look_ups()),
        (401, 2),
        "asked first, renewed once"
    );
    login.store("new");
    let response = send(&client, get("/")).await;
    assert_eq!(
        (response.status().as_u16(), login.look_ups(), login.logins()),
        (200, 3, 0)
    );
}

#[checks::test(start_paused = true)]
async fn expired_credential_is_refreshed_before_it_is_sent() {
    let short = Credential::bearer("token-1")
        .expect("a token")
        .with_lifetime(Duration::from_secs(3600));
    let login = Login::at_once().then(Ok(short));
    let (client, requests) = wants(&GareLayer::new(login.clone()), 1);
    assert_eq!(send(&client, get("/")).await.status(), 200);
    tokio::time::advance(Duration::from_secs(3600)).await;
    login.store("token-2");
    let sent = requests.load(Ordering::SeqCst);
    assert_eq!(send(&client, get("/")).await.status(), 200);
    assert_eq!(
        requests.load(Ordering::SeqCst),
        sent + 1,
        "the look-up came before any challenge"
    );
    assert_eq!(login.logins(), 1);
}

#[checks::test]
async fn login_through_the_same_client_does_not_deadlock() {
    use std::sync::OnceLock;
    let client: Arc<OnceLock<Service>> = Arc::default();
    let own = Arc::clone(&client);
    let layer = GareLayer::new(globus_gare::reauth::reauth_fn(move |_| {
        let client = own.get().expect("set").clone();
        async move {
            let response = send(&client, get("/login")).await;
            assert_eq!(
                response.status(),
                403,
                "its own requests pass straight through"
            );
            Ok(Credential::bearer("token-1")?)
        }
    }));
    let (service, _) = wants(&layer, 1);
    assert!(client.set(service.clone()).is_ok());
    assert_eq!(send(&service, get("/")).await.status(), 200);
}

#[checks::test]
async fn requests_of_a_login_bypass_the_layer() {
    for (path, passes) in [
        ("/v2/oauth2/authorize", true),
        ("/v2/oauth2/authorize?client_id=x", true),
        ("/v2/oauth2/token", true),
        ("/v2/oauth2/token/revoke", true),
        ("/v2/oauth2/tokens", false),
        ("/v2/oauth2/userinfo", false),
        ("/v2/oauth2/authorize/more", false),
        ("/", false),
    ] {
        let login = Login::at_once().stored("old");
        let client = behind(&GareLayer::new(login.clone()), |request| {
            let outcome = authorization(&request).to_owned();
            let mut challenge = answer(403, MFA);
            let value = outcome.parse().expect("a value");
            challenge.headers_mut().insert("heard", value);
            challenge
        });
        let request = Request::post(format!("https://auth.globus.org{path}"));
        let request = request.body(Body::default()).expect("a request");
        let response = send(&client, request).await;
        let seen = response.extensions().get::<GareOutcome>().is_some();
        assert_eq!((seen, login.logins() > 0), (!passes, !passes), "{path}");
        let heard = response.headers()["heard"].is_empty();
        assert_eq!(heard, passes, "{path}");
    }
}

/// Sends a request of its login through the same stack.
#[derive(Clone, Default)]
struct ThroughTheStack(Arc<std::sync::OnceLock<Limited>>);

type Limited = tower::util::BoxCloneSyncService<
    Request<Body>,
    http::Response<globus_gare::layer::GareBody<Body>>,
    std::convert::Infallible,
>;

#[async_trait::async_trait]
impl Reauthenticator for ThroughTheStack {
    async fn reauthenticate(&self, _: &Challenge) -> Result<Credential, ReauthError> {
        Err(ReauthError::declined())
    }

    async fn credential(&self, _: &CredentialRequest) -> Result<Option<Credential>, ReauthError> {
        let client = self.0.get().expect("set").clone();
        let answer = client.oneshot(get("/token")).await.expect("a response");
        assert_eq!(authorization_of(&answer), "");
        Ok(Some(Credential::bearer("token-1")?))
    }
}

fn authorization_of<B>(response: &http::Response<B>) -> &str {
    let seen = response.headers().get("x-authorization");
    seen.map_or("", |value| value.to_str().expect("ASCII"))
}

#[checks::test(start_paused = true)]
async fn login_through_a_full_stack_does_not_deadlock() {
    let login = ThroughTheStack::default();
    let service = tower::service_fn(|request: Request<Body>| async move {
        let mut response = answer(200, "");
        let value = authorization(&request).parse().expect("a value");
        response.headers_mut().insert("x-authorization", value);
        Ok::<_, std::convert::Infallible>(response)
    });
    let client = tower::ServiceBuilder::new()
        .layer(GareLayer::new(login.clone()))
        .concurrency_limit(1)
        .service(service);
    let client = Limited::new(client);
    assert!(login.0.set(client.clone()).is_ok());
    let all = (0..3).map(|_| client.clone().oneshot(get("/")));
    let all = tokio::time::timeout(Duration::from_secs(60), join_all(all));
    for response in all.await.expect("no request waits for its own permit") {
        let response = response.expect("a response");
        assert_eq!(authorization_of(&response), "Bearer token-1");
    }
}

#[checks::test]
async fn accepted_credential_may_be_challenged_again() {
    let login = Login::at_once();
    let layer = GareLayer::new(login.clone());
    let least = Arc::new(AtomicUsize::new(1));
    let wanted = Arc::clone(&least);
    let client = behind(&layer, move |request| {
        if token_number(&request) >= wanted.load(Ordering::SeqCst) {
            answer(200, "")
        } else {
            answer(403, MFA)
        }
    });
    let status = async |request| send(&client, request).await.status().as_u16();
    // No request has used the credential of this login,
    let only = GareOptions::new().login_only();
    assert_eq!(status(with(get("/"), only)).await, 403);
    // until this one is accepted with it at once.
    assert_eq!((status(get("/")).await, login.logins()), (200, 1));
    // So the login helped: the next challenge is a new requirement.
    least.store(2, Ordering::SeqCst);
    assert_eq!((status(get("/")).await, login.logins()), (200, 2));
}
