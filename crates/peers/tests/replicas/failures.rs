//! Replicas that are killed, and a Redis that does not answer.

use std::time::Duration;

use checks::browser::client;
use checks::sample::assert_no_violation;
use fake_globus::RequestKind;
use serde_json::json;
use tokio::time::sleep;

use peers::replicas::{REPLICAS, Site};

#[checks::test(seconds = 600)]
async fn login_survives_the_death_of_its_replica() {
    let mut site = Site::new(1).await;
    let user = site.user(0);
    let login = user.visit().await;
    let callback = user.approve(&login).await;
    // All replicas of the begin are dead: the browser carries the state of the login.
    for at in 0..REPLICAS {
        site.add_gateway().await;
        site.kill_gateway(at).await;
    }
    let page = user.browser.open(&callback).await.expect("a page");
    user.assert_shown(&page);
    assert_eq!(user.list().await, 0);
    assert_no_violation(&site.sample.globus);
}

#[checks::test(seconds = 600)]
async fn killed_replica_costs_at_most_one_login() {
    let mut site = Site::new(1).await;
    let user = site.user(0);
    assert_eq!(user.list().await, 1);
    let grants = || {
        let requests = site.sample.globus.requests().into_iter();
        requests.filter(|it| it.kind == RequestKind::Token).count()
    };
    let before = grants();
    // Globus Auth answers the refresh after the replica was killed.
    let slow = format!("{}_fake/fail", site.sample.globus.auth_url());
    let slow = client()
        .post(slow)
        .json(&json!({"kind": "token", "delay_ms": 1500}))
        .send();
    assert!(slow.await.expect("an answer").status().is_success());
    // Globus rejects the access tokens now, which are valid by the clock of the gateways. The
    // refresh token is still valid.
    site.sample
        .globus
        .clock()
        .advance(Duration::from_secs(49 * 3600));
    let visit = {
        let user = user.clone();
        tokio::spawn(async move { user.browser.get(&user.page).await })
    };
    let began = async {
        while grants() == before {
            sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), began)
        .await
        .expect("a gateway refreshes within 60 s");
    for at in 0..REPLICAS {
        site.kill_gateway(at).await;
    }
    // The browser sees a broken connection, or a response that came just before.
    let _ = visit.await.expect("no panic");
    site.add_gateway().await;
    // If the rotated token died with the replica, that costs one login, but no error.
    assert!(user.list().await <= 1);
    assert_no_violation(&site.sample.globus);
}

#[checks::test(seconds = 600)]
async fn stopped_redis_sends_nobody_to_log_in() {
    let mut site = Site::new(1).await;
    let user = site.user(0);
    for _ in 0..REPLICAS {
        assert!(user.list().await <= 1);
    }
    site.redis.signal("-STOP");
    // A credential in memory is used without Redis.
    for _ in 0..REPLICAS {
        let page = user.visit().await;
        user.assert_shown(&page);
    }
    // A replica without the credential cannot know whether the user is logged in.
    site.add_gateway().await;
    for at in 0..REPLICAS {
        site.kill_gateway(at).await;
    }
    assert_eq!(user.visit().await.status, 503);
    site.redis.signal("-CONT");
    let available = async {
        while user.visit().await.status == 503 {
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), available)
        .await
        .expect("the service recovers within 60 s");
    assert_eq!(user.list().await, 0);
    assert_eq!(site.sample.globus.counts().logins, 1);
    assert_no_violation(&site.sample.globus);
}

#[checks::test(seconds = 600)]
async fn killed_redis_costs_one_login_a_user() {
    let mut site = Site::new(1).await;
    let user = site.user(0);
    for _ in 0..REPLICAS {
        assert!(user.list().await <= 1);
    }
    site.redis.kill();
    for _ in 0..REPLICAS {
        let page = user.visit().await;
        user.assert_shown(&page);
    }
    site.redis.restart().await;
    site.sample
        .globus
        .clock()
        .advance(Duration::from_secs(1200));
    let listed = async {
        loop {
            let page = user.visit().await;
            if page.status != 503 {
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), listed)
        .await
        .expect("the service recovers within 60 s");
    assert_eq!(user.list().await, 1);
    assert_no_violation(&site.sample.globus);
}
