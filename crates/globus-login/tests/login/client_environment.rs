//! Clients named in environment variables, and the login of Globus Compute.

use checks::secrets::assert_hidden;
use checks::tokens::{put, user};
use fake_globus::Person;
use globus_gare::Environment;
use globus_gare::reauth::Principal;
use globus_login::{GlobusApp, SqliteStore};

use crate::support::endpoint::{CLIENT, stored};
use crate::support::program::{self, Program};
use crate::support::*;

const SECRET: &str = "s3cret-of-the-client";

/// Runs this test as a program, with this argument and environment. Returns its report.
async fn reported(argument: &str, variables: &[(&str, &str)]) -> String {
    let mut program = Program::start(module_path!(), argument, variables);
    let report = program.reported().await;
    assert_hidden("a program", program.printed(), &[SECRET]);
    report
}

#[checks::test(seconds = 600)]
async fn incomplete_client_of_the_environment_is_an_error() {
    if let Some(argument) = program::argument() {
        let app = match argument.as_str() {
            "compute" => GlobusApp::for_globus_compute().map(Some),
            prefix => GlobusApp::from_client_environment(prefix),
        };
        return program::report(&match app {
            Ok(app) => format!("{app:?} {:?}", app.as_ref().map(|_| "an app")),
            Err(error) => format!("{error} {error:?}"),
        });
    }
    let both = "set both, or neither";
    let id = |name| (name, CLIENT);
    let secret = |name| (name, SECRET);
    let (cli_id, cli_secret) = (
        id("GLOBUS_CLI_CLIENT_ID"),
        secret("GLOBUS_CLI_CLIENT_SECRET"),
    );
    let (compute_id, compute_secret) = (
        id("GLOBUS_COMPUTE_CLIENT_ID"),
        secret("GLOBUS_COMPUTE_CLIENT_SECRET"),
    );
    let home = ("HOME", "/home/ada");
    for (program, variables, says) in [
        ("GLOBUS_CLI", &[][..], "None"),
        ("GLOBUS_CLI", &[("GLOBUS_CLI_CLIENT_ID", "")], "None"),
        ("GLOBUS_CLI", &[compute_id, compute_secret], "None"),
        ("GLOBUS_CLI", &[cli_id, cli_secret], CLIENT),
        ("GLOBUS_CLI", &[cli_id], both),
        ("GLOBUS_CLI", &[cli_secret, compute_id], both),
        ("GLOBUS_COMPUTE", &[compute_id, compute_secret], CLIENT),
        ("GLOBUS_COMPUTE", &[compute_id], both),
        ("compute", &[home, compute_id, compute_secret], CLIENT),
        // The id alone names the program with which a person logs in.
        ("compute", &[home, compute_id], CLIENT),
        ("compute", &[home], "4cf29807-cf21-49ec-9443-ff9a3fb9f81c"),
        ("compute", &[home, compute_secret], both),
    ] {
        let said = reported(program, variables).await;
        assert!(said.contains(says), "{program} {variables:?}: {said}");
    }
}

#[checks::test(seconds = 600)]
async fn client_of_the_environment_leaves_the_users_tokens_alone() {
    if program::argument().is_some() {
        let app = GlobusApp::from_client_environment("GLOBUS_CLI").expect("both");
        let app = app.expect("a client").app_name("shared").build();
        let app = app.expect("an app");
        app.login().await.expect("a login");
        let transfer = Environment::from_env().service_url("transfer");
        let held = held(&app, &target(&transfer.expect("a URL"))).await;
        return program::report(&format!("{app:?} {}", held.is_some()));
    }
    let globus = globus(Person::automatic()).await;
    let home = tempfile::tempdir().expect("a directory");
    let file = |client: &str| {
        let app = home.path().join(".globus/app").join(client);
        app.join("shared/tokens.json")
    };
    let of_user = file(&globus.client_id().to_string());
    let store = globus_login::JsonStore::new(&of_user);
    put(
        &store,
        &user("DEFAULT"),
        stored("transfer.api.globus.org", "of-user", true),
    )
    .await;
    let before = std::fs::read(&of_user).expect("a file");

    let (client, secret) = (
        globus.confidential_client_id().to_string(),
        globus.client_secret(),
    );
    let mut variables = globus.environment();
    variables.extend([
        ("HOME".to_owned(), home.path().display().to_string()),
        ("GLOBUS_CLI_CLIENT_ID".to_owned(), client.clone()),
        ("GLOBUS_CLI_CLIENT_SECRET".to_owned(), secret.to_owned()),
    ]);
    let variables = variables.iter().map(|(name, value)| (&**name, &**value));
    let variables: Vec<(&str, &str)> = variables.collect();
    let mut program = Program::start(module_path!(), "client", &variables);
    let said = program.reported().await;
    assert!(said.ends_with("true"), "{said}");
    assert_hidden("a program", program.printed(), &[secret]);
    assert_eq!(std::fs::read(&of_user).expect("a file"), before);
    let own = std::fs::read_to_string(file(&client)).expect("a file of its own");
    assert!(!own.contains("of-user"));
    assert_eq!(globus.counts().client_grants, 1);
    assert_no_violation(&globus);
}

#[checks::test(seconds = 600)]
async fn login_of_globus_compute_is_found_by_namespace() {
    if let Some(name) = program::argument() {
        let principal = match name.as_str() {
            "own" => Principal::Session,
            name => Principal::Named(name.into()),
        };
        let app = GlobusApp::for_globus_compute().expect("a place").build();
        let app = app.expect("an app");
        let compute = Environment::from_env().service_url("compute");
        let compute = target(&compute.expect("a URL"));
        let credential = app.for_user(&principal).credential(&compute).await;
        let credential = credential.expect("no error");
        return program::report(&credential.map_or_else(String::new, |it| bearer(&it)));
    }
    let (home, other) = (tempfile::tempdir(), tempfile::tempdir());
    let (home, other) = (home.expect("a directory"), other.expect("a directory"));
    let path = home.path().join(".globus_compute/storage.db");
    for (path, namespace, token) in [
        (&path, "user/production".to_owned(), "of-user"),
        (&path, "user/preview".to_owned(), "of-preview"),
        (
            &path,
            format!("clientprofile/production/{CLIENT}"),
            "of-client",
        ),
        (&path, "user/production/identity/bob".to_owned(), "of-bob"),
        (&path, "DEFAULT".to_owned(), "of-another-program"),
        (
            &other.path().join("storage.db"),
            "user/production".to_owned(),
            "elsewhere",
        ),
    ] {
        let store = SqliteStore::new(path);
        put(
            &store,
            &user(&namespace),
            stored("funcx_service", token, true),
        )
        .await;
    }
    let (home, other) = (
        home.path().display().to_string(),
        other.path().display().to_string(),
    );
    let nobody = ("GLOBUS_SDK_SERVICE_URL_AUTH", "http://127.0.0.1:1");
    let id = ("GLOBUS_COMPUTE_CLIENT_ID", CLIENT);
    let secret = ("GLOBUS_COMPUTE_CLIENT_SECRET", SECRET);
    let preview = ("GLOBUS_SDK_ENVIRONMENT", "preview");
    let elsewhere = ("GLOBUS_COMPUTE_USER_DIR", &*other);
    for (who, variables, token) in [
        ("own", &[][..], "of-user"),
        ("own", &[id], "of-user"),
        ("own", &[id, secret], "of-client"),
        ("own", &[preview], "of-preview"),
        ("own", &[elsewhere], "elsewhere"),
        ("bob", &[], "of-bob"),
        ("carla", &[], ""),
    ] {
        let variables = [&[("HOME", &*home), nobody], variables].concat();
        assert_eq!(
            reported(who, &variables).await,
            token,
            "{who} {variables:?}"
        );
    }
}
