//! Runs `globus-ls` against a `FakeGlobus`.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, SystemTime};

use fake_globus::{Collection, FakeGlobus, Identity};
use tempfile::TempDir;
use tokio::process::Command;

use crate::sample::Sample;

pub const LISTING: &str = "README.txt\nfigures/\nmeasurements.csv\n";

/// The variables that a program inherits from the tests: those that it needs to run at all.
const KEPT: [&str; 5] = [
    "PATH",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "LLVM_PROFILE_FILE",
    "LANG",
];

/// `program`, in an environment without variables of Globus, a desktop, a terminal or a CI.
pub fn command(program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let kept = KEPT.map(|name| (name, env::var_os(name)));
    let kept = kept
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(kept)
        .args(arguments)
        .env("TERM", "xterm")
        .env("TZ", "UTC")
        .env("HOME", env::temp_dir().join("no-such-home"))
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// How a program ended.
pub struct Ran {
    arguments: Vec<OsString>,
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Asserts this exit code, and this text on stdout.
    #[track_caller]
    pub fn assert_ended(&self, code: i32, stdout: &str) {
        let ended = (self.code, self.stdout.as_str());
        let Self {
            arguments, stderr, ..
        } = self;
        assert_eq!(ended, (code, stdout), "{arguments:?}: {stderr}");
    }

    /// Asserts success, this text on stdout, and nothing on stderr.
    #[track_caller]
    pub fn assert_said(&self, stdout: &str) {
        self.assert_ended(0, stdout);
        assert_eq!(self.stderr, "", "{:?}", self.arguments);
    }

    /// Asserts success, and that stdout contains all of `parts`.
    #[track_caller]
    pub fn assert_shows(&self, parts: &[&str]) {
        assert_eq!(self.code, 0, "{:?}: {}", self.arguments, self.stderr);
        for part in parts {
            assert!(self.stdout.contains(part), "{part:?}: {}", self.stdout);
        }
    }

    /// Asserts this exit code, nothing on stdout, and one line on stderr; returns the line.
    #[track_caller]
    pub fn error_line(&self, code: i32) -> &str {
        self.assert_ended(code, "");
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        let line = self.stderr.trim_end().strip_prefix("globus-ls: ");
        line.unwrap_or_else(|| panic!("no line of globus-ls: {}", self.stderr))
    }
}

pub async fn run(mut command: Command) -> Ran {
    let arguments = command.as_std().get_args();
    let arguments = arguments.map(OsStr::to_owned).collect();
    let output = tokio::time::timeout(Duration::from_secs(60), command.output()).await;
    let Output {
        status,
        stdout,
        stderr,
    } = output.expect("it ends").expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran {
        arguments,
        code: status.code().expect("an exit code"),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

/// A `FakeGlobus` with one collection over a directory of files, a token for it, and `globus-ls`.
pub struct Site {
    program: PathBuf,
    pub globus: FakeGlobus,
    pub collection: String,
    pub token: String,
    pub directory: TempDir,
    /// The home directory of the program, with its tokens.
    pub home: TempDir,
}

impl Site {
    /// A site whose collection requires a login within the last minute.
    pub async fn new(program: impl AsRef<Path>) -> Self {
        Self::guarded(program, |collection| collection).await
    }

    /// A site whose collection requires more than a recent login.
    pub async fn guarded(
        program: impl AsRef<Path>,
        more: impl FnOnce(Collection) -> Collection,
    ) -> Self {
        let sample = Sample::with(
            |collection| more(collection.session_minutes(1)),
            |server| server.identity(Identity::new("bob", "anl.gov")),
        );
        let sample = sample.await;
        sample.write("figures/sketch.svg", "<svg/>");
        sample.write("README.txt", "hello");
        sample.write("measurements.csv", vec![b'1'; 4815]);
        Self {
            program: program.as_ref().to_owned(),
            token: sample.token(),
            globus: sample.of.globus,
            collection: sample.of.collection.to_string(),
            directory: sample.directory,
            home: tempfile::tempdir().expect("a directory"),
        }
    }

    /// A site with files of several sizes and ages, in directories of several depths.
    pub async fn with_many_files(program: impl AsRef<Path>) -> Self {
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
            let file = File::options().write(true).open(at(name)).expect("a file");
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 - age))
                .expect("a time");
        }
        site
    }

    /// Lists the collection with `arguments`; asserts success, and returns the lines.
    pub async fn lines(&self, arguments: &[&str]) -> Vec<String> {
        let arguments = [arguments, &[self.collection.as_str()]].concat();
        let ran = run(self.with_token(&arguments)).await;
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?}");
        ran.stdout.lines().map(str::to_owned).collect()
    }

    /// The program with a token in its environment, and no client id.
    pub fn with_token(&self, arguments: &[&str]) -> Command {
        let mut command = command(&self.program, arguments);
        let globus = &self.globus;
        command
            .env("GLOBUS_SDK_SERVICE_URL_TRANSFER", globus.transfer_url())
            .env("GLOBUS_SDK_SERVICE_URL_AUTH", globus.auth_url())
            .env("GLOBUS_ACCESS_TOKEN", &self.token)
            .env("HOME", self.home.path());
        command
    }

    /// The program with a client id, and its stored tokens.
    pub fn with_client(&self, arguments: &[&str]) -> Command {
        let mut command = self.with_token(arguments);
        command
            .env_remove("GLOBUS_ACCESS_TOKEN")
            .env("GLOBUS_CLIENT_ID", self.globus.client_id().to_string());
        command
    }
}
