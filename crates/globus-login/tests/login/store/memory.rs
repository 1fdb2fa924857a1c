//! `MemoryStore`.

use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use globus_gare::gare::AuthorizationParameters;
use globus_login::{
    Holder, Leased, Login, LoginStore, MemoryStore, Scopes, Version, Waiting, Work,
};

use checks::tokens::{load, put, servers, token, user};

/// The documented maximum number of users.
const MAX: usize = 1024;

#[checks::test]
async fn least_recently_used_user_is_forgotten() {
    let store = MemoryStore::new();
    let known = async |name: &str| servers(&load(&store, &user(name)).await) == ["t"];
    let use_once = async |name: &str| put(&store, &user(name), token("t", "t")).await;
    for name in ["used", "asked", "idle"] {
        use_once(name).await;
    }
    for number in 3..MAX {
        use_once(&number.to_string()).await;
    }
    assert!(known("used").await);
    assert_eq!(store.revision(&user("asked")), Some(0));
    use_once("one more").await;
    assert!(known("used").await && known("asked").await && known("one more").await);
    assert!(!known("idle").await);
    let shown = format!("{store:?}");
    assert!(shown.contains("1024"), "{shown}");
}

#[checks::test]
async fn reading_unknown_users_forgets_nobody() {
    let store = MemoryStore::new();
    put(&store, &user("known"), token("t", "t")).await;
    let holder = Holder::new("test", SystemTime::now());
    let old = Version::new("old");
    for number in 0..2 * MAX {
        let unknown = user(&number.to_string());
        assert_eq!(store.waiting(&unknown).await.expect("memory"), []);
        store.withdraw(&unknown, &holder).await.expect("memory");
        let waits = store.changed(&unknown, &Version::NONE).now_or_never();
        assert!(waits.is_none(), "the version is seen");
        let late = store.commit(&unknown, &old, &Login::default()).await;
        assert_eq!(late.expect("memory"), None);
    }
    assert_eq!(servers(&load(&store, &user("known")).await), ["t"]);
}

fn waiting(program: &str) -> Waiting {
    Waiting {
        by: Holder::new(program, SystemTime::now()),
        required: AuthorizationParameters::default(),
        scopes: Scopes::default(),
        words: None,
        is_told: false,
    }
}

#[checks::test]
async fn notices_for_unknown_users_forget_nobody() {
    let store = MemoryStore::new();
    put(&store, &user("known"), token("t", "t")).await;
    for number in 0..2 * MAX {
        let unknown = user(&number.to_string());
        let notice = waiting("job");
        let posted = store.post(&unknown, &notice, Duration::from_secs(60));
        posted.await.expect("memory");
        assert_eq!(store.waiting(&unknown).await.expect("memory"), [notice]);
    }
    assert_eq!(servers(&load(&store, &user("known")).await), ["t"]);
}

#[checks::test]
async fn longest_time_has_an_end() {
    let store = MemoryStore::new();
    let (ada, notice) = (user("ada"), waiting("job"));
    store
        .post(&ada, &notice, Duration::MAX)
        .await
        .expect("memory");
    let lease = || store.lease(&ada, Work::Login, &notice.by, Duration::MAX);
    assert_eq!(lease().await.expect("memory"), Leased::Held);
    let extended = store.extend(&ada, Work::Login, &notice.by, Duration::MAX);
    assert!(extended.await.expect("memory"));
}

#[checks::test]
async fn wait_for_an_unknown_user_ends_with_their_first_login() {
    let store = MemoryStore::new();
    let (ada, bob) = (user("ada"), user("bob"));
    let mut change = tokio_test::task::spawn(store.changed(&ada, &Version::NONE));
    assert!(change.poll().is_pending());
    put(&store, &bob, token("t", "t")).await;
    assert!(change.poll().is_pending(), "the login of another user");
    put(&store, &ada, token("t", "t")).await;
    assert!(change.is_woken());
    assert!(change.poll().is_ready());
}

#[checks::test]
async fn lease_is_not_forgotten_before_its_end() {
    let store = MemoryStore::new();
    let lease = async |name: &str| {
        let holder = Holder::new(name, SystemTime::now());
        let (user, minute) = (user(name), Duration::from_secs(60));
        let leased = store.lease(&user, Work::Login, &holder, minute);
        leased.await.expect("memory")
    };
    assert_eq!(lease("held").await, Leased::Held);
    for number in 0..2 * MAX {
        assert_eq!(lease(&number.to_string()).await, Leased::Held);
    }
    assert!(matches!(lease("held").await, Leased::Busy { .. }));
}
