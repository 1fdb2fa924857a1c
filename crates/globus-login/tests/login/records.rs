//! The record of a user, changed by several programs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, SystemTime};

use checks::tokens::{own, put, token_file, with};
use globus_gare::reauth::{Principal, Reauthenticator};
use globus_login::{
    GlobusApp, Holder, JsonStore, Leased, Login, LoginStatus, LoginStore, MemoryStore, UserKey,
    Work,
};
use serde_json::json;
use tokio::sync::Barrier;

use crate::support::doubles::{Call, Hooked, Listening};
use crate::support::endpoint::*;
use crate::support::*;

/// A scope whose name does not contain its resource server.
const SCOPE: &str = "https://auth.globus.org/scopes/6c54cade-bde5-45c1-bdea-f4bd71dba2cc/all";

/// The answer to a login: a token for [`SCOPE`], of a resource server with another name.
fn unguessable() -> serde_json::Value {
    let mut given = login("given");
    given["scope"] = SCOPE.into();
    given["resource_server"] = "named-otherwise".into();
    given["other_tokens"][0]["scope"] = "openid".into();
    given
}

#[checks::test]
async fn resource_server_need_not_be_in_the_scope() {
    let endpoint = Endpoint::always(answer(200, &unguessable())).await;
    let client = GlobusApp::confidential(CLIENT, "secret").auth_url(&endpoint.url);
    let client = client.scopes([SCOPE]).build().expect("an app");
    let browser = Browser::redirected();
    let person = endpoint.app().scopes([SCOPE]).prompt(browser.clone());
    let person = person.build().expect("an app");
    for app in [client, person] {
        for _ in 0..2 {
            app.login().await.expect("a login");
            assert!(app.is_logged_in().await.expect("no error"));
        }
    }
    assert_eq!(
        (endpoint.grants("client_credentials"), browser.logins()),
        (1, 1)
    );
}

#[checks::test]
async fn two_people_in_one_browser_are_told_apart() {
    let tokens = AtomicUsize::new(0);
    let endpoint = Endpoint::start(move |request| {
        let mut given = login("ada");
        if request.path == "/v2/oauth2/token" && tokens.fetch_add(1, SeqCst) == 1 {
            given = login("bob");
            given["id_token"] = id_token(&json!({"sub": "bob", "aud": CLIENT}).to_string()).into();
        }
        std::future::ready(answer(200, &given))
    })
    .await;
    let app = endpoint.app();
    let ada = Principal::Named("browser".into());
    let outside = app.build().expect("an app");
    let pending = [
        outside.begin_login(&ada, None).await.expect("a login"),
        outside.begin_login(&ada, None).await.expect("a login"),
    ];
    // Nobody commits before both have made their change.
    let (commits, barrier) = (AtomicUsize::new(0), Arc::new(Barrier::new(2)));
    let store = Arc::new(Hooked::new(MemoryStore::new(), move |call| {
        let meets = call == Call::Commit && commits.fetch_add(1, SeqCst) < 2;
        let barrier = Arc::clone(&barrier);
        async move {
            if meets {
                barrier.wait().await;
            }
        }
    }));
    let app = endpoint
        .app()
        .store(Arc::clone(&store))
        .build()
        .expect("an app");
    let [one, two] = pending.map(|pending| {
        let state = value(pending.authorize_url(), "state");
        let back = format!("https://service.example/?code=c&state={state}");
        app.finish_login(pending, back.parse().expect("a URL"))
    });
    let (one, two) = tokio::join!(one, two);
    let errors: Vec<_> = [one, two].into_iter().filter_map(Result::err).collect();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_says(&errors[0], "another person logged in", &[]);
    let key = UserKey::new("production", CLIENT, "identity/browser");
    let kept = store.store.load(&key).await.expect("memory").login.tokens;
    let mut people: Vec<_> = kept.values().map(|token| token.identity_id()).collect();
    people.dedup();
    assert_eq!(people.len(), 1, "{people:?}");
    // The tokens of the other person are revoked.
    assert_eq!(endpoint.revoked().len(), 4);
}

/// A recent copy says that Ada is logged in. Bob's login must not fail because of the copy.
#[checks::test]
async fn person_who_has_logged_out_keeps_nobody_out() {
    let tokens = AtomicUsize::new(0);
    let endpoint = Endpoint::start(move |request| {
        let is_second = request.path == "/v2/oauth2/token" && tokens.fetch_add(1, SeqCst) == 1;
        let person = if is_second { "bob" } else { "ada" };
        let mut given = login(person);
        given["id_token"] = id_token(&json!({"sub": person, "aud": CLIENT}).to_string()).into();
        std::future::ready(answer(200, &given))
    })
    .await;
    let (kept, key) = (
        MemoryStore::new(),
        UserKey::new("production", CLIENT, "identity/browser"),
    );
    let leaves = Arc::new(AtomicBool::new(false));
    let store = {
        let (kept, key, leaves) = (kept.clone(), key.clone(), Arc::clone(&leaves));
        Hooked::new(kept.clone(), move |call| {
            let (kept, key) = (kept.clone(), key.clone());
            let leaves = call == Call::Load && leaves.swap(false, SeqCst);
            async move {
                if leaves {
                    let version = kept.load(&key).await.expect("memory").version;
                    let logout = kept.commit(&key, &version, &Login::default()).await;
                    logout.expect("memory").expect("committed");
                }
            }
        })
    };
    let app = endpoint.app().store(store).build().expect("an app");
    let browser = Principal::Named("browser".into());
    for (person, before_leaves) in [("ada", false), ("bob", true)] {
        let pending = app.begin_login(&browser, None).await.expect("a login");
        let state = value(pending.authorize_url(), "state");
        let back = format!("https://service.example/?code=c&state={state}");
        leaves.store(before_leaves, SeqCst);
        let finished = app.finish_login(pending, back.parse().expect("a URL"));
        finished.await.expect("a login");
        let kept = kept.load(&key).await.expect("memory").login.tokens;
        let people: BTreeSet<_> = kept.values().map(|token| token.identity_id()).collect();
        assert_eq!(people, [Some(person)].into());
    }
}

#[checks::test]
async fn is_logged_in_asks_nobody() {
    let endpoint = Endpoint::always(answer(503, &json!({}))).await;
    let client = GlobusApp::confidential(CLIENT, "secret").auth_url(&endpoint.url);
    let client = client.build().expect("an app");
    assert!(!client.is_logged_in().await.expect("no error"));

    let (store, browser) = (MemoryStore::new(), Browser::closed());
    let app = endpoint.app().store(store.clone()).prompt(browser.clone());
    let app = app.build().expect("an app");
    for (server, scope) in [(AUTH_SERVER, "openid"), (TRANSFER_SERVER, TRANSFER_ALL)] {
        assert!(!app.is_logged_in().await.expect("no error"));
        let token = stored(server, server, false);
        keep(&store, with(&token, json!({"scope": scope}))).await;
    }
    assert!(app.is_logged_in().await.expect("no error"));
    assert!(endpoint.requests().is_empty());
    // After a failed refresh, the person is asked.
    let error = app.login().await.expect_err("they decline");
    assert!(error.is_declined(), "{error:?}");
    assert_eq!(browser.logins(), 1);
}

/// A token does not name the dependencies of its scopes.
#[checks::test]
async fn dependencies_of_scopes_are_known_from_the_record() {
    let mut given = login("given");
    given["scope"] = TRANSFER_ALL.into();
    given["other_tokens"][0]["scope"] = "openid".into();
    let endpoint = Endpoint::always(answer(200, &given)).await;
    let store = MemoryStore::new();
    let with = |scope: &str| {
        let app = endpoint.app().store(store.clone()).scopes([scope]);
        app.build().expect("an app")
    };
    let plain = with(TRANSFER_ALL);
    let mapped = with(&format!(
        "{TRANSFER_ALL}[*https://auth.globus.org/scopes/x/data_access]"
    ));
    let logged_in = async || {
        let [plain, mapped] = [plain.is_logged_in().await, mapped.is_logged_in().await];
        (plain.expect("no error"), mapped.expect("no error"))
    };
    plain.login().await.expect("a login");
    assert_eq!(logged_in().await, (true, false));
    mapped.login().await.expect("a login");
    assert_eq!(logged_in().await, (true, true));
    // A logout forgets the scopes.
    assert!(plain.logout().await.expect("told"));
    plain.login().await.expect("a login");
    assert_eq!(logged_in().await, (true, false));
}

#[checks::test]
async fn person_is_told_of_another_programs_login() {
    let endpoint = Endpoint::approving().await;
    let (store, person) = (MemoryStore::new(), Listening::new());
    let other = Holder::new("other program", SystemTime::now());
    let (user, minute) = (own(CLIENT), Duration::from_secs(60));
    let leased = store.lease(&user, Work::Login, &other, minute).await;
    assert_eq!(leased.expect("memory"), Leased::Held);
    let app = endpoint.app().store(store.clone()).prompt(person.clone());
    let app = app.build().expect("an app");
    let login = tokio::spawn(async move { app.login().await });
    let waited = LoginStatus::LoggingInElsewhere {
        host: other.host().to_owned(),
        since: other.since(),
    };
    assert_eq!(person.told(1).await, std::slice::from_ref(&waited));
    assert_eq!(person.browser.logins(), 0);
    store
        .release(&user, Work::Login, &other)
        .await
        .expect("memory");
    login.await.expect("no panic").expect("a login");
    assert_eq!(person.browser.logins(), 1);
    let who = ADA.to_owned();
    let told = [waited, LoginStatus::LoggedIn { who }];
    assert_eq!(person.told(2).await, told, "told once");
}

/// A long wait costs next to nothing.
#[checks::test(start_paused = true)]
async fn waiting_login_polls_about_once_a_second() {
    const MINUTE: Duration = Duration::from_secs(60);
    let store = MemoryStore::new();
    let (user, other) = (own(CLIENT), Holder::new("other", SystemTime::now()));
    let leased = store.lease(&user, Work::Login, &other, MINUTE).await;
    assert_eq!(leased.expect("memory"), Leased::Held);
    let (counts, calls) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (looks, all) = (Arc::clone(&counts), Arc::clone(&calls));
    let store = Hooked::new(store, move |call| {
        all.fetch_add(1, SeqCst);
        looks.fetch_add(usize::from(call == Call::Lease(Work::Login)), SeqCst);
        std::future::ready(())
    });
    let browser = Browser::closed();
    let app = GlobusApp::user(CLIENT).auth_url("http://127.0.0.1:9");
    let app = app.store(store).prompt(browser.clone()).build();
    let began = tokio::time::Instant::now();
    let error = app
        .expect("an app")
        .login()
        .await
        .expect_err("they decline");
    assert!(error.is_declined() && browser.logins() == 1, "{error:?}");
    assert!(began.elapsed() >= MINUTE, "another program had the lease");
    let (looks, calls) = (counts.load(SeqCst), calls.load(SeqCst));
    assert!((45..=90).contains(&looks), "{looks}");
    assert!(calls < looks + 10, "no other calls: {calls}");
}

#[checks::test]
async fn login_is_stored_without_a_lease() {
    let endpoint = Endpoint::approving().await;
    let home = tempfile::tempdir().expect("a directory");
    std::fs::write(home.path().join("tokens.json.d"), "in the way").expect("a file");
    let store = JsonStore::new(home.path().join("tokens.json"));
    let app = endpoint.app().store(store.clone()).build().expect("an app");
    app.login_with(Default::default()).await.expect("a login");
    assert_eq!(kept(&store).await.len(), 2);
}

/// Programs of other versions and toolchains read the same record.
#[checks::test]
async fn record_lists_tokens_by_a_fixed_hash() {
    let endpoint = Endpoint::approving().await;
    let (_home, store) = token_file();
    logged_in(endpoint.app().store(store.clone())).await;
    let text = std::fs::read_to_string(store.path()).expect("a file");
    // The first half of the SHA-256 of `given`, the access token.
    assert!(text.contains("5b729e0f619797fd61108a4bb1772732"), "{text}");
}

#[checks::test]
async fn valid_token_is_used_while_another_program_refreshes() {
    let endpoint = Endpoint::approving().await;
    let store = MemoryStore::new();
    let stopped = Holder::new("stopped", SystemTime::now());
    let (user, hour) = (own(CLIENT), Duration::from_secs(3600));
    let leased = store.lease(&user, Work::Refresh, &stopped, hour).await;
    assert_eq!(leased.expect("memory"), Leased::Held);
    // The token counts as expired, but is valid for 40 seconds more.
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let end = now.expect("after 1970").as_secs() + 40;
    let token = with(
        &stored(TRANSFER_SERVER, "old", true),
        json!({"expires_at_seconds": end}),
    );
    put(&store, &user, token).await;
    let app = endpoint.app().store(store.clone()).build().expect("an app");
    let sent = tokio::time::timeout(Duration::from_secs(20), sent(&app)).await;
    assert_eq!(sent.expect("nobody waits").as_deref(), Some("old"));
    assert!(endpoint.requests().is_empty());
}

#[checks::test]
async fn damaged_file_is_set_aside_by_login_with_and_logout() {
    for logs_in in [true, false] {
        let endpoint = Endpoint::approving().await;
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("tokens.json");
        std::fs::write(&path, "{\"format_version\": \"3.0\"}").expect("a file");
        let person = Listening::new();
        let store = JsonStore::new(&path);
        let app = endpoint.app().store(store).prompt(person.clone());
        let app = app.build().expect("an app");
        for error in [
            app.login().await.expect_err("damaged"),
            app.is_logged_in().await.map(drop).expect_err("damaged"),
        ] {
            assert_says(&error, "tokens.json cannot be understood", &[]);
        }
        assert!(
            endpoint.requests().is_empty(),
            "no request for a damaged file"
        );
        if logs_in {
            app.login_with(Default::default()).await.expect("a login");
            assert_eq!(sent(&app).await.as_deref(), Some("given"));
        } else {
            assert!(!app.logout().await.expect("nothing to revoke"));
            assert!(!app.is_logged_in().await.expect("it can be read"));
        }
        let told = person.told(1).await;
        let [LoginStatus::SetAside { place, .. }, ..] = &told[..] else {
            panic!("told something else: {told:?}");
        };
        assert!(std::path::Path::new(place).exists(), "{place}");
    }
}

#[checks::test]
async fn revision_changes_by_logouts_only() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("tokens.json");
    let file = || -> Arc<dyn LoginStore> { Arc::new(JsonStore::new(&path)) };
    let memory: Arc<dyn LoginStore> = Arc::new(MemoryStore::new());
    let pairs = [[file(), file()], [Arc::clone(&memory), memory]];
    for [one, other] in pairs {
        let endpoint = Endpoint::approving().await;
        let app = endpoint.app().store(one).build().expect("an app");
        let other = endpoint.app().store(other).build().expect("an app");
        let revision = async || {
            // The revision is that of the last load.
            app.is_logged_in().await.expect("no error");
            app.revision(&Principal::Session)
        };
        let first = revision().await;
        for _ in 0..2 {
            log_in_again(&other).await.expect("a login");
            assert_eq!(revision().await, first, "a login of the same person");
        }
        assert!(other.logout().await.expect("told"));
        let second = revision().await;
        assert_ne!(second, first);
        log_in_again(&other).await.expect("a login");
        assert_eq!(revision().await, second, "the first login after a logout");
    }
}
