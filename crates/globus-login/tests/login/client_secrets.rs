//! Client secrets with characters that a form and a URL escape.

use checks::sample::assert_no_violation;
use fake_globus::{Config, FakeGlobus, FakeGlobusBuilder, Identity, Person, RequestKind};
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Challenge, Credential, Principal, Reauthenticator, Target};
use globus_login::GlobusApp;
use serde_json::json;

use crate::support::{
    Browser, TRANSFER_ALL, app, assert_says, confidential, held, logged_in, requests_of, target,
};

const SECRET: &str = "a:b%41+c d/ü=&\"";

/// A Globus with Ada, Bob and a confidential client with [`SECRET`].
async fn globus() -> FakeGlobus {
    let config = json!({
        "person": {"login": "approve"},
        "identities": [{"username": "ada@uchicago.edu"}, {"username": "bob@anl.gov"}],
        "clients": [{
            "id": "c0c0c0c0-0000-4000-8000-000000000000", "name": "Portal", "secret": SECRET,
        }],
    });
    let config: Config = serde_json::from_value(config).expect("a configuration");
    let globus = FakeGlobusBuilder::from(config).start().await;
    globus.expect("a server")
}

#[checks::test]
async fn client_with_any_secret_logs_in_and_out() {
    let globus = globus().await;
    assert_eq!(globus.client_secret(), SECRET);
    let app = logged_in(confidential(&globus)).await;
    let transfer = target(globus.transfer_url());
    assert!(held(&app, &transfer).await.is_some());
    assert!(app.logout().await.expect("told"));
    assert!(requests_of(&globus, RequestKind::Revoke) > 0);
    assert_no_violation(&globus);
}

#[checks::test]
async fn client_with_any_secret_can_introspect() {
    let globus = globus().await;
    let of_bob = globus.issue_token(&Identity::new("bob", "anl.gov"), TRANSFER_ALL);
    let of_bob = of_bob.expect("a token");
    let credential = Credential::bearer(&of_bob).expect("a token");
    let transfer = target(globus.transfer_url());
    let target = Target::new(transfer.origin().clone(), Principal::Presented(credential));
    let required = AuthorizationParameters::default();
    let challenge = Challenge::new(target, Gare::new("AuthorizationRequired", required));
    globus.set_person(Person::automatic().picks("ada@uchicago.edu"));

    let portal = GlobusApp::user(globus.confidential_client_id().to_string())
        .client_secret(globus.client_secret())
        .auth_url(globus.auth_url())
        .resource_server_for(globus.transfer_url(), "transfer.api.globus.org")
        .prompt(Browser::redirected());
    let portal = portal.build().expect("an app");
    let answered = portal.reauthenticate(&challenge).await;
    assert_says(
        &answered.expect_err("Ada is not Bob"),
        "token of another person",
        &[&of_bob, SECRET],
    );
    // A client without a secret may not introspect.
    let native = app(&globus, &Browser::redirected()).build();
    let answered = native.expect("an app").reauthenticate(&challenge).await;
    answered.expect("nothing is known of the token");
    assert_no_violation(&globus);
}
