//! Refreshes: their round trips, and replicas on machines whose clocks differ.

use std::time::{Duration, SystemTime};

use checks::browser::Browser;
use checks::sample::{Sample, assert_no_violation};
use fake_globus::RequestKind;
use globus_gare::reauth::{CredentialRequest, Principal, Reauthenticator, Target, Why};
use globus_login::{GlobusApp, RedisStore};
use peers::redis_server::Redis;

/// A replica whose clock differs from that of Globus by `seconds`.
fn replica(sample: &Sample, store: RedisStore, browser: &Browser, seconds: i64) -> GlobusApp {
    let clock = sample.globus.clock().clone();
    let offset = Duration::from_secs(seconds.unsigned_abs());
    let now = move || -> SystemTime {
        match seconds < 0 {
            true => clock.now() - offset,
            false => clock.now() + offset,
        }
    };
    GlobusApp::user(sample.globus.client_id().to_string())
        .auth_url(sample.globus.auth_url())
        .resource_server_for(sample.globus.transfer_url(), "transfer.api.globus.org")
        .refresh_tokens(true)
        .store(store)
        .prompt(browser.clone())
        .clock(now)
        .build()
        .expect("an app")
}

/// The look-up, the lease, a load under it, the commit, and the release.
#[checks::test(seconds = 600)]
async fn refresh_takes_five_round_trips() {
    let redis = Redis::start().await;
    let sample = Sample::open().await;
    let browser = Browser::redirected();
    let long = || redis.store_with(RedisStore::builder().max_age(Duration::from_secs(3600)));
    let apps = [(); 2].map(|()| replica(&sample, long(), &browser, 0));
    apps[0].login().await.expect("a login");
    let origin = sample.globus.transfer_url().parse().expect("an origin");
    let target = Target::new(origin, Principal::Session);
    for _ in 0..2 {
        sample
            .globus
            .clock()
            .advance(Duration::from_secs(49 * 3600));
        // The other one finds what the first one got.
        for (app, cost) in apps.iter().zip([5, 1]) {
            let before = redis.commands().await;
            let request = CredentialRequest::new(target.clone(), Why::Expired);
            let credential = app.credential(&request).await.expect("no error");
            assert!(credential.is_some(), "it is refreshed");
            assert_eq!(redis.commands().await - before, cost);
        }
    }
    assert_no_violation(&sample.globus);
}

#[checks::test(seconds = 600)]
async fn replicas_with_different_clocks_refresh_once() {
    let redis = Redis::start().await;
    let sample = Sample::open().await;
    let browser = Browser::redirected();
    let slow = replica(&sample, redis.store(), &browser, -60);
    let fast = replica(&sample, redis.store(), &browser, 60);
    slow.login().await.expect("a login");
    let origin = sample.globus.transfer_url().parse().expect("an origin");
    let target = Target::new(origin, Principal::Session);
    let grants = || {
        let requests = sample.globus.requests().into_iter();
        requests.filter(|it| it.kind == RequestKind::Token).count()
    };
    let login = grants();
    for expiry in 1..=3 {
        // By the slow clock, the token that the fast replica got is valid for another minute.
        let lifetime = Duration::from_secs(48 * 3600 + 30);
        sample.globus.clock().advance(lifetime);
        for app in [&fast, &slow, &fast] {
            let request = CredentialRequest::new(target.clone(), Why::Initial);
            let credential = app.credential(&request).await.expect("no error");
            assert!(credential.is_some(), "the token is refreshed");
        }
        assert_eq!(grants() - login, expiry, "one refresh");
    }
    assert_eq!(browser.logins(), 1);
    assert_no_violation(&sample.globus);
}
