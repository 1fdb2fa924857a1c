//! The program's own surroundings.

use std::fs;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use checks::browser::Browser;
use checks::mock::{
    self, Login, MFA, Service, answer, get as request, let_in_first, outcome, settle, spawn,
};
use checks::secrets::assert_hidden;
use checks::tokens;
use fake_globus::Person;
use globus_gare::Environment;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GaveUp, Origin, Principal, Session, Trust, reauth_fn};
use globus_login::{GlobusApp, JsonStore, MemoryStore};

use crate::support::*;

#[checks::test]
async fn printed_text_holds_no_secret() {
    let log = Log::default();
    let guards = log.listen();
    let sample = globus(|collection| collection.session_minutes(10)).await;
    let (store, person) = (MemoryStore::new(), Browser::redirected());
    let builder = app(&sample.globus, &person)
        .store(store.clone())
        .refresh_tokens(true)
        .client_secret("");
    let mut shown = format!("{builder:?}");
    let app = logged_in(builder).await;
    let client = client(&app, sample.trust());
    let mut secrets = Vec::new();
    for person_is in [Person::automatic(), Person::automatic().declines()] {
        let kept = tokens::load(&store, &tokens::own(sample.globus.client_id())).await;
        for token in kept.values() {
            let members = tokens::members(token);
            let names = ["access_token", "refresh_token"];
            secrets.extend(names.map(|name| members[name].as_str().expect("a token").to_owned()));
        }
        shown += &format!("{kept:?} {app:?} {:?} {client:?}", client.session());
        sample.globus.clock().advance(Duration::from_secs(3600));
        sample.globus.set_person(person_is);
        let (status, _, gave_up) = get(&client, &sample.listing()).await;
        shown += &format!("{status} {gave_up:?} {:?}", person.requests());
    }
    secrets.extend(person.secrets());
    shown += &format!("{:?}", app.for_user(&Principal::Session).info().await);
    shown += &format!("{:?}", app.for_user(&Principal::Session));
    drop(guards);
    let log = log.text();
    assert!(log.contains("logged in") && shown.len() > 1_000, "{log}");
    // The fake Globus and the browser run in this process too. They log no secret.
    assert_hidden("the log", &log, &secrets);
    assert_hidden("Debug", &shown, &secrets);

    let panics = reauth_fn(|_| async { panic!("with the-secret-of-a-panic") });
    let victim = Victim::of(Login::at_once(), Session::new(panics), |_| answer(403, MFA));
    let response = victim.visit("https://transfer.api.globus.org/").await;
    let shown = format!("{:?}", outcome(&response));
    assert!(shown.contains("Panicked"), "{shown}");
    assert_hidden("a panic", &shown, &["the-secret-of-a-panic"]);
}

#[cfg(unix)]
#[checks::test]
async fn other_users_get_nothing_from_the_token_file() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    let sample = globus(|collection| collection).await;
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("tokens.json");
    let log_in = async || {
        let app = app(&sample.globus, &Browser::redirected()).store(JsonStore::new(&path));
        app.build().expect("an app").login().await
    };
    log_in().await.expect("a login");
    let token = fs::read_to_string(&path).expect("text");
    assert!(token.contains("access_token"));
    fn files(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
        let entries = fs::read_dir(directory).expect("a directory");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths
            .flat_map(|path| {
                if path.is_dir() {
                    files(&path)
                } else {
                    vec![path]
                }
            })
            .collect()
    }
    let beside: Vec<_> = files(home.path())
        .into_iter()
        .filter(|it| *it != path)
        .collect();
    assert!(!beside.is_empty());
    for file in &beside {
        let text = fs::read(file).expect("a file");
        assert!(
            !String::from_utf8_lossy(&text).contains("token"),
            "{}",
            file.display()
        );
        assert_eq!(
            fs::metadata(file).expect("a file").mode() & 0o077,
            0,
            "{}",
            file.display()
        );
    }
    // A link replaces each of them: to an existing file, and to a file that does not exist.
    let (precious, made) = (home.path().join("precious"), home.path().join("made"));
    fs::write(&precious, "precious").expect("a file");
    for target in [&precious, &made] {
        for file in &beside {
            fs::remove_file(file).expect("ours");
            symlink(target, file).expect("a link");
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("ours");
        let linked = log_in().await;
        let text = fs::read_to_string(&precious).expect("text");
        assert_eq!(text, "precious", "{linked:?}");
        assert!(!made.exists(), "{linked:?}");
    }
    for file in &beside {
        let _ = fs::remove_file(file);
    }
    log_in().await.expect("a login");
    assert_eq!(fs::metadata(&path).expect("a file").mode() & 0o777, 0o600);
}

#[checks::test]
fn variables_send_no_token_unencrypted() {
    let allows = |variables: &[(&str, &str)], url: &str| {
        let environment = Environment::from_variables(variables.iter().copied());
        Trust::of(&environment).allows(&url.parse::<Origin>().expect("an origin"))
    };
    let transfer = "https://transfer.api.globus.org";
    for url in [
        transfer,
        "https://auth.globus.org",
        "https://transfer.api.elsewhere.org",
        "https://evil.example",
    ] {
        assert!(
            !allows(&[("GLOBUS_SDK_ENVIRONMENT", "elsewhere")], url),
            "{url}"
        );
    }
    let variable = "GLOBUS_SDK_SERVICE_URL_TRANSFER";
    for (set, url) in [
        ("http://evil.example/", "http://evil.example"),
        ("http://evil.example/", transfer),
        ("https://evil.example/", "https://evil.example.org"),
        ("https://evil.example/", "http://evil.example"),
        ("https://evil.example@transfer.api.globus.org/", transfer),
        ("evil.example", "https://evil.example"),
    ] {
        assert!(!allows(&[(variable, set)], url), "{set}: {url}");
    }
    assert!(
        allows(
            &[(variable, "https://evil.example/")],
            "https://evil.example"
        ),
        "they are obeyed"
    );
    let elsewhere = Environment::from_variables([("GLOBUS_SDK_ENVIRONMENT", "elsewhere")]);
    GlobusApp::user("program")
        .environment(elsewhere)
        .build()
        .expect_err("it knows no Globus Auth");
}

#[checks::test(start_paused = true)]
async fn hostile_reauthenticator_loses_no_request() {
    let demanding = |_: &_| answer(403, MFA);
    let url = "https://transfer.api.globus.org/";
    let panics = Session::new(reauth_fn(|_| async { panic!("on purpose") }));
    let hangs = Session::new(reauth_fn(|_| std::future::pending()));
    let inner = Arc::<OnceLock<Service>>::default();
    let used = Arc::clone(&inner);
    let recurses = Session::new(reauth_fn(move |_| {
        let client = used.get().expect("it is set").clone();
        async move {
            mock::send(&client, request("/inner")).await;
            Err(globus_gare::reauth::ReauthError::declined())
        }
    }));
    for session in [panics, hangs, recurses] {
        let victim = Victim::of(Login::at_once(), session, demanding);
        let _ = inner.set(victim.client.clone());
        let _ = victim.visit(url).await;
        let response = victim.visit(url).await;
        assert_eq!(response.status(), 403);
        let gave_up = outcome(&response).gave_up();
        assert!(
            matches!(gave_up, Some(GaveUp::Failed(_) | GaveUp::BackingOff { .. })),
            "{gave_up:?}"
        );
    }
}

#[checks::test]
async fn dropped_caller_ends_no_other_request() {
    let login = Login::held();
    let client = mock::behind(&GareLayer::new(login.clone()), let_in_first);
    let mut callers = Vec::new();
    for _ in 0..20 {
        callers.push(spawn(&client, request("/")));
        settle().await;
    }
    // The first caller leads the login.
    let stayed = callers.split_off(10);
    for caller in callers {
        caller.abort();
    }
    settle().await;
    login.let_go();
    for caller in stayed {
        assert_eq!(caller.await.expect("no panic").status(), 200);
    }
    assert_eq!(login.logins(), 1);
}
