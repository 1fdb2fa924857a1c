//! The pages of a login are accessible in light and dark, and log no error in the browser.

use std::fs;
use std::path::{Path, PathBuf};

use checks::launcher::Launcher;
use checks::sample::Sample;
use checks::site::*;
use fake_globus::{Person, RequestKind};
use peers::programs;
use serde_json::{Value, json};

use crate::support::chromium::Chromium;

const LOG_IN: &str = "Log in to continue to Test application";

/// Checks pages with axe-core, a checker of accessibility rules (WCAG).
struct Reader {
    chromium: Chromium,
    axe: String,
    /// The directory for screenshots.
    pictures: PathBuf,
}

impl Reader {
    async fn start() -> Self {
        let axe =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("node/node_modules/axe-core/axe.min.js");
        let axe = fs::read_to_string(&axe).unwrap_or_else(|error| {
            panic!("axe-core is missing ({error}). Install it: npm ci --prefix crates/peers/node")
        });
        let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
        fs::create_dir_all(&pictures).expect("a directory");
        Self {
            chromium: Chromium::start().await,
            axe,
            pictures,
        }
    }

    /// Opens a URL, and checks the page.
    async fn check_url(&self, name: &str, title: &str, url: &str) {
        self.chromium.open(url).await;
        self.check(name, title).await;
    }

    /// Asserts that the page with this title is shown, accessible, and logs no error.
    async fn check(&self, name: &str, title: &str) {
        // Waits for the heading: the page before may still be shown.
        let heading = format!("//h1[. = '{title}']");
        assert_eq!(self.chromium.text(&heading).await, title);
        for scheme in ["light", "dark"] {
            self.chromium.prefer(scheme).await;
            let picture = self.pictures.join(format!("{name}-{scheme}.png"));
            fs::write(picture, self.chromium.screenshot().await).expect("a picture");
            let violations = self.violations().await;
            assert_eq!(violations, json!([]), "{name}, {scheme}: {violations:#}");
        }
        let entries = self.chromium.log().await;
        // Some of the pages have an error status, which the browser logs.
        let entries = entries.as_array().expect("a list").iter();
        let entries: Vec<_> = entries
            .filter(|entry| entry["source"] != "network")
            .collect();
        assert_eq!(entries, Vec::<&Value>::new(), "{name}");
    }

    async fn violations(&self) -> Value {
        let look = "const done = arguments[arguments.length - 1];
            axe.run().then(
                found => done(found.violations.map(rule => [rule.id, rule.help, rule.nodes.map(node => node.html)])),
                error => done(String(error)));";
        self.chromium.run(&format!("{}\n{look}", self.axe)).await
    }
}

#[checks::test(seconds = 600)]
async fn login_pages_are_accessible_in_light_and_dark() {
    let reader = Reader::start().await;
    let site = Site::guarded(programs::globus_ls(), |collection| {
        collection.domain("uchicago.edu").mfa()
    })
    .await;
    site.globus.set_person(Person::browser());
    let mut launcher = Launcher::new();
    let program = launcher.program();
    let log_in = || {
        let mut command = site.with_client(&["login", "--force"]);
        command.env("BROWSER", &program);
        run(command)
    };
    let chromium = &reader.chromium;

    let approved = async {
        let page = launcher.page().await;
        let nowhere = page.rsplit_once('/').expect("a path").0;
        reader
            .check_url(
                "nothing",
                "There is nothing here",
                &format!("{nowhere}/nowhere"),
            )
            .await;
        reader.check_url("log-in", LOG_IN, &page).await;
        chromium.click("//button[@value='approve']").await;
        reader.check("done", "You are logged in").await;
    };
    let (ran, ()) = tokio::join!(log_in(), approved);
    ran.assert_ended(0, "You are logged in as ada@uchicago.edu.\n");
    let declined = async {
        chromium.open(&launcher.page().await).await;
        chromium.click("//button[@value='deny']").await;
        reader.check("declined", "The login was declined").await;
    };
    let (ran, ()) = tokio::join!(log_in(), declined);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    let failed = async {
        chromium.open(&launcher.page().await).await;
        let down = "Globus Auth is down";
        site.globus.fail_next(RequestKind::Token, 503, down);
        chromium.click("//button[@value='approve']").await;
        reader.check("failed", "The login failed").await;
    };
    let (ran, ()) = tokio::join!(log_in(), failed);
    assert_ne!(ran.code, 0, "{}", ran.stderr);
}

#[checks::test(seconds = 600)]
async fn fake_globus_pages_are_accessible_in_light_and_dark() {
    let reader = Reader::start().await;
    let sample = Sample::guarded(|collection| collection.domain("uchicago.edu").mfa()).await;
    sample.globus.set_person(Person::browser());
    let auth = sample.globus.auth_url();
    let authorize = format!("{auth}v2/oauth2/authorize");
    let problem = "This login cannot go on";
    reader
        .check_url("error", problem, &format!("{authorize}?client_id=none"))
        .await;

    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let client = sample.globus.client_id();
    let required = "session_required_mfa=true&session_required_single_domain=uchicago.edu&session_message=Because";
    let page = format!(
        "{authorize}?response_type=code&client_id={client}&redirect_uri={auth}v2/web/auth-code&scope=openid\
         &state=s&code_challenge={challenge}&code_challenge_method=S256&{required}"
    );
    reader.check_url("requirement", LOG_IN, &page).await;
    reader.chromium.click("//input[@name='mfa']").await;
    reader.chromium.click("//button[@value='approve']").await;
    reader.check("code", "You are logged in").await;
}
