//! A Redis that is not there.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use checks::tokens::{load, put, token, user};
use globus_login::{Holder, LoginStore, RedisStore, Work};

use peers::redis_server::Redis;
use tempfile::NamedTempFile;
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;

const SHORT: Duration = Duration::from_millis(300);

async fn until_it_answers(store: &RedisStore) {
    let answers = async {
        while store.load(&user("identity/ada")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let answered = tokio::time::timeout(Duration::from_secs(60), answers).await;
    answered.expect("it connects again");
}

/// A file that gets the events of this thread until the guards are dropped.
fn events() -> (NamedTempFile, (Dispatch, DefaultGuard)) {
    let file = NamedTempFile::new().expect("a file");
    let writer = Arc::new(file.reopen().expect("the same file"));
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(writer)
        .finish();
    // While there is only one subscriber, an event that another test comes to first asks that test's thread whether
    // anybody listens.
    let second = Dispatch::new(tracing_subscriber::registry());
    let first = tracing::subscriber::set_default(subscriber);
    (file, (second, first))
}

#[checks::test(seconds = 600)]
async fn stopped_redis_is_unavailable_until_it_goes_on() {
    let redis = Redis::start().await;
    let store = redis.store_with(RedisStore::builder().timeout(SHORT));
    let ada = user("identity/ada");
    put(&store, &ada, token("transfer", "1")).await;
    let revision = store.revision(&ada);
    let (log, guards) = events();
    redis.signal("-STOP");
    let error = store.load(&ada).await.expect_err("it is stopped");
    assert!(error.is_unavailable(), "{error}");
    let holder = Holder::new("portal", SystemTime::now());
    let lease = store.lease(&ada, Work::Login, &holder, SHORT).await;
    assert!(lease.expect_err("it is stopped").is_unavailable());
    assert_eq!(store.revision(&ada), revision, "nobody logged out");
    redis.signal("-CONT");
    until_it_answers(&store).await;
    assert_eq!(load(&store, &ada).await.len(), 1);
    drop(guards);
    let log = std::fs::read_to_string(log.path()).expect("text");
    // Each is told once, however often it is asked.
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
async fn killed_redis_is_connected_to_again_with_its_messages() {
    let mut redis = Redis::start().await;
    let long = Duration::from_secs(3600);
    let settings = || {
        RedisStore::builder()
            .timeout(SHORT)
            .poll(long)
            .max_age(long)
    };
    let (one, two) = (redis.store_with(settings()), redis.store_with(settings()));
    let ada = user("identity/ada");
    put(&one, &ada, token("transfer", "1")).await;
    load(&two, &ada).await;
    redis.kill();
    let error = two.load(&ada).await.expect_err("nobody is there");
    assert!(error.is_unavailable(), "{error}");
    redis.restart().await;
    until_it_answers(&one).await;
    until_it_answers(&two).await;
    assert!(load(&two, &ada).await.is_empty(), "it kept nothing");

    let version = two.load(&ada).await.expect("an answer").version;
    let (waiter, key) = (two.clone(), ada.clone());
    let changed = tokio::spawn(async move { waiter.changed(&key, &version).await });
    let told = async {
        while !changed.is_finished() {
            put(&one, &ada, token("transfer", "2")).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(60), told).await;
    told.expect("it is subscribed again");
}

#[checks::test(seconds = 600)]
async fn redis_that_is_not_there_at_first_is_waited_for() {
    let mut redis = Redis::start().await;
    redis.kill();
    let store = redis.store_with(RedisStore::builder().timeout(SHORT));
    let ada = user("identity/ada");
    let error = store.load(&ada).await.expect_err("nobody is there");
    assert!(error.is_unavailable(), "{error}");
    assert!(!error.to_string().contains("redis://"), "{error}");
    redis.restart().await;
    until_it_answers(&store).await;
    put(&store, &ada, token("transfer", "1")).await;
}
