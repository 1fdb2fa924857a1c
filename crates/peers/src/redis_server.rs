//! A Redis server for one test.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use globus_login::{RedisStore, RedisStoreBuilder, Sealer};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Client};
use tempfile::TempDir;

/// The key that seals the stores of the tests.
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

    /// Starts a node of a cluster, without slots. Returns its cluster port, too.
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
        // Another process may take the port before the server does: try the next one.
        for _ in 0..10 {
            let directory = tempfile::tempdir().expect("a directory");
            let port = free_port();
            let mut redis = Self {
                process: spawn(port, &directory, options),
                url: format!("redis://127.0.0.1:{port}/"),
                directory,
                port,
            };
            if redis.ready().await {
                return redis;
            }
        }
        panic!("redis-server ends at once");
    }

    /// Kills the server. It loses its data.
    pub fn kill(&mut self) {
        self.process.kill().expect("it ran");
        self.process.wait().expect("it ended");
    }

    /// Starts the server again, at the same port.
    pub async fn restart(&mut self) {
        self.process = spawn(self.port, &self.directory, &[]);
        assert!(self.ready().await, "redis-server ends at once");
    }

    /// Sends a signal to the server: `-STOP` or `-CONT`.
    pub fn signal(&self, signal: &str) {
        let kill = Command::new("kill")
            .args([signal, &self.process.id().to_string()])
            .status();
        assert!(kill.expect("kill runs").success());
    }

    /// Waits until this server answers; `false` if its process has ended.
    async fn ready(&mut self) -> bool {
        for _ in 0..1200 {
            if self.process.try_wait().expect("a status").is_some() {
                return false;
            }
            if self.answers().await {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("redis-server does not answer within 60 s");
    }

    /// Whether the process that answers at the port is this one.
    async fn answers(&self) -> bool {
        let Ok(mut connection) = self.client().get_multiplexed_async_connection().await else {
            return false;
        };
        let mut info = redis::cmd("INFO");
        let info = info.arg("server").query_async::<String>(&mut connection);
        let own = format!("process_id:{}\r\n", self.process.id());
        info.await.is_ok_and(|info| info.contains(&own))
    }

    fn client(&self) -> Client {
        Client::open(self.url.as_str()).expect("a URL")
    }

    /// A new connection to the server.
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

    /// How many commands of stores the server has run since its start.
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
