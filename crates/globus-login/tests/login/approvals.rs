//! Required scopes: which a login asks for, and which only after the person allows them.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Challenge, Credential, Principal, ReauthError, Reauthenticator};
use globus_login::{LoginPrompt, LoginReply, LoginRequest};

use crate::support::collection::{COLLECTION, HTTPS, login_with_https};
use crate::support::endpoint::*;
use crate::support::*;

const GROUPS: &str = "urn:globus:auth:scope:groups.api.globus.org:all";
const DEPENDENT: &str = "urn:globus:auth:scope:transfer.api.globus.org:all[*https://auth.globus.org/scopes/x/data_access]";

/// Allows new scopes or not, and then logs in.
#[derive(Clone)]
struct Person {
    allows: bool,
    asked: Arc<Mutex<Vec<String>>>,
    browser: Browser,
}

impl Person {
    fn new(allows: bool) -> Self {
        Self {
            allows,
            asked: Arc::default(),
            browser: Browser::redirected(),
        }
    }

    /// The new scopes of each login that asked for them.
    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }

    /// The scopes of a login, counted from 0.
    fn scope(&self, login: usize) -> String {
        self.browser.parameter(login, "scope").expect("scopes")
    }
}

#[async_trait]
impl LoginPrompt for Person {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        self.browser.ask(request).await
    }

    async fn allows_new_scopes(&self, request: &LoginRequest) -> Result<bool, ReauthError> {
        let mut asked = self.asked.lock().expect("no panic");
        asked.push(request.new_scopes().to_string());
        Ok(self.allows)
    }
}

fn requiring(scopes: &[&str]) -> Challenge {
    let required = AuthorizationParameters::default().with_required_scopes(scopes.to_vec());
    Challenge::new(target(TRANSFER), Gare::new("ConsentRequired", required))
}

async fn answers(
    app: &globus_login::GlobusApp,
    scopes: &[&str],
) -> Result<Credential, ReauthError> {
    app.reauthenticate(&requiring(scopes)).await
}

#[checks::test]
async fn own_and_named_scopes_need_no_approval() {
    let globus = Endpoint::approving().await;
    let person = Person::new(false);
    let app = globus
        .app()
        .scopes([TRANSFER_ALL, "email"])
        .extra_scopes(["profile"])
        .scopes_may_be_required(|target, scope| {
            target.origin().host() == "transfer.example" && scope.name().ends_with("/run")
        })
        .prompt(person.clone())
        .build()
        .expect("an app");
    let run = "https://auth.globus.org/scopes/x/run";
    for scopes in [
        &["urn:globus:auth:scope:transfer.api.globus.org:gateway"][..],
        &[DEPENDENT],
        &["email profile", "openid"],
        &[run],
    ] {
        answers(&app, scopes).await.expect("a credential");
    }
    assert!(person.asked().is_empty(), "{:?}", person.asked());
    assert!(person.scope(3).contains(run));
}

#[checks::test]
async fn scopes_of_others_need_approval() {
    let globus = Endpoint::approving().await;
    let person = Person::new(false);
    let app = globus.app().prompt(person.clone()).build().expect("an app");
    for scopes in [
        GROUPS,
        "email",
        "x:y",
        "https://auth.globus.org/scopes/transfer.api.globus.org.evil/all",
        "https://auth.globus.org/scopes/x/transfer.api.globus.org",
        // Only the dependency is a known scope.
        "https://auth.globus.org/scopes/x/run[urn:globus:auth:scope:transfer.api.globus.org:all]",
    ] {
        let error = answers(&app, &[TRANSFER_ALL, scopes]).await;
        let error = error.expect_err("nobody allows it");
        assert!(error.is_declined(), "{scopes}");
        assert_says(&error, scopes, &[]);
        assert_eq!(person.asked().pop().as_deref(), Some(scopes));
    }
    assert_eq!(person.browser.logins(), 0, "no page was opened");

    // The default prompt allows nothing, and `begin_login` has nobody to ask.
    let browser = Browser::redirected();
    let app = globus.app().prompt(browser.clone()).build();
    let app = app.expect("an app");
    let error = answers(&app, &[GROUPS]).await;
    assert!(error.expect_err("nobody allows it").is_declined());
    let challenge = requiring(&[GROUPS]);
    let pending = app.begin_login(&Principal::Session, Some(&challenge));
    assert_says(&pending.await.expect_err("nobody allows it"), GROUPS, &[]);
    assert_eq!((browser.logins(), globus.requests().len()), (0, 0));
}

/// A dependency of a collection's scope would give its owner a token for another service.
#[checks::test]
async fn collection_may_require_only_its_own_scopes() {
    let globus = Endpoint::always(answer(200, &login_with_https())).await;
    let person = Person::new(false);
    let app = globus.app().prompt(person.clone()).build().expect("an app");
    let answers = async |scope: &str| {
        let required = AuthorizationParameters::default().with_required_scopes([scope]);
        let target = target("https://g-1.data.globus.org").with_collection(COLLECTION);
        let gare = Gare::new("ConsentRequired", required);
        app.reauthenticate(&Challenge::new(target, gare)).await
    };
    for more in [
        TRANSFER_ALL,
        "*https://auth.globus.org/scopes/x/data_access",
        "email",
    ] {
        let error = answers(&format!("{HTTPS}[{more}]")).await;
        assert!(error.expect_err("nobody allows it").is_declined(), "{more}");
    }
    assert_eq!((person.asked().len(), person.browser.logins()), (3, 0));
    answers(HTTPS).await.expect("a credential");
}

#[checks::test]
async fn scope_that_looks_like_another_is_declined_unasked() {
    let globus = Endpoint::approving().await;
    let person = Person::new(true);
    let app = globus.app().prompt(person.clone()).build().expect("an app");
    // The last one would be cut, so that its end is not shown.
    let long = format!("urn:x:all[{} {GROUPS}]", "a".repeat(300));
    for scope in [
        "urn:x:\u{200b}all",
        "urn:x:\u{430}ll",
        "urn:x:a\u{1b}ll",
        &long,
    ] {
        let error = answers(&app, &[scope]).await.expect_err("no scope");
        assert!(error.is_declined() && !logged(&error).contains('\u{1b}'));
    }
    assert_eq!((person.asked().len(), person.browser.logins()), (0, 0));
}

#[checks::test]
async fn confidential_app_cannot_allow_new_scopes() {
    let globus = Endpoint::approving().await;
    let app = globus_login::GlobusApp::confidential(CLIENT, "secret")
        .auth_url(&globus.url)
        .resource_server_for(TRANSFER, TRANSFER_SERVER);
    let app = app.build().expect("an app");
    let error = answers(&app, &[GROUPS])
        .await
        .expect_err("nobody allows it");
    assert_says(&error, "scopes_may_be_required", &["secret"]);
    assert!(globus.requests().is_empty());
}

#[checks::test]
async fn allowed_scopes_are_asked_for_in_one_login_only() {
    let globus = Endpoint::approving().await;
    let person = Person::new(true);
    let app = globus.app().prompt(person.clone()).build().expect("an app");
    answers(&app, &[GROUPS, DEPENDENT]).await.expect("a login");
    assert_eq!(person.asked(), [GROUPS]);
    assert!(person.scope(0).contains(GROUPS));

    log_in_again(&app).await.expect("a login");
    let later = person.scope(1);
    assert!(
        later.contains(DEPENDENT) && !later.contains(GROUPS),
        "{later}"
    );

    // The next challenge asks again. The program itself need not ask.
    answers(&app, &[GROUPS]).await.expect("a login");
    assert_eq!(person.asked(), [GROUPS, GROUPS]);
    app.login_with(consent(GROUPS)).await.expect("a login");
    assert_eq!(person.asked().len(), 2);
    log_in_again(&app).await.expect("a login");
    assert!(person.scope(4).contains(GROUPS));
}
