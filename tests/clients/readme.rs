//! The programs in the README, run to their ends against a Globus of our own.

use checks::program;
use fake_globus::RequestKind;

mod login;
mod reqwest_client;
mod tower_client;

const README: &str = include_str!("../../README.md");

/// The program in a file, without its first comment, as it stands in the README.
fn program_in(file: &str) -> String {
    let (_, program) = file.split_once("\n\n").expect("a first comment");
    program.replace("pub(crate) ", "")
}

#[checks::test]
fn readme_shows_the_programs_that_are_tested() {
    for file in [
        include_str!("readme/reqwest_client.rs"),
        include_str!("readme/tower_client.rs"),
    ] {
        let program = program_in(file);
        assert!(
            README.contains(&format!("```rust\n{program}```")),
            "{program}"
        );
    }
    let main = program_in(include_str!("readme/login.rs"));
    assert!(
        README.contains(&format!("```rust,no_run\n#[tokio::main]\n{main}```")),
        "{main}"
    );
}

#[checks::test]
fn readme_names_the_versions_of_the_manifest() {
    let readme = README.replace('\n', " ");
    let manifest = include_str!("../../Cargo.toml");
    let version = |name: &str| {
        let mut lines = manifest.lines();
        let line = lines.find(|line| line.split(" = ").next() == Some(name));
        line.and_then(|line| line.split('"').nth(1))
            .expect("a version")
    };
    for name in [
        "http",
        "http-body",
        "tokio",
        "tower",
        "reqwest",
        "reqwest-middleware",
        "tower-http",
    ] {
        // Where the first number is 0, the second one tells what is compatible.
        let numbers: Vec<_> = version(name).split('.').collect();
        let compatible = match numbers[..] {
            ["0", minor, ..] => format!("0.{minor}"),
            [major, ..] => major.to_owned(),
            [] => unreachable!(),
        };
        let named = format!("`{name}` {compatible}");
        assert!(readme.contains(&named), "{named}");
    }
    let rust = format!("Rust {} or later", version("rust-version"));
    assert!(readme.contains(&rust), "{rust}");
}

/// The program of a test, and the person who logs in when it opens the browser.
#[cfg(unix)]
async fn run(globus: &fake_globus::FakeGlobus, argument: &str) {
    let home = tempfile::tempdir().expect("a directory");
    let mut launcher = checks::launcher::Launcher::new();
    let mut variables = globus.environment();
    for (name, value) in [
        ("GLOBUS_CLIENT_ID", globus.client_id().to_string()),
        ("HOME", home.path().display().to_string()),
        ("BROWSER", launcher.program().display().to_string()),
    ] {
        variables.push((name.to_owned(), value));
    }
    let variables = variables.iter();
    let variables: Vec<_> = variables.map(|(name, value)| (&**name, &**value)).collect();
    let program = program::Program::start(module_path!(), argument, &variables);
    let person = async {
        let page = launcher.page().await;
        let shown = fake_globus::Browser::new().open(page).await;
        assert_eq!(shown.expect("a page").status, 200);
    };
    let ((status, printed), ()) = tokio::join!(program.ended(), person);
    assert!(status.success(), "{printed}");
    checks::sample::assert_no_violation(globus);
    assert_eq!(globus.counts().logins, 1);
}

/// The statuses of all responses to requests of one kind.
fn statuses(globus: &fake_globus::FakeGlobus, kind: RequestKind) -> Vec<u16> {
    let requests = globus.requests().into_iter();
    let requests = requests.filter(|request| request.kind == kind);
    requests.map(|request| request.status).collect()
}

#[cfg(unix)]
fn app() -> globus_login::GlobusApp {
    let client = std::env::var("GLOBUS_CLIENT_ID").expect("a client");
    let app = globus_login::GlobusApp::user(client).build();
    app.expect("an app")
}

#[cfg(unix)]
#[checks::test(seconds = 600)]
async fn login_in_the_readme_works_when_pasted() {
    if program::argument().is_some() {
        return login::main().await.expect("a list of tasks");
    }
    let sample = checks::sample::Sample::open().await;
    run(&sample.globus, "").await;
    assert_eq!(
        statuses(&sample.globus, RequestKind::OtherTransfer),
        [401, 200]
    );
}

/// Its user's token is good, and its session is too old.
#[cfg(unix)]
#[checks::test(seconds = 600)]
async fn reqwest_client_in_the_readme_logs_in_once() {
    if let Some(argument) = program::argument() {
        let (url, token) = argument.split_once(' ').expect("two words");
        let client = reqwest_client::client(app());
        for _ in 0..2 {
            let response = client.get(url).bearer_auth(token).send().await;
            assert_eq!(response.expect("a response").status(), 200);
        }
        return;
    }
    let sample = checks::sample::Sample::guarded(|collection| collection.session_minutes(1)).await;
    let argument = format!("{} {}", sample.listing(), sample.token());
    let clock = sample.globus.clock();
    clock.advance(std::time::Duration::from_secs(120));
    run(&sample.globus, &argument).await;
    assert_eq!(statuses(&sample.globus, RequestKind::List), [502, 200, 200]);
}

#[cfg(unix)]
#[checks::test(seconds = 600)]
async fn tower_client_in_the_readme_logs_in() {
    if let Some(url) = program::argument() {
        let listing = tower_client::get(&url, app()).await.expect("a listing");
        let listing = String::from_utf8_lossy(&listing);
        return assert!(listing.contains("hello.txt"), "{listing}");
    }
    let sample = checks::sample::Sample::open().await;
    sample.write("hello.txt", "hello");
    run(&sample.globus, &sample.listing()).await;
    assert_eq!(statuses(&sample.globus, RequestKind::List), [401, 200]);
}
