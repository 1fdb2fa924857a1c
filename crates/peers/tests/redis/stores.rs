//! The contract of a store, and the number of commands.

use std::time::{Duration, Instant};

use checks::tokens::{DEFAULT, load, put, servers, token, update, user};
use globus_login::conformance;
use globus_login::{LoginStore, RedisStore, RedisStoreBuilder, Tokens, UserKey, Version};
use redis::AsyncCommands;
use serde_json::json;

use peers::redis_server::{KEY, Redis};

const LONG: Duration = Duration::from_secs(3600);

const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` holds.
pub(super) async fn wait_until(mut condition: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.expect("the condition holds within 60 s");
}

#[checks::test(seconds = 600)]
async fn redis_store_conforms() {
    let redis = Redis::start().await;
    let keeps = conformance::check(|| redis.store()).await;
    assert!(keeps.leases && keeps.notices);
}

#[checks::test(seconds = 600)]
async fn message_announces_a_change_at_once() {
    let redis = Redis::start().await;
    announces_a_change_at_once(&redis, "portal").await;
    // In a pattern, these characters would have a meaning.
    announces_a_change_at_once(&redis, "[portal]*?").await;
}

async fn announces_a_change_at_once(redis: &Redis, prefix: &str) {
    let slow = || redis.store_with(slow_at(prefix));
    let (one, two, ada) = (slow(), slow(), user("identity/ada"));
    let version = revise(&one, &ada, 1).await;
    two.load(&ada).await.expect("a login");
    let (waiter, key) = (two.clone(), ada.clone());
    let changed = tokio::spawn(async move { waiter.changed(&key, &version).await });
    let revision = two.revision(&ada);
    // The first change may come before the subscription: repeat it.
    wait_until(async || {
        revise(&one, &ada, 1).await;
        changed.is_finished()
    })
    .await;
    changed.await.expect("no panic").expect("a change");
    assert_eq!(two.revision(&ada), revision, "nobody logged out");

    revise(&one, &ada, 2).await;
    wait_until(async || two.revision(&ada) != revision).await;
}

/// Stores that learn of a logout by a message alone.
fn slow_at(prefix: &str) -> RedisStoreBuilder {
    RedisStore::builder()
        .prefix(prefix)
        .poll(LONG)
        .max_age(LONG)
}

#[checks::test(seconds = 600)]
async fn messages_of_another_prefix_are_not_heard() {
    let redis = Redis::start().await;
    let stores = ["portal", "portal:test"].map(|prefix| redis.store_with(slow_at(prefix)));
    let (ada, bob) = (user("identity/ada"), user("identity/bob"));
    for store in &stores {
        revise(store, &ada, 1).await;
    }
    let [portal, test] = &stores;
    let heard = async |revision| {
        let before = portal.revision(&bob);
        revise(portal, &bob, revision).await;
        wait_until(async || {
            portal.load(&ada).await.expect("a login");
            portal.revision(&bob) != before
        })
        .await;
    };
    revise(portal, &bob, 1).await;
    heard(2).await;
    let before = portal.revision(&ada);
    revise(test, &ada, 9).await;
    // A message of the other prefix would come before this one.
    heard(3).await;
    assert_eq!(portal.revision(&ada), before);
}

/// A user of Redis without a right to the channel.
#[checks::test(seconds = 600)]
async fn commit_without_its_message_changes_nothing() {
    let redis = Redis::start().await;
    let rules = ["portal", "on", ">secret", "~*", "resetchannels", "+@all"];
    let mut connection = redis.connection().await;
    let mut command = redis::cmd("ACL");
    let made = command.arg("SETUSER").arg(&rules);
    let () = made.query_async(&mut connection).await.expect("a user");
    let url = redis.url.replace("//", "//portal:secret@");
    let store = RedisStore::new(&url, KEY.parse().expect("a key")).expect("a URL");
    let ada = user("identity/ada");
    let login = json!({"record": {"epoch": 1, "revision": 1, "at": 0, "scopes": ""}});
    let login = serde_json::from_value(login).expect("a login");
    let committed = store.commit(&ada, &Version::NONE, &login).await;
    let error = committed.expect_err("no right to the channel");
    assert!(error.is_unavailable(), "{error}");
    assert_eq!(redis.keys().await, Vec::<String>::new());
}

#[checks::test(seconds = 600)]
async fn logout_is_noticed_without_a_message() {
    let redis = Redis::start().await;
    let aged = RedisStore::builder().max_age(Duration::ZERO);
    let (store, ada) = (redis.store_with(aged), user("identity/ada"));
    let other = redis.store_with(RedisStore::builder().prefix("other"));
    revise(&other, &ada, 2).await;
    revise(&store, &ada, 1).await;
    let revision = store.revision(&ada);
    // A change without a message: renaming a key.
    let keys = redis.keys().await;
    let find = |prefix: &str| keys.iter().find(|key| key.starts_with(prefix));
    let (from, to) = (find("other:").expect("a key"), find("globus-gare:"));
    let mut connection = redis.connection().await;
    let () = connection
        .rename(from, to.expect("a key"))
        .await
        .expect("renamed");
    wait_until(async || store.revision(&ada) != revision).await;
}

#[checks::test(seconds = 600)]
async fn evicted_user_counts_as_changed() {
    let redis = Redis::start().await;
    let one_user = RedisStore::builder().max_users(std::num::NonZeroUsize::MIN);
    let store = redis.store_with(one_user);
    let (ada, bob) = (user("identity/ada"), user("identity/bob"));
    let before = store.revision(&ada);
    assert_eq!(store.revision(&ada), before);
    store.revision(&bob);
    assert_ne!(store.revision(&ada), before);
}

#[checks::test(seconds = 600)]
async fn unchanged_login_expires() {
    let redis = Redis::start().await;
    let keep_for = Duration::from_millis(1500);
    let store = redis.store_with(RedisStore::builder().keep_for(keep_for));
    let ada = user("identity/ada");
    let base = revise(&store, &ada, 1).await;
    wait_until(async || store.load(&ada).await.expect("an answer").version == Version::NONE).await;
    assert_eq!(redis.keys().await, Vec::<String>::new());
    // The version of the expired login does not come again.
    revise(&store, &ada, 1).await;
    let login = store.load(&ada).await.expect("a login").login;
    let late = store.commit(&ada, &base, &login).await;
    assert_eq!(late.expect("an answer"), None);
}

#[checks::test(seconds = 600)]
async fn stores_of_two_prefixes_share_nothing() {
    let redis = Redis::start().await;
    let (one, ada) = (redis.store(), user(DEFAULT));
    let two = redis.store_with(RedisStore::builder().prefix("portal"));
    put(&one, &ada, token("transfer", "1")).await;
    assert!(load(&two, &ada).await.is_empty());
    update(&one, &ada, Tokens::clear).await;
    put(&two, &ada, token("search", "2")).await;
    assert_eq!(servers(&load(&one, &ada).await), Vec::<&str>::new());
}

#[checks::test(seconds = 600)]
async fn young_revision_costs_no_round_trip() {
    let redis = Redis::start().await;
    let (store, ada) = (redis.store(), user("identity/ada"));
    put(&store, &ada, token("transfer", "1")).await;
    let before = redis.commands().await;
    for _ in 0..1000 {
        store.revision(&ada);
    }
    // After this command, the server has counted any read that the loop began.
    load(&store, &ada).await;
    assert_eq!(redis.commands().await - before, 1);
}

/// A logout changes the revision, and nothing else does: the message itself says so.
#[checks::test(seconds = 600)]
async fn message_of_a_commit_costs_no_read() {
    let redis = Redis::start().await;
    let slow = || redis.store_with(RedisStore::builder().poll(LONG).max_age(LONG));
    let (stores, ada) = ([slow(), slow(), slow()], user("identity/ada"));
    let mut version = Version::NONE;
    for store in &stores {
        // Each has subscribed when it gets the message of a logout.
        store.load(&ada).await.expect("a login");
        let before = store.revision(&ada);
        wait_until(async || {
            let kept = stores[0].load(&ada).await.expect("a login");
            version = revise(&stores[0], &ada, kept.login.revision() + 1).await;
            store.revision(&ada) != before
        })
        .await;
    }
    let known = stores.each_ref().map(|store| store.revision(&ada));
    let before = redis.commands().await;
    let login = stores[0].load(&ada).await.expect("a login").login;
    for _ in 0..10 {
        let committed = stores[0].commit(&ada, &version, &login).await;
        version = committed.expect("an answer").expect("nobody was faster");
    }
    assert_eq!(stores.each_ref().map(|store| store.revision(&ada)), known);
    revise(&stores[0], &ada, login.revision() + 1).await;
    for (store, known) in stores.iter().zip(known) {
        wait_until(async || store.revision(&ada) != known).await;
        // A read that has begun would be counted by then.
        store.load(&ada).await.expect("a login");
    }
    // The load, the commits, what `revise` does, and the last load of each store.
    let expected = 1 + 10 + 2 + stores.len() as u64;
    assert_eq!(redis.commands().await - before, expected);
}

#[checks::test(seconds = 600)]
async fn revision_is_read_once_in_its_age() {
    let redis = Redis::start().await;
    let age = Duration::from_millis(100);
    let store = redis.store_with(RedisStore::builder().max_age(age));
    let ada = user("identity/ada");
    put(&store, &ada, token("transfer", "1")).await;
    let (before, begin) = (redis.commands().await, Instant::now());
    let reads = loop {
        store.revision(&ada);
        tokio::task::yield_now().await;
        let reads = redis.commands().await - before;
        if reads >= 5 {
            break reads;
        }
    };
    let ages = begin.elapsed().as_millis() / age.as_millis();
    assert!(u128::from(reads) <= ages + 1, "{reads} in {ages}");
}

/// Commits a login with this revision over the stored one; returns its version.
pub(super) async fn revise(store: &RedisStore, user: &UserKey, revision: u64) -> Version {
    let record = json!({"epoch": 1, "revision": revision, "at": 0, "scopes": ""});
    let login = serde_json::from_value(json!({"record": record})).expect("a login");
    let before = store.load(user).await.expect("an answer").version;
    let committed = store.commit(user, &before, &login).await;
    committed.expect("an answer").expect("no concurrent change")
}
