//! The example `job`: a process without a terminal, and a person who logs in with the same token
//! file.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use globus_gare::reauth::Principal;
use globus_login::{AppUser, JsonStore, Waiting};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::support::program::{coverage, example};
use crate::support::*;

/// The time limit for a step of another process.
const PATIENCE: Duration = Duration::from_secs(60);

/// A home directory with a login whose session is too old for the collection.
struct Home {
    sample: Sample,
    browser: Browser,
    user: AppUser,
    directory: TempDir,
}

impl Home {
    async fn new() -> Self {
        let sample = Sample::guarded(|collection| collection.session_minutes(1)).await;
        sample.write("hello.txt", "hello");
        let (browser, directory) = (Browser::redirected(), tempfile::tempdir());
        let directory = directory.expect("a directory");
        let store = JsonStore::new(file(&directory, &sample.globus.client_id().to_string()));
        let person = app(&sample.globus, &browser).refresh_tokens(true);
        let person = logged_in(person.store(store)).await;
        sample.globus.clock().advance(Duration::from_secs(120));
        Self {
            user: person.for_user(&Principal::Session),
            sample,
            browser,
            directory,
        }
    }

    fn job(&self, patience: &str) -> Child {
        let globus = &self.sample.globus;
        Command::new(example("job"))
            .arg(self.sample.collection.to_string())
            .env_clear()
            .envs(coverage())
            .env("HOME", self.directory.path())
            .envs(globus.environment())
            .env("GLOBUS_CLIENT_ID", globus.client_id().to_string())
            .env("JOB_PATIENCE_SECONDS", patience)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the job starts")
    }

    /// The notice of the waiting job.
    async fn notice(&self) -> Waiting {
        let notice = async {
            loop {
                if let Some(notice) = self.waiting().await.pop() {
                    return notice;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, notice).await.expect("the job waits")
    }

    async fn waiting(&self) -> Vec<Waiting> {
        self.user.waiting().await.expect("a store")
    }
}

/// The token file of the app `job`.
fn file(home: &TempDir, client: &str) -> PathBuf {
    let apps = home.path().join(".globus/app");
    apps.join(client).join("job/tokens.json")
}

/// Waits for the end of a job. Returns its exit code, stdout and stderr.
async fn ended(job: Child) -> (Option<i32>, String, String) {
    let ended = timeout(PATIENCE, job.wait_with_output()).await;
    let Output {
        status,
        stdout,
        stderr,
    } = ended.expect("the job ends").expect("the job ran");
    let [printed, told] = [stdout, stderr].map(|text| String::from_utf8(text).expect("text"));
    (status.code(), printed, told)
}

#[checks::test(seconds = 600)]
async fn job_lists_after_a_person_has_logged_in() {
    let home = Home::new().await;
    let mut job = home.job("600");
    let notice = home.notice().await;
    assert_eq!(notice.by.program(), "job");
    assert!(job.try_wait().expect("the job runs").is_none());

    home.user.login_for(&notice).await.expect("a login");
    let (code, printed, told) = ended(job).await;
    assert_eq!(code, Some(0), "{told}");
    assert!(printed.contains("hello.txt"), "{printed}");
    assert!(
        told.contains("log in again") && told.contains("globus-ls --app-name job login"),
        "{told}"
    );
    assert_eq!(home.waiting().await.len(), 0);
    assert_eq!(home.browser.logins(), 2);
    assert_no_violation(&home.sample.globus);
}

#[checks::test(seconds = 600)]
async fn job_ends_with_4_at_its_deadline() {
    let home = Home::new().await;
    let job = home.job("3");
    home.notice().await;
    let (code, printed, told) = ended(job).await;
    assert_eq!((code, &*printed), (Some(4), ""), "{told}");
    let reason = told.lines().find(|line| line.starts_with("job: "));
    assert!(reason.is_some_and(|it| it.contains("in time")), "{told}");
    assert_eq!(home.waiting().await.len(), 0, "the notice is withdrawn");
    assert_eq!(home.browser.logins(), 1);
}
