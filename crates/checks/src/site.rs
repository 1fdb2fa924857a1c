//! A program, and a Globus for it.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, SystemTime};

use fake_globus::{Collection, FakeGlobus, Identity, Person};
use tempfile::TempDir;
use tokio::process::Command;

pub const TRANSFER_ALL: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";
pub const LISTING: &str = "README.txt\nfigures/\nmeasurements.csv\n";

/// `program`, in an environment that says nothing about Globus or colours.
pub fn command(program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
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

pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// It ended with this code, and this on stdout.
    #[track_caller]
    pub fn ended(&self, code: i32, stdout: &str) {
        let ended = (self.code, self.stdout.as_str());
        assert_eq!(ended, (code, stdout), "{}", self.stderr);
    }
}

pub async fn run(mut command: Command) -> Ran {
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
pub fn the_line(ran: &Ran, code: i32) -> &str {
    ran.ended(code, "");
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    let line = ran.stderr.trim_end().strip_prefix("globus-ls: ");
    line.unwrap_or_else(|| panic!("who complains? {}", ran.stderr))
}

/// A Globus with one collection over a directory, and a token for it.
pub struct Site {
    program: PathBuf,
    pub globus: FakeGlobus,
    pub collection: String,
    pub token: String,
    pub directory: TempDir,
    /// Where tokens are kept.
    pub home: TempDir,
}

impl Site {
    pub async fn new(program: impl AsRef<Path>) -> Self {
        Self::guarded(program, |collection| collection).await
    }

    /// A site whose collection demands more than a recent login.
    pub async fn guarded(
        program: impl AsRef<Path>,
        more: impl FnOnce(Collection) -> Collection,
    ) -> Self {
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
            program: program.as_ref().to_owned(),
            globus,
            collection: id,
            token,
            directory,
            home: tempfile::tempdir().expect("a directory"),
        }
    }

    /// A site with files of several sizes and ages, in directories of several depths.
    pub async fn of_many_files(program: impl AsRef<Path>) -> Self {
        let site = Self::new(program).await;
        let at = |name: &str| site.directory.path().join(name);
        fs::create_dir_all(at("figures/old/older/oldest")).expect("directories");
        for (name, size, age) in [
            (".hidden", 1, 50),
            ("figures/old/first.svg", 2, 60),
            ("figures/old/older/second.svg", 3, 70),
            ("figures/old/older/oldest/third.svg", 4, 80),
            ("notes.csv", 5, 10_000),
            ("big.csv", 2_000_000, 20_000),
        ] {
            fs::write(at(name), vec![b'x'; size]).expect("a file");
            let file = fs::File::options()
                .write(true)
                .open(at(name))
                .expect("a file");
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 - age))
                .expect("ours");
        }
        site
    }

    /// What the program lists with `arguments`, which it does without a complaint.
    pub async fn lines(&self, arguments: &[&str]) -> Vec<String> {
        let arguments = [arguments, &[self.collection.as_str()]].concat();
        let ran = run(self.ls(&arguments)).await;
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?}");
        ran.stdout.lines().map(str::to_owned).collect()
    }

    /// Globus saw nothing that no client may do.
    #[track_caller]
    pub fn saw_no_violation(&self) {
        let violations = self.globus.violations();
        assert!(violations.is_empty(), "{violations:?}");
    }

    /// The program, told where this Globus is, and with its token.
    pub fn ls(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.program, arguments);
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
    pub fn daily(&self, arguments: &[&str]) -> Command {
        let mut command = self.ls(arguments);
        command
            .env_remove("GLOBUS_ACCESS_TOKEN")
            .env("GLOBUS_CLIENT_ID", self.globus.client_id().to_string());
        command
    }
}
