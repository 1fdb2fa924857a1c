//! The Postgres store of the guide, if Postgres is installed on this machine.
#![cfg(unix)]

use std::fs;
use std::io::{Write, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use globus_login::conformance;
use peers::postgres::{PostgresStore, TABLE};
use tempfile::TempDir;
use tokio_postgres::NoTls;

const KEY: &str = "tests:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A Postgres server for this test. It listens on a socket in its directory only.
struct Postgres {
    programs: PathBuf,
    directory: TempDir,
}

impl Postgres {
    /// Starts the server; `None` if Postgres is not installed.
    fn start() -> Option<Self> {
        let all = fs::read_dir("/usr/lib/postgresql").ok()?;
        let programs = all.flatten().map(|entry| entry.path().join("bin"));
        // Debian's client alone has a directory there, too.
        let programs = programs.filter(|bin| bin.join("initdb").exists()).max()?;
        let directory = tempfile::tempdir().expect("a directory");
        let postgres = Self {
            programs,
            directory,
        };
        // Postgres refuses to run as root.
        if postgres.is_root() {
            let chown = Command::new("chown")
                .arg("nobody")
                .arg(postgres.directory.path())
                .status();
            assert!(chown.expect("chown runs").success());
        }
        let created = postgres.run("initdb", &["--auth=trust", "--username=test", "--no-sync"]);
        assert!(created, "initdb fails");
        let options = format!(
            "-c listen_addresses= -c fsync=off -k {}",
            postgres.directory.path().display()
        );
        let started = postgres.run(
            "pg_ctl",
            &["--wait", "--log=/dev/null", "--options", &options, "start"],
        );
        assert!(started, "pg_ctl start fails");
        Some(postgres)
    }

    fn is_root(&self) -> bool {
        let id = Command::new("id").arg("-u").output().expect("id runs");
        id.stdout == b"0\n"
    }

    fn run(&self, program: &str, arguments: &[&str]) -> bool {
        let program = self.programs.join(program);
        let mut command = match self.is_root() {
            true => {
                let mut command = Command::new("setpriv");
                command
                    .args(["--reuid=nobody", "--clear-groups"])
                    .arg(program);
                command
            }
            false => Command::new(program),
        };
        let ran = command
            .args(arguments)
            .env("PGDATA", self.directory.path().join("data"))
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status();
        ran.is_ok_and(|status| status.success())
    }

    async fn store(&self) -> PostgresStore {
        let directory = self.directory.path().display();
        let config = format!("host={directory} user=test dbname=postgres");
        let connected = tokio_postgres::connect(&config, NoTls).await;
        let (client, connection) = connected.expect("a connection");
        tokio::spawn(connection);
        let sealer = KEY.parse().expect("a key");
        PostgresStore { client, sealer }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Fails if the server did not start: no second panic.
        self.run("pg_ctl", &["--mode=immediate", "stop"]);
    }
}

#[checks::test(seconds = 600)]
async fn store_on_postgres_conforms() {
    let Some(postgres) = Postgres::start() else {
        // Not `eprintln!`: the output of a test that passes is not shown.
        let notice = "NOT TESTED: there is no Postgres in /usr/lib/postgresql";
        let _ = writeln!(stderr(), "{notice}");
        return;
    };
    let stores = [postgres.store().await, postgres.store().await];
    let created = stores[0].client.batch_execute(TABLE).await;
    created.expect("a table");
    let mut stores = stores.map(std::sync::Arc::new).into_iter().cycle();
    let stores = [stores.next(), stores.next()].map(|store| store.expect("a store"));
    let turn = std::cell::Cell::new(0);
    let keeps = conformance::check(|| {
        turn.set(turn.get() + 1);
        std::sync::Arc::clone(&stores[turn.get() % 2])
    })
    .await;
    assert!(!keeps.leases && !keeps.notices, "the default methods");
}

#[checks::test]
fn guide_shows_this_store() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path| fs::read_to_string(root.join(path)).expect("a text");
    let guide = read("../globus-login/src/guide/own_store.md");
    let source = read("src/postgres.rs");
    assert!(
        guide.contains(&source),
        "the code in the guide differs from src/postgres.rs"
    );
}
