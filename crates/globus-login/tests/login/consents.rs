//! Consents, and requirements that the app completes before a login.

use fake_globus::{Person, RequestKind};
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Challenge, Reauthenticator};
use globus_login::MemoryStore;

use crate::support::endpoint::*;
use crate::support::*;

const DATA_ACCESS: &str =
    "https://auth.globus.org/scopes/6c54cade-bde5-45c1-bdea-f4bd71dba2cc/data_access";

#[checks::test]
async fn consents_of_another_program_are_looked_up() {
    let globus = globus(Person::automatic()).await;
    let mapped = format!("{TRANSFER_ALL}[*{DATA_ACCESS}]");
    for (of_other, of_this, logins) in [
        (mapped.as_str(), mapped.as_str(), 1),
        (TRANSFER_ALL, &mapped, 2),
        (&mapped, TRANSFER_ALL, 1),
    ] {
        globus.reset();
        let (browser, store) = (Browser::redirected(), MemoryStore::new());
        let app = |scope: &str| app(&globus, &browser).store(store.clone()).scopes([scope]);
        logged_in(app(of_other)).await;
        forget_record(&store, &globus).await;
        let this = app(of_this).build().expect("an app");
        for _ in 0..2 {
            this.login().await.expect("a login");
            assert_eq!(browser.logins(), logins, "{of_other} {of_this}");
        }
        // The result is recorded.
        assert!(this.is_logged_in().await.expect("a store"));
        let asked = globus.requests().into_iter();
        let asked = asked.filter(|it| it.path.ends_with("/consents")).count();
        assert_eq!(asked, usize::from(of_this != TRANSFER_ALL));
        assert_no_violation(&globus);
    }
}

#[checks::test]
async fn login_runs_if_consents_cannot_be_looked_up() {
    let mut given = login("given");
    given["scope"] = TRANSFER_ALL.into();
    given["other_tokens"][0]["scope"] = "openid".into();
    for status in [403, 503] {
        let given = given.clone();
        let endpoint = Endpoint::start(move |request| {
            let is_api = request.path.starts_with("/v2/api/");
            let status = if is_api { status } else { 200 };
            std::future::ready(answer(status, &given))
        });
        let (endpoint, store) = (endpoint.await, MemoryStore::new());
        let browser = Browser::redirected();
        let app = |scopes: &str| {
            let app = endpoint.app().store(store.clone()).scopes([scopes]);
            app.prompt(browser.clone()).build().expect("an app")
        };
        app(TRANSFER_ALL).login().await.expect("a login");
        let mapped = format!("{TRANSFER_ALL}[*{DATA_ACCESS}]");
        app(&mapped).login().await.expect("a login");
        assert_eq!(browser.logins(), 2, "{status}");
        assert_eq!(
            endpoint
                .requests()
                .iter()
                .filter(|it| it.path.ends_with("/consents"))
                .count(),
            1
        );
    }
}

#[checks::test]
async fn mfa_requirement_is_sent_with_an_identity() {
    let globus = globus(Person::automatic()).await;
    let browser = Browser::redirected();
    let app = logged_in(app(&globus, &browser)).await;
    let required = AuthorizationParameters::default().with_session_required_mfa(true);
    let answered = answer_challenge(&app, &globus, required.clone()).await;
    answered.expect("a login");
    let identities = browser.parameter(1, "session_required_identities");
    let ada = fake_globus::Identity::new("ada", "uchicago.edu").id();
    assert_eq!(identities, Some(ada.to_string()));
    // A requirement that names a domain stays as it is.
    let named = required
        .clone()
        .with_session_required_single_domain(["uchicago.edu"]);
    let answered = answer_challenge(&app, &globus, named).await;
    answered.expect("a login");
    assert_eq!(browser.parameter(2, "session_required_identities"), None);
    assert_no_violation(&globus);
}

#[checks::test]
async fn login_adds_the_default_scope_of_the_challenger() {
    let globus = globus(Person::automatic()).await;
    let browser = Browser::redirected();
    let app = logged_in(app(&globus, &browser).scopes(["openid"])).await;
    assert!(held(&app, &target(globus.transfer_url())).await.is_none());
    let required = AuthorizationParameters::default().with_prompt("login");
    let answered = answer_challenge(&app, &globus, required).await;
    answered.expect("a token for Transfer");
    let scope = browser.parameter(1, "scope").expect("scopes");
    assert_eq!(scope, format!("openid {TRANSFER_ALL}"));
    assert_eq!(requests_of(&globus, RequestKind::Authorize), 2);
    assert_no_violation(&globus);
}

/// The default scope of a service is added only if no scope of the service is required.
#[checks::test]
async fn required_scope_replaces_the_default_scope() {
    let endpoint = Endpoint::approving().await;
    let groups = "urn:globus:auth:scope:groups.api.globus.org:";
    for (required, asked) in [("", "view_my_groups_and_memberships"), ("all", "all")] {
        let browser = Browser::redirected();
        let app = endpoint.app().scopes(["openid"]).prompt(browser.clone());
        let app = app.build().expect("an app");
        let scopes = (!required.is_empty()).then(|| format!("{groups}{required}"));
        let required = AuthorizationParameters::default()
            .with_prompt("login")
            .with_required_scopes(scopes);
        let gare = Gare::new("AuthorizationRequired", required);
        let challenge = Challenge::new(target("https://groups.api.globus.org"), gare);
        // This Globus Auth gives no token for Groups.
        let error = app.reauthenticate(&challenge).await.expect_err("no token");
        assert_says(&error, "brought no token for groups.api.globus.org", &[]);
        let scope = browser.parameter(0, "scope");
        assert_eq!(scope, Some(format!("openid {groups}{asked}")));
    }
}
