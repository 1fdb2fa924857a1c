//! Redis servers that do not answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use checks::tokens::{load, put, token, user};
use globus_login::{Holder, LoginStore, RedisStore, Versioned, Work};

use peers::redis_server::{KEY, Redis};
use redis::aio::MultiplexedConnection;
use tempfile::NamedTempFile;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;

use crate::stores::{revise, wait_until};

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

/// Runs a command without an answer.
async fn run(redis: &mut MultiplexedConnection, command: &str) {
    let mut words = command.split(' ');
    let mut command = redis::cmd(words.next().expect("a word"));
    let done = command.arg(words.collect::<Vec<_>>()).exec_async(redis);
    done.await.expect("Redis runs the command");
}

#[checks::test(seconds = 600)]
async fn store_connects_again_when_its_login_is_accepted() {
    let redis = Redis::start().await;
    let store = redis.store_with(RedisStore::builder().timeout(TIMEOUT));
    let ada = user("identity/ada");
    put(&store, &ada, token("transfer", "1")).await;
    let mut admin = redis.connection().await;
    run(&mut admin, "CONFIG SET requirepass new").await;
    run(&mut admin, "CLIENT KILL USER default SKIPME yes").await;
    let rejected = async {
        loop {
            let error = store.load(&ada).await.expect_err("the password is missing");
            assert!(error.is_unavailable(), "{error}");
            if error
                .to_string()
                .contains("check the user and the password")
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let rejected = tokio::time::timeout(Duration::from_secs(60), rejected).await;
    rejected.expect("the error names the password");
    let mut command = redis::cmd("CONFIG");
    let command = command.arg("SET").arg("requirepass").arg("");
    command.exec_async(&mut admin).await.expect("no password");
    wait_until_available(&store).await;
    assert_eq!(load(&store, &ada).await.len(), 1);
}

#[checks::test(seconds = 600)]
async fn store_connects_again_when_there_are_fewer_clients() {
    let redis = Redis::start().await;
    let mut admin = redis.connection().await;
    run(&mut admin, "CONFIG SET maxclients 1").await;
    let store = redis.store_with(RedisStore::builder().timeout(TIMEOUT));
    let ada = user("identity/ada");
    let error = store.load(&ada).await.expect_err("there are too many");
    assert!(error.is_unavailable(), "{error}");
    run(&mut admin, "CONFIG SET maxclients 100").await;
    wait_until_available(&store).await;
}

/// An address that follows the primary, as managed services have one.
#[checks::test(seconds = 600)]
async fn store_follows_a_new_primary() {
    let (old, new) = (Redis::start().await, Redis::start().await);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("redis://{}/", listener.local_addr().expect("an address"));
    let primary = Arc::new(AtomicU16::new(old.port));
    let current = Arc::clone(&primary);
    let forwarder = tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.expect("a client");
            let server = ("127.0.0.1", current.load(Relaxed));
            let mut server = TcpStream::connect(server).await.expect("a server");
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    let store = RedisStore::new(&url, KEY.parse().expect("a key")).expect("a URL");
    let ada = user("identity/ada");
    put(&store, &ada, token("transfer", "1")).await;
    primary.store(new.port, Relaxed);
    // The old one stays, as a replica, and so does the connection to it.
    run(&mut old.connection().await, "REPLICAOF 127.0.0.1 1").await;
    let follows = async {
        loop {
            let Versioned { version, login } = store.load(&ada).await.expect("an answer");
            let committed = store.commit(&ada, &version, &login).await;
            match committed {
                Ok(committed) => return assert!(committed.is_some()),
                Err(error) => assert!(error.is_unavailable(), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let follows = tokio::time::timeout(Duration::from_secs(60), follows).await;
    follows.expect("the store connects to the new primary within 60 s");
    forwarder.abort();
}

#[checks::test(seconds = 600)]
async fn logout_after_an_outage_is_heard_without_a_call() {
    let mut redis = Redis::start().await;
    let long = Duration::from_secs(3600);
    let slow = || redis.store_with(RedisStore::builder().poll(long).max_age(long));
    let (one, two, ada) = (slow(), slow(), user("identity/ada"));
    let mut revision = 1;
    revise(&one, &ada, revision).await;
    two.load(&ada).await.expect("a login");
    let before = two.revision(&ada);
    redis.kill();
    // By then, the connection has been tried again in vain.
    tokio::time::sleep(Duration::from_secs(2)).await;
    redis.restart().await;
    wait_until_available(&one).await;
    wait_until(async || {
        revision += 1;
        revise(&one, &ada, revision).await;
        two.revision(&ada) != before
    })
    .await;
}
