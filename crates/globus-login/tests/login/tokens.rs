//! The owner of the stored tokens, their scopes and their refresh.

use fake_globus::{Collection, FakeGlobus, Identity, Person, RequestKind};
use globus_login::{GlobusApp, MemoryStore, Scope};

use crate::support::*;

#[checks::test]
async fn login_by_another_person_is_refused() {
    let globus = FakeGlobus::builder()
        .identity(Identity::new("ada", "uchicago.edu"))
        .identity(Identity::new("bob", "anl.gov"))
        .person(Person::automatic().picks("ada@uchicago.edu"));
    let globus = globus.start().await.expect("a server");
    let store = MemoryStore::new();
    let app = app(&globus, &Browser::redirected()).store(store.clone());
    let app = logged_in(app.scopes([TRANSFER_ALL, "profile"])).await;
    let transfer = target(globus.transfer_url());
    let before = held(&app, &transfer).await.expect("a credential");

    globus.set_person(Person::automatic().picks("bob@anl.gov"));
    let error = log_in_again(&app).await.expect_err("somebody else");
    assert!(
        error.to_string().contains("another person logged in"),
        "{error}"
    );
    let after = held(&app, &transfer).await.expect("a credential");
    assert_eq!(before.header_value(), after.header_value());
    let revoked = |globus: &FakeGlobus| {
        let requests = globus.requests();
        requests
            .iter()
            .filter(|request| request.kind == RequestKind::Revoke && request.status == 200)
            .count()
    };
    // The tokens of the other person were revoked.
    assert_eq!(revoked(&globus), 2);

    assert!(app.logout().await.expect("told"));
    assert_eq!(revoked(&globus), 4);
    assert!(!app.logout().await.expect("nothing to tell"));
    assert!(app.account().await.expect("no error").is_none());
    app.login().await.expect("a login");
    let account = app.account().await.expect("no error").expect("somebody");
    assert_eq!(account.username.as_deref(), Some("bob@anl.gov"));
    assert_no_violation(&globus);
}

#[checks::test]
async fn app_logs_in_again_only_for_new_scopes() {
    let globus = globus(Person::automatic()).await;
    let (browser, store) = (Browser::redirected(), MemoryStore::new());
    let with = |scopes: &[&str]| {
        let app = app(&globus, &browser)
            .store(store.clone())
            .scopes(scopes.iter().copied());
        app.build().expect("an app")
    };
    for (scopes, logins) in [
        (&[TRANSFER_ALL][..], 1),
        (&[TRANSFER_ALL], 1),
        (&[TRANSFER_ALL, "email"], 2),
        (&["openid"], 2),
        (&["email", TRANSFER_ALL], 2),
    ] {
        let app = with(scopes);
        app.login().await.expect("a login");
        assert!(app.is_logged_in().await.expect("no error"));
        assert_eq!(browser.logins(), logins, "{scopes:?}");
    }
    // A login asks for earlier scopes again, because the new tokens replace the old ones.
    with(&["profile"]).login().await.expect("a login");
    let scope = browser.parameter(2, "scope").expect("scopes");
    assert_eq!(scope, format!("profile openid {TRANSFER_ALL} email"));
}

#[checks::test]
async fn extra_scopes_start_no_login() {
    let globus = globus(Person::automatic()).await;
    let (browser, store) = (Browser::redirected(), MemoryStore::new());
    let app = || app(&globus, &browser).store(store.clone());
    // The default scopes of `globus_sdk.UserApp`.
    logged_in(app()).await;
    let with_names = logged_in(app().extra_scopes(["profile", "email"])).await;
    assert!(with_names.is_logged_in().await.expect("no error"));
    let account = with_names.account().await.expect("no error");
    assert_eq!(account.expect("somebody").username, None);
    assert_eq!(browser.logins(), 1);

    log_in_again(&with_names).await.expect("a login");
    let scope = browser.parameter(1, "scope").expect("scopes");
    assert_eq!(scope, format!("{TRANSFER_ALL} openid profile email"));
    let account = with_names.account().await.expect("no error");
    assert!(account.expect("somebody").username.is_some());
    app().extra_scopes(["a[b"]).build().expect_err("no scopes");
}

#[checks::test]
async fn data_access_scope_up_front_prevents_the_challenge() {
    let sample = Sample::guarded(Collection::data_access).await;
    let transfer = target(sample.globus.transfer_url());
    for (scopes, status) in [
        (Scope::transfer_all(), 403),
        (
            Scope::transfer_data_access(sample.collection.to_string()),
            200,
        ),
    ] {
        let app =
            logged_in(app(&sample.globus, &Browser::redirected()).scopes([scopes.to_string()]))
                .await;
        let credential = held(&app, &transfer).await.expect("a credential");
        let request = client()
            .get(sample.listing())
            .header("authorization", credential.header_value());
        assert_eq!(
            request.send().await.expect("an answer").status().as_u16(),
            status,
            "{scopes}"
        );
    }
}

#[checks::test]
async fn token_is_refreshed_early_and_once() {
    let globus = globus(Person::automatic()).await;
    let store = MemoryStore::new();
    let day = std::time::Duration::from_secs(24 * 3600);
    let app = |leeway| {
        let app = refreshing(&globus, &Browser::redirected(), &store);
        app.expiry_leeway(leeway).build().expect("an app")
    };
    let transfer = target(globus.transfer_url());
    app(day).login().await.expect("a login");
    held(&app(day), &transfer).await.expect("a credential");
    assert_eq!(globus.counts().refresh_grants, 0);
    // The token lasts two days: with a leeway of three, it counts as expired.
    held(&app(3 * day), &transfer).await.expect("a credential");
    assert_eq!(globus.counts().refresh_grants, 1);

    expire(&globus);
    let (one, two) = (app(day), app(day));
    let (first, second) = tokio::join!(held(&one, &transfer), held(&two, &transfer));
    let (first, second) = (first.expect("a credential"), second.expect("a credential"));
    assert_eq!(first.header_value(), second.header_value());
    assert_eq!(globus.counts().refresh_grants, 2);
}

#[checks::test]
async fn confidential_app_gets_tokens_and_asks_nobody() {
    let globus = globus(Person::browser()).await;
    let store = MemoryStore::new();
    let app = confidential(&globus).store(store.clone());
    let app = app.build().expect("an app");
    let transfer = target(globus.transfer_url());
    let credential = async || held(&app, &transfer).await.expect("a credential");
    let first = credential().await;
    assert_eq!(first.header_value(), credential().await.header_value());
    expire(&globus);
    assert_ne!(first.header_value(), credential().await.header_value());
    let scope = Scope::transfer_data_access("6c54cade-bde5-45c1-bdea-f4bd71dba2cc").to_string();
    answer_challenge(&app, &globus, consent(&scope))
        .await
        .expect("a credential");
    assert_eq!(globus.counts().client_grants, 3);
    assert_eq!(requests_of(&globus, RequestKind::Authorize), 0);
    assert!(!format!("{app:?}").contains(globus.client_secret()));

    let wrong = GlobusApp::confidential(globus.confidential_client_id().to_string(), "wr0ng")
        .auth_url(globus.auth_url());
    let error = wrong
        .build()
        .expect("an app")
        .login()
        .await
        .expect_err("another secret");
    assert_says(&error, "invalid_client", &["wr0ng"]);
}
