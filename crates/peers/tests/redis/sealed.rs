//! Sealing: the data in Redis is useless without the key.

use checks::tokens::{load, put, token, user};
use globus_gare::gare::AuthorizationParameters;
use globus_login::{Holder, LoginStore, RedisStore, Sealer, Waiting, Work};
use redis::AsyncCommands;
use std::time::{Duration, SystemTime};

use peers::redis_server::{KEY, Redis};

const LONG: Duration = Duration::from_secs(3600);

#[checks::test(seconds = 600)]
async fn keys_and_values_contain_no_token_and_no_name() {
    let redis = Redis::start().await;
    let (store, ada) = (redis.store(), user("identity/lovelace@uchicago.edu"));
    put(
        &store,
        &ada,
        token("transfer.api.globus.org", "s3cret-token"),
    )
    .await;
    let holder = Holder::new("portal", SystemTime::now());
    let lease = store.lease(&ada, Work::Refresh, &holder, LONG).await;
    lease.expect("a lease");
    let waiting = Waiting {
        by: holder,
        required: AuthorizationParameters::default().with_session_required_mfa(true),
        scopes: "openid".parse().expect("a scope"),
        words: None,
        is_told: false,
    };
    store.post(&ada, &waiting, LONG).await.expect("a notice");

    let keys = redis.keys().await;
    assert_eq!(keys.len(), 3, "{keys:?}");
    let mut connection = redis.connection().await;
    let mut all = keys.join("\n");
    for key in &keys {
        let mut dump = redis::cmd("DUMP");
        let dump = dump.arg(key).query_async(&mut connection).await;
        let dump: Vec<u8> = dump.expect("a dump");
        all.push_str(&String::from_utf8_lossy(&dump));
        // Long values are compressed in a dump: read them, too.
        let kind: String = connection.key_type(key).await.expect("a kind");
        let values: Vec<String> = match kind.as_str() {
            "string" => vec![connection.get(key).await.expect("a value")],
            _ => connection.hvals(key).await.expect("values"),
        };
        all.push_str(&values.concat());
    }
    // The holder of a lease is no secret. The name of the user is.
    assert!(all.contains("portal"), "{all}");
    for secret in ["s3cret-token", "transfer.api", "lovelace", "uchicago"] {
        assert!(!all.contains(secret), "{secret} is in {all}");
    }
    // All keys of a user have one hash tag, so that a cluster keeps them in one slot.
    let tags = keys
        .iter()
        .map(|key| key.split(['{', '}']).nth(1).expect("a tag"));
    let tags: std::collections::BTreeSet<_> = tags.collect();
    assert_eq!(tags.len(), 1, "{keys:?}");
}

#[checks::test(seconds = 600)]
async fn value_under_another_key_or_version_does_not_open() {
    let redis = Redis::start().await;
    let (store, ada, bob) = (redis.store(), user("identity/ada"), user("identity/bob"));
    put(&store, &bob, token("transfer", "b")).await;
    let keys = redis.keys().await;
    let [of_bob] = &keys[..] else {
        panic!("{keys:?}");
    };
    put(&store, &ada, token("transfer", "a")).await;
    let keys = redis.keys().await;
    let of_ada = keys.iter().find(|key| *key != of_bob).expect("a key");
    let mut connection = redis.connection().await;

    let older: Vec<(String, String)> = connection.hgetall(of_ada).await.expect("fields");
    put(&store, &ada, token("transfer", "a2")).await;
    let newer: String = connection.hget(of_ada, "login").await.expect("a text");
    // The older value under the newer version.
    let text = &older
        .iter()
        .find(|(name, _)| name == "login")
        .expect("a text")
        .1;
    let () = connection.hset(of_ada, "login", text).await.expect("set");
    let error = store
        .load(&ada)
        .await
        .expect_err("the value is of another version");
    assert!(error.is_damaged(), "{error}");
    // The value of another user, with its version.
    let of_another: Vec<(String, String)> = connection.hgetall(of_bob).await.expect("fields");
    let () = connection
        .hset_multiple(of_ada, &of_another)
        .await
        .expect("set");
    let error = store
        .load(&ada)
        .await
        .expect_err("the value is of another user");
    assert!(
        error.is_damaged() && !format!("{error:?}").contains(&newer),
        "{error:?}"
    );
    assert_eq!(load(&store, &bob).await.len(), 1);

    // A forced login sets the damaged value aside.
    let place = store.set_aside(&ada).await.expect("an answer");
    assert!(place.is_some_and(|place| place.contains("damaged")));
    put(&store, &ada, token("transfer", "a3")).await;
    assert_eq!(load(&store, &ada).await.len(), 1);
    assert_eq!(store.set_aside(&ada).await.expect("an answer"), None);
}

/// As another program, or an eviction of fields, may leave it.
#[checks::test(seconds = 600)]
async fn login_with_one_field_is_set_aside() {
    let redis = Redis::start().await;
    let (store, ada) = (redis.store(), user("identity/ada"));
    for field in ["version", "login"] {
        put(&store, &ada, token("transfer", "1")).await;
        let keys = redis.keys().await;
        let key = keys.iter().find(|key| key.ends_with(":login"));
        let key = key.expect("a login");
        let mut connection = redis.connection().await;
        let () = connection.hdel(key, field).await.expect("removed");
        let error = store.load(&ada).await.expect_err("one field");
        assert!(error.is_damaged(), "{error}");
        let place = store.set_aside(&ada).await.expect("an answer");
        assert!(place.is_some_and(|place| place.contains("damaged")));
        assert!(load(&store, &ada).await.is_empty());
    }
}

#[checks::test(seconds = 600)]
async fn key_can_be_changed_while_the_service_runs() {
    let redis = Redis::start().await;
    let ada = user("identity/ada");
    put(&redis.store(), &ada, token("transfer", "1")).await;
    let new = "new:HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let store = |keys: &str| {
        let sealer: Sealer = keys.parse().expect("keys");
        RedisStore::new(&redis.url, sealer).expect("a URL")
    };
    let error = store(new)
        .load(&ada)
        .await
        .expect_err("the store lacks the key");
    assert!(error.is_damaged(), "{error}");
    let both = store(&format!("{new},{KEY}"));
    assert_eq!(load(&both, &ada).await.len(), 1);
    put(&both, &ada, token("search", "2")).await;
    assert_eq!(load(&store(new), &ada).await.len(), 2);
}
