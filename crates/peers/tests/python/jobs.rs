//! The example `job` waits for a login by the official SDK, or is killed while it waits.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use checks::browser::Browser;
use checks::program::coverage;
use checks::sample::{Sample, assert_no_violation};
use globus_gare::reauth::Principal;
use globus_login::{AppUser, GlobusApp, JsonStore, Waiting};
use peers::{programs, python};
use tempfile::TempDir;
use tokio::process::Child;
use tokio::time::{sleep, timeout};

/// How long a step of another process may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the notice of a killed process remains.
const TTL: Duration = Duration::from_secs(60);

/// A home where a Python program is logged in. Its session is too old for the collection.
struct Home {
    sample: Sample,
    directory: TempDir,
    user: AppUser,
}

impl Home {
    async fn new() -> Self {
        let sample = Sample::guarded(|collection| collection.session_minutes(1)).await;
        sample.write("hello.txt", "hello");
        let directory = tempfile::tempdir().expect("a directory");
        let client = sample.globus.client_id().to_string();
        let apps = directory.path().join(".globus/app");
        let file = apps.join(&client).join("job/tokens.json");
        let watcher = GlobusApp::user(client)
            .auth_url(sample.globus.auth_url())
            .store(JsonStore::new(file))
            .prompt(Browser::closed())
            .build();
        let user = watcher.expect("an app").for_user(&Principal::Session);
        let home = Self {
            sample,
            directory,
            user,
        };
        let collection = home.sample.collection.to_string();
        let listed = home.python(&["login", "list", &collection]).await;
        assert_eq!(listed.trim(), "hello.txt");
        home.sample.globus.clock().advance(Duration::from_secs(120));
        home
    }

    fn in_home(&self, program: &mut Command) {
        let globus = &self.sample.globus;
        program
            .env("HOME", self.directory.path())
            .envs(globus.environment())
            .env("GLOBUS_CLIENT_ID", globus.client_id().to_string());
    }

    /// Runs steps of the SDK's `UserApp` named `job`; returns the output.
    async fn python(&self, words: &[&str]) -> String {
        let mut script = python::script("shared_login.py");
        self.in_home(script.arg("job").args(words));
        let output = tokio::task::spawn_blocking(move || script.output()).await;
        let output = output.expect("no panic").expect("Python starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the script failed: {errors}");
        String::from_utf8(output.stdout).expect("text")
    }

    async fn job(&self) -> Child {
        let job = tokio::task::spawn_blocking(programs::job).await;
        let mut job = Command::new(job.expect("the program builds"));
        job.arg(self.sample.collection.to_string());
        job.env_clear().envs(coverage());
        self.in_home(&mut job);
        tokio::process::Command::from(job)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program starts")
    }

    async fn waiting(&self) -> Vec<Waiting> {
        self.user.waiting().await.expect("a store")
    }

    /// Waits until the number of waiting jobs is `jobs`.
    async fn wait_for_waiting(&self, jobs: usize) {
        let wait = async {
            while self.waiting().await.len() != jobs {
                sleep(Duration::from_millis(200)).await;
            }
        };
        let waited = timeout(PATIENCE + TTL, wait).await;
        waited.expect("the number of waiting jobs is reached");
    }
}

#[checks::test(seconds = 600)]
async fn job_continues_after_a_login_by_the_sdk() {
    let home = Home::new().await;
    let mut job = home.job().await;
    home.wait_for_waiting(1).await;
    assert!(job.try_wait().expect("the program runs").is_none());

    home.python(&["anew"]).await;
    let ended = timeout(PATIENCE, job.wait_with_output()).await;
    let ended = ended.expect("the program ends").expect("the program ran");
    let [printed, told] =
        [ended.stdout, ended.stderr].map(|text| String::from_utf8(text).expect("text"));
    assert_eq!(ended.status.code(), Some(0), "{told}");
    assert!(printed.contains("hello.txt"), "{printed}");
    assert!(told.contains("log in again"), "{told}");
    assert_eq!(home.waiting().await.len(), 0);
    assert_eq!(home.sample.globus.counts().logins, 2);
    // Python's tokens are intact: it need not log in again.
    let collection = home.sample.collection.to_string();
    assert_eq!(
        home.python(&["list", &collection]).await.trim(),
        "hello.txt"
    );
    assert_no_violation(&home.sample.globus);
}

#[checks::test(seconds = 600)]
async fn notice_of_a_killed_job_expires() {
    let home = Home::new().await;
    let mut job = home.job().await;
    home.wait_for_waiting(1).await;
    job.kill().await.expect("SIGKILL");
    let killed = Instant::now();
    assert_eq!(
        home.waiting().await.len(),
        1,
        "the killed job did not withdraw its notice"
    );
    home.wait_for_waiting(0).await;
    let gone = killed.elapsed();
    // A slow machine may look late.
    assert!(gone <= TTL + Duration::from_secs(20), "{gone:?}");
}
