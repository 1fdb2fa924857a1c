//! The program, and a Globus for it.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use globus_gare::testing::{Collection, FakeGlobus, Identity, Person};
use tempfile::TempDir;
use tokio::process::Command;

pub(crate) const TRANSFER_ALL: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";
pub(crate) const LISTING: &str = "README.txt\nfigures/\nmeasurements.csv\n";

/// The program, in an environment that says nothing about Globus or colours.
pub(crate) fn ls(arguments: &[&str]) -> Command {
    let test = env::current_exe().expect("this test");
    let target = test
        .parent()
        .and_then(|deps| deps.parent())
        .expect("a target directory");
    let program: PathBuf = target
        .join("examples")
        .join(format!("ls{}", env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "build it with `cargo build --example ls`: {}",
        program.display()
    );
    let mut command = Command::new(program);
    for (name, _) in env::vars() {
        let is_of_a_desktop =
            ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "NO_COLOR"].contains(&name.as_str());
        let prefixes = ["GLOBUS_", "CLICOLOR", "SSH_", "WSL_"];
        if is_of_a_desktop || prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .env("TZ", "UTC")
        .env("HOME", env::temp_dir().join("no-such-home"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// It ended with this code, and this on stdout.
    #[track_caller]
    pub(crate) fn ended(&self, code: i32, stdout: &str) {
        let ended = (self.code, self.stdout.as_str());
        assert_eq!(ended, (code, stdout), "{}", self.stderr);
    }
}

pub(crate) async fn run(mut command: Command) -> Ran {
    let output = tokio::time::timeout(Duration::from_secs(60), command.output()).await;
    let Output {
        status,
        stdout,
        stderr,
    } = output.expect("it ends").expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran {
        code: status.code().expect("an exit code"),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

/// The one line on stderr of a run that failed with `code` and listed nothing.
pub(crate) fn the_line(ran: &Ran, code: i32) -> &str {
    ran.ended(code, "");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let line = ran.stderr.trim_end().strip_prefix("ls: ");
    line.unwrap_or_else(|| panic!("who complains? {}", ran.stderr))
}

/// A Globus with one collection over a directory, and a token for it.
pub(crate) struct Site {
    pub(crate) globus: FakeGlobus,
    pub(crate) collection: String,
    pub(crate) token: String,
    pub(crate) directory: TempDir,
    /// Where tokens are kept.
    pub(crate) home: TempDir,
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::guarded(|collection| collection).await
    }

    /// A site whose collection demands more than a recent login.
    pub(crate) async fn guarded(more: impl FnOnce(Collection) -> Collection) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("figures")).expect("a directory");
        fs::write(directory.path().join("figures/sketch.svg"), "<svg/>").expect("a file");
        fs::write(directory.path().join("README.txt"), "hello").expect("a file");
        fs::write(directory.path().join("measurements.csv"), vec![b'1'; 4815]).expect("a file");
        let collection = more(Collection::new("Samples", directory.path()).session_minutes(1));
        let ada = Identity::new("ada", "uchicago.edu");
        let both = ada.clone().linked(Identity::new("ada", "globusid.org"));
        let id = collection.id().to_string();
        let builder = FakeGlobus::builder()
            .collection(collection)
            .identity(both)
            .identity(Identity::new("bob", "anl.gov"));
        let globus = builder
            .person(Person::automatic())
            .start()
            .await
            .expect("a server");
        let token = globus.issue_token(&ada, TRANSFER_ALL).expect("a token");
        Self {
            globus,
            collection: id,
            token,
            directory,
            home: tempfile::tempdir().expect("a directory"),
        }
    }

    /// Globus saw nothing that no client may do.
    #[track_caller]
    pub(crate) fn saw_no_violation(&self) {
        let violations = self.globus.violations();
        assert!(violations.is_empty(), "{violations:?}");
    }

    /// The program, told where this Globus is, and with its token.
    pub(crate) fn ls(&self, arguments: &[&str]) -> Command {
        let mut command = ls(arguments);
        command
            .env(
                "GLOBUS_SDK_SERVICE_URL_TRANSFER",
                self.globus.transfer_url(),
            )
            .env("GLOBUS_SDK_SERVICE_URL_AUTH", self.globus.auth_url())
            .env("GLOBUS_ACCESS_TOKEN", &self.token)
            .env("HOME", self.home.path());
        command
    }

    /// The program as its users run it every day: with a client id, and the tokens that it has kept itself.
    pub(crate) fn daily(&self, arguments: &[&str]) -> Command {
        let mut command = self.ls(arguments);
        command
            .env_remove("GLOBUS_ACCESS_TOKEN")
            .env("GLOBUS_CLIENT_ID", self.globus.client_id().to_string());
        command
    }
}
