//! Collections: which token their servers get, and which collection a server is believed to be of.

use globus_gare::reauth::{GareOptions, Principal, Reauthenticator};
use globus_login::{GlobusApp, MemoryStore};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::collection::*;
use crate::support::endpoint::*;
use crate::support::*;

const OTHER: &str = "d3a2c3f0-0000-4000-8000-000000000000";

/// The scopes that the last login asked for.
fn asked_for(browser: &Browser) -> String {
    let last = browser.logins() - 1;
    browser.parameter(last, "scope").unwrap_or_default()
}

#[checks::test]
async fn verified_collection_gets_its_own_token_by_one_login() {
    let server = Server::start().await;
    let globus = knowing(mapped(&server.url)).await;
    let browser = Browser::redirected();
    let app = logged_in(app_at(&globus).prompt(browser.clone())).await;
    let client = client_of(&app, &server);
    for _ in 0..2 {
        assert_eq!(get_file(&client, &server).await.0, 200);
    }
    assert_eq!(
        server.heard(),
        ["", "Bearer given-https", "Bearer given-https"]
    );
    assert_eq!(browser.logins(), 2, "the first one was the program's own");
    let asked = asked_for(&browser);
    assert!(
        asked.contains(HTTPS) && asked.contains(DATA_ACCESS),
        "{asked}"
    );

    // Another client finds the token without a login.
    let target = server.target().with_collection(COLLECTION);
    let found = held(&app, &target).await.expect("a token");
    assert_eq!(bearer(&found), "given-https");
    assert_eq!(found.collection(), Some(COLLECTION));
}

#[checks::test]
async fn collection_that_is_named_elsewhere_gets_nothing() {
    let server = Server::start().await;
    for https_server in [
        json!("https://g-1.data.globus.org"),
        json!("nothing"),
        Value::Null,
    ] {
        let mut document = mapped("");
        document["https_server"] = https_server;
        let globus = knowing(document).await;
        let browser = Browser::redirected();
        let app = logged_in(app_at(&globus).prompt(browser.clone())).await;
        let client = client_of(&app, &server);
        assert_eq!(get_file(&client, &server).await.0, 302);
        assert_eq!(browser.logins(), 1, "the program's own");
    }
    assert!(server.heard().iter().all(String::is_empty));
}

/// Globus Transfer is asked with the token that there is; without one nobody logs in for that.
#[checks::test]
async fn collection_is_not_believed_without_a_token_for_transfer() {
    let server = Server::start().await;
    let globus = knowing(mapped(&server.url)).await;
    let browser = Browser::redirected();
    let app = app_at(&globus).prompt(browser.clone()).build();
    let client = client_of(&app.expect("an app"), &server);
    assert_eq!(get_file(&client, &server).await.0, 302);
    assert_eq!((browser.logins(), globus.requests().len()), (0, 0));
}

/// A portal has no login of its own.
#[checks::test]
async fn collection_is_verified_with_the_token_of_the_user() {
    let server = Server::start().await;
    let globus = knowing(mapped(&server.url)).await;
    let app = app_at(&globus).build().expect("an app");
    let ada = Principal::Named("ada".into());
    app.for_user(&ada).login().await.expect("a login");
    let client = client_of(&app, &server);
    for (name, status) in [("bob", 302), ("ada", 200)] {
        let request = http::Request::get(format!("{}/file", server.url))
            .extension(GareOptions::new().principal(name))
            .body(http_body_util::Full::<bytes::Bytes>::default());
        let response = client.clone().oneshot(request.expect("a request")).await;
        assert_eq!(response.expect("an answer").status(), status, "{name}");
    }
    assert_eq!(server.heard(), ["", "", "Bearer given-https"]);
}

#[checks::test]
async fn named_collection_needs_no_word_of_transfer() {
    let server = Server::start().await;
    let globus = Endpoint::always(answer(200, &login_with_https())).await;
    let browser = Browser::redirected();
    let app = app_at(&globus)
        .prompt(browser.clone())
        .collection(&server.url, COLLECTION)
        .build()
        .expect("an app");
    let client = client_of(&app, &server);
    assert_eq!(get_file(&client, &server).await.0, 200);
    assert_eq!(browser.logins(), 1);
    let asked = asked_for(&browser);
    assert!(
        asked.contains(HTTPS) && !asked.contains(DATA_ACCESS),
        "{asked}"
    );
    for (id, expected) in [(COLLECTION, true), (OTHER, false)] {
        let serves = app.serves_collection(&server.target(), id).await;
        assert_eq!(serves.expect("an answer"), expected, "{id}");
    }
}

#[checks::test]
async fn only_a_mapped_collection_without_high_assurance_takes_data_access() {
    let server = Server::start().await;
    for (entity_type, high_assurance, expected) in [
        (json!("GCSv5_mapped_collection"), json!(false), true),
        (json!("GCSv5_mapped_collection"), json!(true), false),
        (json!("GCSv5_mapped_collection"), Value::Null, false),
        (json!("GCSv5_guest_collection"), json!(false), false),
        (Value::Null, json!(false), false),
    ] {
        let mut document = mapped(&server.url);
        document["entity_type"] = entity_type;
        document["high_assurance"] = high_assurance;
        let globus = knowing(document.clone()).await;
        let browser = Browser::redirected();
        let app = logged_in(app_at(&globus).prompt(browser.clone())).await;
        let client = client_of(&app, &server);
        assert_eq!(get_file(&client, &server).await.0, 200);
        let asked = asked_for(&browser);
        assert_eq!(asked.contains(DATA_ACCESS), expected, "{document}");
    }
}

/// The token of a collection goes to its server alone, and no other goes there.
#[checks::test]
async fn token_of_a_collection_is_for_its_server_alone() {
    let store = MemoryStore::new();
    for server in [AUTH_SERVER, TRANSFER_SERVER, COLLECTION, OTHER] {
        keep(&store, stored(server, server, true)).await;
    }
    let app = GlobusApp::user(CLIENT)
        .auth_url("https://auth.globus.org")
        .collection("g-1.data.globus.org", COLLECTION)
        .collection("https://files.example.edu:8443", OTHER)
        .store(store);
    let app = app.build().expect("an app");
    for (origin, token) in [
        ("https://g-1.data.globus.org", Some(COLLECTION)),
        ("https://files.example.edu:8443", Some(OTHER)),
        ("https://files.example.edu", None),
        ("http://g-1.data.globus.org", None),
        ("https://g-2.data.globus.org", None),
    ] {
        let held = held(&app, &target(origin)).await;
        assert_eq!(held.as_ref().map(bearer).as_deref(), token, "{origin}");
        let collection = held.as_ref().and_then(|held| held.collection());
        assert_eq!(collection, token, "{origin}");
    }
    let transfer = held(&app, &target("https://transfer.api.globus.org")).await;
    let transfer = transfer.expect("a token");
    assert_eq!(
        (bearer(&transfer).as_str(), transfer.collection()),
        (TRANSFER_SERVER, None)
    );
    // The program's word stands above the session's.
    let other = target("https://g-1.data.globus.org").with_collection(OTHER);
    assert_eq!(
        held(&app, &other).await.expect("one").collection(),
        Some(COLLECTION)
    );
}

#[checks::test]
fn collection_that_cannot_be_named_is_a_setup_error() {
    for (host, id, says) in [
        ("http://files.example.edu", COLLECTION, "plain http"),
        ("https://a@files.example.edu", COLLECTION, "cannot be used"),
        ("", COLLECTION, "cannot be used"),
        ("files.example.edu", "", "no id"),
        ("files.example.edu", "a b", "no id"),
        ("files.example.edu", "../x", "no id"),
    ] {
        let app = GlobusApp::user(CLIENT).collection(host, id).build();
        let error = app.expect_err(host).to_string();
        assert!(error.contains(says), "{host} {id}: {error}");
    }
}
