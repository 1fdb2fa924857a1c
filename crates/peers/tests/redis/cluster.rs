//! Nodes of a Redis Cluster.

use std::time::Duration;

use checks::tokens::user;
use globus_login::LoginStore;
use globus_login::conformance;
use peers::redis_server::Redis;
use redis::FromRedisValue;

/// A node of a cluster with these slots, and the port at which it talks to others.
async fn node(first: u16, last: u16) -> (Redis, u16) {
    let (redis, bus) = Redis::start_node().await;
    let slots = ["ADDSLOTSRANGE", &first.to_string(), &last.to_string()];
    cluster::<()>(&redis, &slots).await;
    (redis, bus)
}

async fn cluster<T: FromRedisValue>(redis: &Redis, arguments: &[&str]) -> T {
    let mut command = redis::cmd("CLUSTER");
    let mut connection = redis.connection().await;
    let answer = command.arg(arguments).query_async(&mut connection).await;
    answer.expect("a cluster")
}

/// Waits until the node serves its slots.
async fn until_it_serves(redis: &Redis) {
    while !cluster::<String>(redis, &["INFO"])
        .await
        .contains("cluster_state:ok")
    {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// It would refuse a command whose keys are in two slots.
#[checks::test(seconds = 600)]
async fn node_with_all_slots_conforms() {
    let (redis, _) = node(0, 16383).await;
    until_it_serves(&redis).await;
    let keeps = conformance::check(|| redis.store()).await;
    assert!(keeps.leases && keeps.notices);
}

#[checks::test(seconds = 600)]
async fn node_without_the_slot_is_unavailable() {
    let ((one, _), (other, bus)) = (node(0, 8191).await, node(8192, 16383).await);
    let (port, bus) = (other.port.to_string(), bus.to_string());
    cluster::<()>(&one, &["MEET", "127.0.0.1", &port, &bus]).await;
    until_it_serves(&one).await;
    let store = one.store();
    let mut kept = 0;
    for number in 0..32 {
        let Err(error) = store.load(&user(&format!("identity/{number}"))).await else {
            kept += 1;
            continue;
        };
        assert!(error.is_unavailable(), "{error}");
        assert!(error.to_string().contains("a node of a cluster"), "{error}");
    }
    assert!(0 < kept && kept < 32, "{kept}");
}
