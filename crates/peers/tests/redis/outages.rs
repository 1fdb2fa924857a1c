//! Redis servers that do not answer.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use checks::tokens::{load, put, token, user};
use globus_login::{Holder, LoginStore, RedisStore, Work};

use peers::redis_server::Redis;
use tempfile::NamedTempFile;
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;

/// Long enough for a slow machine that has a Redis, short enough to wait for without one.
const TIMEOUT: Duration = Duration::from_secs(3);

async fn wait_until_available(store: &RedisStore) {
    let answers = async {
        while store.load(&user("identity/ada")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let answered = tokio::time::timeout(Duration::from_secs(60), answers).await;
    answered.expect("the store connects again within 60 s");
}

/// A file that records the events of this thread until the guards are dropped.
fn events() -> (NamedTempFile, (Dispatch, DefaultGuard)) {
    let file = NamedTempFile::new().expect("a file");
    let writer = Arc::new(file.reopen().expect("the same file"));
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(writer)
        .finish();
    // With only one subscriber, `tracing` would cache the interest of whichever thread meets an
    // event first: another test's thread, which has none.
    let second = Dispatch::new(tracing_subscriber::registry());
    let first = tracing::subscriber::set_default(subscriber);
    (file, (second, first))
}

#[checks::test(seconds = 600)]
async fn stopped_redis_is_unavailable_until_it_continues() {
    let redis = Redis::start().await;
    let store = redis.store_with(RedisStore::builder().timeout(TIMEOUT));
    let ada = user("identity/ada");
    put(&store, &ada, token("transfer", "1")).await;
    let revision = store.revision(&ada);
    let (log, guards) = events();
    redis.signal("-STOP");
    let error = store.load(&ada).await.expect_err("the server is stopped");
    assert!(error.is_unavailable(), "{error}");
    let holder = Holder::new("portal", SystemTime::now());
    let lease = store.lease(&ada, Work::Login, &holder, TIMEOUT).await;
    assert!(lease.expect_err("the server is stopped").is_unavailable());
    assert_eq!(store.revision(&ada), revision, "nobody logged out");
    redis.signal("-CONT");
    wait_until_available(&store).await;
    assert_eq!(load(&store, &ada).await.len(), 1);
    drop(guards);
    let log = std::fs::read_to_string(log.path()).expect("text");
    // Each change is logged once, not once a request.
    for event in [
        "WARN",
        "redis does not answer",
        "INFO",
        "redis answers again",
    ] {
        assert_eq!(log.matches(event).count(), 1, "{event}: {log}");
    }
}

#[checks::test(seconds = 600)]
async fn store_reconnects_and_subscribes_after_a_kill() {
    let mut redis = Redis::start().await;
    let long = Duration::from_secs(3600);
    let settings = || {
        RedisStore::builder()
            .timeout(TIMEOUT)
            .poll(long)
            .max_age(long)
    };
    let (one, two) = (redis.store_with(settings()), redis.store_with(settings()));
    let ada = user("identity/ada");
    put(&one, &ada, token("transfer", "1")).await;
    load(&two, &ada).await;
    redis.kill();
    let error = two.load(&ada).await.expect_err("the server is killed");
    assert!(error.is_unavailable(), "{error}");
    redis.restart().await;
    wait_until_available(&one).await;
    wait_until_available(&two).await;
    assert!(
        load(&two, &ada).await.is_empty(),
        "the server lost its data"
    );

    let version = two.load(&ada).await.expect("an answer").version;
    let (waiter, key) = (two.clone(), ada.clone());
    let changed = tokio::spawn(async move { waiter.changed(&key, &version).await });
    let announced = async {
        while !changed.is_finished() {
            put(&one, &ada, token("transfer", "2")).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let announced = tokio::time::timeout(Duration::from_secs(60), announced).await;
    announced.expect("the store subscribes again within 60 s");
    changed.await.expect("no panic").expect("a change");
}

#[checks::test(seconds = 600)]
async fn store_connects_to_a_redis_that_starts_later() {
    let mut redis = Redis::start().await;
    redis.kill();
    let store = redis.store_with(RedisStore::builder().timeout(TIMEOUT));
    let ada = user("identity/ada");
    let error = store.load(&ada).await.expect_err("the server is killed");
    assert!(error.is_unavailable(), "{error}");
    assert!(!error.to_string().contains("redis://"), "{error}");
    redis.restart().await;
    wait_until_available(&store).await;
    put(&store, &ada, token("transfer", "1")).await;
}
