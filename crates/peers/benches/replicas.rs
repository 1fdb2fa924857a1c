//! The cost of replicas with Redis: requests a second, and commands to Redis.
//!
//! All servers run on this machine, the fake Globus too: compare the rows with each other only.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use peers::replicas::{Site, User};
use tokio::task::JoinSet;

const USERS: usize = 50;
const REQUESTS: usize = 4_000;
const AT_ONCE: usize = 16;

/// Lists as all users in turn; returns the requests a second.
async fn load(users: &[User]) -> f64 {
    let (next, users) = (Arc::new(AtomicUsize::new(0)), Arc::new(users.to_vec()));
    let begin = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (next, users) = (Arc::clone(&next), Arc::clone(&users));
        clients.spawn(async move {
            loop {
                let request = next.fetch_add(1, Relaxed);
                if request >= REQUESTS {
                    break;
                }
                let user = &users[request % USERS];
                let page = user.visit().await;
                user.assert_shown(&page);
            }
        });
    }
    clients.join_all().await;
    REQUESTS as f64 / begin.elapsed().as_secs_f64()
}

/// How many commands Redis gets for each user, when one after the other does something.
async fn cost(site: &Site, users: &[User], does: impl AsyncFn(&User)) -> f64 {
    let before = site.redis.commands().await;
    for user in users {
        does(user).await;
    }
    let commands = site.redis.commands().await - before;
    commands as f64 / users.len() as f64
}

#[tokio::main]
async fn main() {
    println!("| gateways | logins kept | requests a second |");
    println!("| --- | --- | --- |");
    for (replicas, has_redis) in [(1, false), (1, true), (2, true), (3, true)] {
        let site = Site::with(USERS, replicas, has_redis).await;
        let users: Vec<User> = (0..USERS).map(|user| site.user(user)).collect();
        let logins = cost(&site, &users, async |user| {
            assert_eq!(user.list().await, 1);
        });
        let logins = logins.await;
        // Each replica now has the credential of each user in memory.
        let others = cost(&site, &users, async |user| {
            for _ in 0..replicas {
                user.list().await;
            }
        });
        let others = others.await;
        let before = site.redis.commands().await;
        let begin = Instant::now();
        let a_second = load(&users).await;
        let took = begin.elapsed();
        let commands = site.redis.commands().await - before;
        let kept = if has_redis { "in Redis" } else { "in memory" };
        println!("| {replicas} | {kept} | {a_second:.0} |");
        if has_redis {
            let a_user = commands as f64 / (USERS * replicas) as f64;
            let periods = took.as_secs_f64() / 30.0;
            eprintln!(
                "{replicas} with Redis: {logins:.1} commands a login with its first listing, and {others:.1} until all \
                 replicas have the credential; then {a_user:.2} for each user and replica in {periods:.2} of 30 s"
            );
            let clock = site.sample.globus.clock();
            clock.advance(Duration::from_secs(1200));
            let visit = async |user: &User| {
                user.visit().await;
            };
            let first = cost(&site, &users, visit).await;
            let next = cost(&site, &users, visit).await;
            eprintln!(
                "{first:.1} commands for the first challenge of each user, {next:.1} for the next"
            );
        }
    }
}
