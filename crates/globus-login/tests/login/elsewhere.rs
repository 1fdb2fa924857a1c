//! Programs that cannot ask a person, and wait for a login with another program.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use globus_gare::layer::{GareLayer, GareService};
use globus_gare::reauth::{GareOutcome, GaveUp, Principal, Session};
use globus_gare::reqwest::HttpService;
use globus_login::{
    ElsewherePrompt, GlobusApp, JsonStore, LoginStore, MemoryStore, StoredToken, Waiting,
};
use http::Request;
use http_body_util::Full;
use tokio::task::JoinSet;
use tower::{Layer, ServiceExt};

use crate::support::*;

/// The calls of the hooks: the number of waiting programs, and the notice.
type Told = Arc<Mutex<Vec<(usize, Waiting)>>>;

/// A user who is logged in at a terminal, with a session that is too old for the collection.
struct Site {
    sample: Sample,
    browser: Browser,
    person: GlobusApp,
    told: Told,
}

impl Site {
    async fn new(store: impl LoginStore) -> Self {
        let sample = Sample::guarded(|collection| collection.session_minutes(1)).await;
        let browser = Browser::redirected();
        let person = logged_in(app(&sample.globus, &browser).store(store)).await;
        sample.globus.clock().advance(Duration::from_secs(120));
        Self {
            sample,
            browser,
            person,
            told: Told::default(),
        }
    }

    /// A job of that user, without a terminal.
    fn job(&self, store: impl LoginStore, prompt: ElsewherePrompt, patience: Duration) -> Job {
        let told = Arc::clone(&self.told);
        let prompt = prompt.on_waiting(move |user, waiting, jobs| {
            assert_eq!(user.user(), "DEFAULT");
            told.lock().expect("whole").push((jobs, waiting.clone()));
        });
        let app = app(&self.sample.globus, &self.browser)
            .store(store)
            .prompt(prompt)
            .app_name("night run")
            .build()
            .expect("an app");
        let session = Session::builder(app)
            .trust(self.sample.trust())
            .login_timeout(patience)
            .build();
        let client = checks::browser::client().into();
        Job {
            client: GareLayer::from_session(session).layer(client),
            listing: self.sample.listing(),
        }
    }

    async fn waiting(&self, jobs: usize) -> Vec<Waiting> {
        let all = async {
            loop {
                let user = self.person.for_user(&Principal::Session);
                let waiting = user.waiting().await.expect("a store");
                if waiting.len() == jobs {
                    return waiting;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let all = tokio::time::timeout(Duration::from_secs(30), all).await;
        all.expect("the jobs wait")
    }

    async fn log_in_for(&self, waiting: &Waiting) {
        let user = self.person.for_user(&Principal::Session);
        user.login_for(waiting).await.expect("a login");
    }

    fn told(&self) -> Vec<(usize, Waiting)> {
        self.told.lock().expect("whole").clone()
    }

    /// Waits until a hook was called.
    async fn until_told(&self) {
        let told = async {
            while self.told().is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(30), told).await;
        told.expect("a hook is called");
    }
}

#[derive(Clone)]
struct Job {
    client: GareService<HttpService>,
    listing: String,
}

impl Job {
    /// The status of a listing, and the reason why the layer gave up.
    async fn list(&self) -> (u16, Option<GaveUp>) {
        let request = Request::get(&self.listing).body(Full::<Bytes>::default());
        let request = request.expect("a request");
        let answer = self.client.clone().oneshot(request).await;
        let answer = answer.expect("an answer");
        let outcome = answer.extensions().get::<GareOutcome>();
        let gave_up = outcome.and_then(GareOutcome::gave_up).cloned();
        (answer.status().as_u16(), gave_up)
    }
}

const LONG: Duration = Duration::from_secs(600);

#[checks::test(seconds = 600)]
async fn job_waits_for_a_login_at_the_terminal() {
    let home = tempfile::tempdir().expect("a directory");
    // Two handles are two programs with one file.
    let open = || JsonStore::new(home.path().join("tokens.json"));
    let site = Site::new(open()).await;
    let job = site.job(open(), ElsewherePrompt::new(), LONG);
    let listing = tokio::spawn(async move { job.list().await });
    let waiting = site.waiting(1).await;
    let words = waiting[0].in_plain_words(1);
    assert!(
        words.starts_with("night run on ") && words.contains("log in again"),
        "{words}"
    );
    assert!(!listing.is_finished());
    site.until_told().await;
    assert_eq!(site.told()[0].0, 1);
    let shown = format!("{waiting:?}");
    let kept = std::fs::read_to_string(home.path().join("tokens.json")).expect("a file");
    let kept: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    let tokens = kept["data"]["DEFAULT"].as_object().expect("tokens");
    for token in tokens.values() {
        let secret = token["access_token"].as_str().expect("a token");
        assert!(!shown.contains(secret), "a secret");
    }

    site.log_in_for(&waiting[0]).await;
    let (status, gave_up) = listing.await.expect("no panic");
    assert_eq!((status, gave_up.is_none()), (200, true));
    assert_eq!(site.waiting(0).await.len(), 0);
    assert_eq!(site.browser.logins(), 2, "one login for the job");
    assert_no_violation(&site.sample.globus);
}

#[checks::test(seconds = 600)]
async fn sixteen_jobs_notify_once_and_share_one_login() {
    let store = MemoryStore::new();
    let site = Site::new(store.clone()).await;
    let mut jobs = JoinSet::new();
    for _ in 0..16 {
        let job = site.job(store.clone(), ElsewherePrompt::new(), LONG);
        jobs.spawn(async move { job.list().await.0 });
    }
    let waiting = site.waiting(16).await;
    assert!(waiting.iter().all(|it| it.is_for_the_same(&waiting[0])));
    site.until_told().await;
    // The login begins at once: a waiting job holds no lease.
    site.log_in_for(&waiting[0]).await;
    assert_eq!(jobs.join_all().await, [200; 16]);
    let told = site.told();
    assert_eq!((told.len(), told[0].0), (1, 16));
    assert_eq!(site.browser.logins(), 2);
    site.waiting(0).await;
}

#[checks::test(seconds = 600)]
async fn job_gives_up_at_its_deadline() {
    let store = MemoryStore::new();
    let site = Site::new(store.clone()).await;
    let job = site.job(store, ElsewherePrompt::new(), Duration::from_secs(1));
    let (status, gave_up) = job.list().await;
    assert_eq!(status, 502, "the service's own response");
    let Some(GaveUp::Failed(error)) = gave_up else {
        panic!("{gave_up:?}");
    };
    assert!(error.is_timeout(), "{error}");
    site.waiting(0).await;
}

/// A program without records writes a token that is too old for the collection.
#[checks::test(seconds = 600)]
async fn job_tries_an_unhelpful_login_once_and_waits_on() {
    let store = MemoryStore::new();
    let site = Site::new(store.clone()).await;
    let job = site.job(store.clone(), ElsewherePrompt::new(), LONG);
    let listing = tokio::spawn(async move { job.list().await });
    let first = site.waiting(1).await;
    let globus = &site.sample.globus;
    let kind = fake_globus::RequestKind::List;
    let before = requests_of(globus, kind);
    // The token of a login two minutes ago: valid, but too old for the collection.
    let own = checks::tokens::own(globus.client_id());
    let tokens = load(&store, globus).await;
    let old = &tokens["transfer.api.globus.org"];
    let foreign = globus.issue_token(&site.sample.ada, TRANSFER_ALL);
    globus.clock().advance(Duration::from_secs(120));
    let foreign: StoredToken = checks::tokens::with(
        old,
        serde_json::json!({"access_token": foreign.expect("a token"), "refresh_token": null}),
    );
    checks::tokens::update(&store, &own, |tokens| {
        tokens.clear();
        tokens.insert("transfer.api.globus.org".to_owned(), foreign.clone());
    })
    .await;
    // The job tries the token, and then waits with another notice.
    let again = async {
        loop {
            let waiting = site.waiting(1).await;
            if waiting[0].by != first[0].by {
                return waiting;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let again = tokio::time::timeout(Duration::from_secs(30), again).await;
    let again = again.expect("the job waits again");
    assert_eq!(requests_of(globus, kind) - before, 1);
    site.log_in_for(&again[0]).await;
    let (status, gave_up) = listing.await.expect("no panic");
    assert_eq!((status, gave_up.is_none()), (200, true), "{gave_up:?}");
}

#[checks::test(seconds = 600)]
async fn command_gets_the_notice_as_json() {
    let store = MemoryStore::new();
    let site = Site::new(store.clone()).await;
    let home = tempfile::tempdir().expect("a directory");
    let (script, got) = (home.path().join("tell"), home.path().join("told.json"));
    let mut file = std::fs::File::create(&script).expect("a file");
    write!(file, "#!/bin/sh\ncat >\"$1.new\" && mv \"$1.new\" \"$1\"\n").expect("written");
    drop(file);
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).expect("ours");
    let prompt = ElsewherePrompt::new().command(&script, [&got]);
    let job = site.job(store, prompt, LONG);
    let listing = tokio::spawn(async move { job.list().await.0 });
    let waiting = site.waiting(1).await;
    let document = async {
        loop {
            if let Ok(text) = std::fs::read_to_string(&got) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let document = tokio::time::timeout(Duration::from_secs(30), document).await;
    let document: serde_json::Value =
        serde_json::from_str(&document.expect("the command ran")).expect("JSON");
    assert_eq!(
        (&document["user"], &document["jobs"]),
        (&"DEFAULT".into(), &1.into())
    );
    let notice = &document["waiting"];
    assert_eq!(notice["by"]["program"], "night run");
    assert!(
        notice["words"]
            .as_str()
            .is_some_and(|words| words.contains("log in again"))
    );
    site.log_in_for(&waiting[0]).await;
    assert_eq!(listing.await.expect("no panic"), 200);
}
