//! A Redis of the tests' own.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use globus_login::{RedisStore, RedisStoreBuilder, Sealer};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Client};
use tempfile::TempDir;

/// The key of the tests.
pub const KEY: &str = "tests:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub struct Redis {
    process: Child,
    pub url: String,
    directory: TempDir,
    pub port: u16,
}

impl Redis {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// A node of a cluster, which has no slots yet, and the port at which it talks to others.
    pub async fn start_node() -> (Self, u16) {
        let bus = free_port();
        let options = [
            "--cluster-enabled",
            "yes",
            "--cluster-port",
            &bus.to_string(),
        ];
        (Self::start_with(&options).await, bus)
    }

    async fn start_with(options: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let port = free_port();
        let redis = Self {
            process: spawn(port, &directory, options),
            url: format!("redis://127.0.0.1:{port}/"),
            directory,
            port,
        };
        redis.ready().await;
        redis
    }

    /// Ends it without a warning. What it kept is gone.
    pub fn kill(&mut self) {
        self.process.kill().expect("it ran");
        self.process.wait().expect("it ended");
    }

    /// Starts it again, at the same port.
    pub async fn restart(&mut self) {
        self.process = spawn(self.port, &self.directory, &[]);
        self.ready().await;
    }

    /// Stops its process, or has it go on.
    pub fn signal(&self, signal: &str) {
        let kill = Command::new("kill")
            .args([signal, &self.process.id().to_string()])
            .status();
        assert!(kill.expect("kill runs").success());
    }

    async fn ready(&self) {
        for _ in 0..600 {
            if let Ok(mut connection) = self.client().get_multiplexed_async_connection().await
                && redis::cmd("PING").exec_async(&mut connection).await.is_ok()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("redis-server does not answer");
    }

    fn client(&self) -> Client {
        Client::open(self.url.as_str()).expect("a URL")
    }

    /// A connection of the test's own.
    pub async fn connection(&self) -> MultiplexedConnection {
        let connection = self.client().get_multiplexed_async_connection().await;
        connection.expect("a connection")
    }

    pub fn store(&self) -> RedisStore {
        self.store_with(RedisStore::builder())
    }

    pub fn store_with(&self, settings: RedisStoreBuilder) -> RedisStore {
        let sealer: Sealer = KEY.parse().expect("a key");
        settings.build(&self.url, sealer).expect("a URL")
    }

    pub async fn keys(&self) -> Vec<String> {
        let keys = self.connection().await.keys("*").await;
        keys.expect("keys")
    }

    /// How often Redis was told to do something since it began, by the command.
    pub async fn commands(&self) -> u64 {
        let info: String = redis::cmd("INFO")
            .arg("commandstats")
            .query_async(&mut self.connection().await)
            .await
            .expect("statistics");
        let of_stores = ["evalsha", "hmget", "hdel"];
        let calls = info.lines().filter_map(|line| {
            let (command, figures) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            of_stores.contains(&command).then_some(())?;
            figures.split(',').next()?.parse::<u64>().ok()
        });
        // Scripts call commands of their own, which are counted as well; a login is read by this one.
        calls.sum()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    port.expect("a port").port()
}

fn spawn(port: u16, directory: &TempDir, options: &[&str]) -> Child {
    Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
        .args(["--port", &port.to_string()])
        .args(options)
        .arg("--dir")
        .arg(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| {
            panic!(
                "redis-server does not start ({error}). Install it: apt-get install redis-server"
            )
        })
}
