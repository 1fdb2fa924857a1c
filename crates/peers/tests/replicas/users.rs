//! Many users, and several tabs, on three replicas.

use std::env;
use std::time::Duration;

use checks::sample::assert_no_violation;
use tokio::task::JoinSet;

use peers::replicas::{REPLICAS, Site};

/// The number of users: `GLOBUS_GARE_USERS`, by default 100.
fn users() -> usize {
    let users = env::var("GLOBUS_GARE_USERS");
    users.map_or(100, |users| users.parse().expect("a number"))
}

#[checks::test(seconds = 3600)]
async fn each_requirement_costs_each_user_one_login() {
    let count = users();
    let site = Site::new(count).await;
    let users: Vec<_> = (0..count).map(|user| site.user(user)).collect();
    for round in 1..=3 {
        let mut all = JoinSet::new();
        for user in users.clone() {
            all.spawn(async move { user.list().await });
        }
        let logins = all.join_all().await;
        assert_eq!(logins, vec![1; count], "round {round}");
        assert_eq!(site.sample.globus.counts().code_grants, count * round);
        // Every replica has the login, not only the replica of the callback.
        let mut all = JoinSet::new();
        for user in users.clone() {
            all.spawn(async move {
                for _ in 0..REPLICAS {
                    assert_eq!(user.list().await, 0, "{}", user.name);
                }
            });
        }
        all.join_all().await;
        site.sample
            .globus
            .clock()
            .advance(Duration::from_secs(1200));
    }
    assert_no_violation(&site.sample.globus);
}

#[checks::test(seconds = 600)]
async fn two_tabs_log_in_in_any_order() {
    let site = Site::new(1).await;
    let user = site.user(0);
    assert_eq!(user.list().await, 1);
    for first_is_older in [true, false] {
        site.sample
            .globus
            .clock()
            .advance(Duration::from_secs(1200));
        let tabs = [user.visit().await, user.visit().await];
        let mut callbacks = Vec::new();
        for tab in &tabs {
            callbacks.push(user.approve(tab).await);
        }
        if first_is_older {
            callbacks.reverse();
        }
        for callback in &callbacks {
            let page = user.browser.open(callback).await.expect("a page");
            user.assert_shown(&page);
        }
    }
    // The second tab of each pair redeemed nothing.
    assert_eq!(site.sample.globus.counts().code_grants, 3);
    assert_no_violation(&site.sample.globus);
}
