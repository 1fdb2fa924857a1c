//! `globus-ls check`, the first line of a job script.

use std::time::Duration;

use checks::launcher::Launcher;
use checks::sample::assert_no_violation;
use checks::site::*;
use checks::tokens::{login, own};
use fake_globus::Collection;
use globus_login::{JsonStore, Login, LoginStore};

use crate::login::run_with_browser;
use crate::support::*;

async fn check(site: &Site, good_for: &str) -> Ran {
    run(site.with_client(&["check", &site.collection, "--for", good_for])).await
}

/// Lists after the end of the session, which takes a login.
async fn list_with_login(site: &Site, launcher: &mut Launcher) {
    site.globus.clock().advance(Duration::from_secs(120));
    let (ran, _) = run_with_browser(site.with_client(&[&site.collection]), launcher).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// Changes the learned age of the login that the collection did not accept.
async fn set_refused_age(site: &Site, seconds: u64) {
    let client = site.globus.client_id();
    let tokens = format!(".globus/app/{client}/globus-ls/tokens.json");
    let store = JsonStore::new(site.home.path().join(tokens));
    let user = own(client);
    let mut kept = serde_json::to_value(login(&store, &user).await).expect("JSON");
    let age = &mut kept["record"]["learned"][&site.collection]["refused_age"];
    assert!(age.is_u64(), "the age was learned");
    *age = seconds.into();
    let changed: Login = serde_json::from_value(kept).expect("a login");
    let base = store.load(&user).await.expect("a file").version;
    let done = store.commit(&user, &base, &changed).await;
    done.expect("a file").expect("nobody was faster");
}

#[checks::test(seconds = 600)]
async fn exit_code_of_check_follows_what_was_learned() {
    let site = Site::guarded(PROGRAM, Collection::high_assurance).await;
    let login_for = format!("run 'globus-ls login --collection {}'", site.collection);
    let mut launcher = Launcher::new();
    let ran = check(&site, "0s").await;
    let line = ran.error_line(4);
    assert!(
        line.contains("there is no token") && line.contains(&login_for),
        "{line}"
    );

    let login = ["login", "--collection", &site.collection];
    let (ran, _) = run_with_browser(site.with_client(&login), &mut launcher).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = check(&site, "12h").await;
    let line = ran.error_line(5);
    assert!(line.contains("unknown for collection "), "{line}");

    // The second challenge tells how long a session lasts.
    list_with_login(&site, &mut launcher).await;
    let ran = check(&site, "12h").await;
    assert!(ran.error_line(5).contains("not known for how long"));
    list_with_login(&site, &mut launcher).await;
    set_refused_age(&site, 24 * 3600).await;
    let ran = check(&site, "12h").await;
    assert_eq!((ran.code, &*ran.stderr), (0, ""));
    assert!(ran.stdout.starts_with("Ready until "), "{}", ran.stdout);
    let ran = check(&site, "2d").await;
    let line = ran.error_line(4);
    for part in [
        "uchicago.edu",
        "The session will probably end at ",
        "To continue, ",
        &login_for,
    ] {
        assert!(line.contains(part), "{line}");
    }

    let ran = run(site.with_client(&["session"])).await;
    let mut lines = ran.stdout.lines();
    let found = lines.find_map(|line| line.strip_prefix("Found:      "));
    let found = found.expect("a line");
    for part in [&*site.collection, "uchicago.edu", "24 h old"] {
        assert!(found.contains(part), "{found}");
    }
    // A login for the collection satisfies what the collection requires.
    let (ran, _) = run_with_browser(site.with_client(&login), &mut launcher).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(check(&site, "12h").await.code, 0);
    assert!(!launcher.has_opened());
    assert_no_violation(&site.globus);
}

#[checks::test(seconds = 600)]
async fn check_finds_a_missing_consent() {
    let site = Site::guarded(PROGRAM, Collection::data_access).await;
    let mut launcher = Launcher::new();
    let (ran, _) = run_with_browser(site.with_client(&["login"]), &mut launcher).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = check(&site, "0s").await;
    assert!(ran.error_line(4).contains("data_access"));
    let login = ["login", "--collection", &site.collection];
    let (ran, _) = run_with_browser(site.with_client(&login), &mut launcher).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = check(&site, "0s").await;
    assert!(ran.error_line(5).contains("there was no challenge yet"));
    // The person is not asked again.
    let ran = run(site.with_client(&[&site.collection])).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[checks::test(seconds = 600)]
async fn check_requires_a_duration_and_an_id() {
    let site = Site::new(PROGRAM).await;
    for wrong in [
        "12",
        "h",
        "12x",
        "-1h",
        "1h30m",
        "99999999999999999999d",
        "",
    ] {
        let ran = check(&site, wrong).await;
        assert_eq!(ran.code, 2, "{wrong}: {}", ran.stderr);
    }
    let ran = run(site.with_client(&["check", "nothing"])).await;
    assert!(
        ran.error_line(2)
            .contains("'nothing' is not a collection id")
    );
}
