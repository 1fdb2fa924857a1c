//! Collections: which token a server gets, and how its collection is verified.

use fake_globus::{Collection, RequestKind};
use globus_gare::reauth::{GareOptions, Principal, Reauthenticator};
use globus_login::{GlobusApp, MemoryStore};
use serde_json::{Value, json};

use crate::support::collection::*;
use crate::support::endpoint::*;
use crate::support::*;

const OTHER: &str = "d3a2c3f0-0000-4000-8000-000000000000";

/// The scopes that the last login asked for.
fn asked_for(browser: &Browser) -> String {
    let last = browser.logins() - 1;
    browser.parameter(last, "scope").unwrap_or_default()
}

/// A collection with one file, and its HTTPS server.
async fn site(collection: impl FnOnce(Collection) -> Collection) -> (Sample, String) {
    let sample = Sample::guarded(collection).await;
    sample.write("file", "the file");
    let server = sample.https_server().await;
    (sample, server)
}

/// The statuses of the answers of the collections' servers.
fn answered(sample: &Sample) -> Vec<u16> {
    let seen = sample.globus.requests().into_iter();
    let seen = seen.filter(|seen| seen.operation == Some("https_get"));
    seen.map(|seen| seen.status).collect()
}

/// The number of requests for a collection's document.
fn documents(sample: &Sample) -> usize {
    requests_of(&sample.globus, RequestKind::OtherTransfer)
}

#[checks::test]
async fn verified_collection_gets_its_own_token_in_one_login() {
    let (sample, server) = site(Collection::data_access).await;
    let (id, browser) = (sample.collection.to_string(), Browser::redirected());
    let app = logged_in(app(&sample.globus, &browser)).await;
    let client = client_of(&app, &server);
    for _ in 0..2 {
        assert_eq!(get_file(&client, &server).await, 200);
    }
    assert_eq!(answered(&sample), [302, 200, 200]);
    assert_eq!(browser.logins(), 2, "the first one was the program's own");
    let asked = asked_for(&browser);
    for scope in ["https", "data_access"] {
        let scope = format!("https://auth.globus.org/scopes/{id}/{scope}");
        assert!(asked.contains(&scope), "{asked}");
    }

    // Another client finds the token without a login.
    let target = target(&server).with_collection(id.as_str());
    let found = held(&app, &target).await.expect("a token");
    assert_eq!(found.collection(), Some(id.as_str()));
    assert_no_violation(&sample.globus);
}

#[checks::test]
async fn server_that_its_document_does_not_name_gets_nothing() {
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
        let client = client_of(&app, &server.url);
        assert_eq!(get_file(&client, &server.url).await, 302);
        assert_eq!(browser.logins(), 1, "the program's own");
    }
    assert!(server.heard().iter().all(String::is_empty));
}

/// Verifying a collection starts no login.
#[checks::test]
async fn collection_is_not_trusted_without_a_transfer_token() {
    let (sample, server) = site(|collection| collection).await;
    let (before, browser) = (documents(&sample), Browser::redirected());
    let app = app(&sample.globus, &browser).build().expect("an app");
    assert_eq!(get_file(&client_of(&app, &server), &server).await, 302);
    assert_eq!((browser.logins(), documents(&sample)), (0, before));
}

/// A portal has no login of its own.
#[checks::test]
async fn collection_is_verified_with_the_token_of_the_user() {
    let (sample, server) = site(|collection| collection).await;
    let app = app(&sample.globus, &Browser::redirected()).build();
    let app = app.expect("an app");
    let ada = Principal::Named("ada".into());
    app.for_user(&ada).login().await.expect("a login");
    let client = client_of(&app, &server);
    for (name, status) in [("bob", 302), ("ada", 200)] {
        let options = GareOptions::new().principal(name);
        assert_eq!(get_as(&client, &server, options).await, status, "{name}");
    }
    assert_eq!(answered(&sample), [302, 302, 200]);
    assert_no_violation(&sample.globus);
}

#[checks::test]
async fn named_collection_is_not_verified_at_transfer() {
    let (sample, server) = site(|collection| collection).await;
    let (before, browser) = (documents(&sample), Browser::redirected());
    let id = &sample.collection.to_string();
    let app = app(&sample.globus, &browser).collection(&server, id);
    let app = app.build().expect("an app");
    assert_eq!(get_file(&client_of(&app, &server), &server).await, 200);
    assert_eq!((browser.logins(), documents(&sample)), (1, before));
    let asked = asked_for(&browser);
    assert!(
        asked.contains("/https") && !asked.contains("data_access"),
        "{asked}"
    );
    for (id, expected) in [(id.as_str(), true), (OTHER, false)] {
        let serves = app.serves_collection(&target(&server), id).await;
        assert_eq!(serves.expect("an answer"), expected, "{id}");
    }
}

#[checks::test]
async fn only_plain_mapped_collections_need_data_access() {
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
        let client = client_of(&app, &server.url);
        assert_eq!(get_file(&client, &server.url).await, 200);
        let asked = asked_for(&browser);
        assert_eq!(asked.contains(DATA_ACCESS), expected, "{document}");
    }
}

/// A collection's server also gets no other token.
#[checks::test]
async fn token_of_a_collection_goes_to_its_server_only() {
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
    // The collection that the program named counts, not that of the session.
    let other = target("https://g-1.data.globus.org").with_collection(OTHER);
    assert_eq!(
        held(&app, &other).await.expect("one").collection(),
        Some(COLLECTION)
    );
}

#[checks::test]
fn invalid_host_or_id_of_a_collection_is_a_setup_error() {
    for (host, id, says) in [
        ("http://files.example.edu", COLLECTION, "plain http"),
        ("https://a@files.example.edu", COLLECTION, "is not a host"),
        ("", COLLECTION, "is not a host"),
        ("files.example.edu", "", "not the id"),
        ("files.example.edu", "a b", "not the id"),
        ("files.example.edu", "../x", "not the id"),
    ] {
        let app = GlobusApp::user(CLIENT).collection(host, id).build();
        let error = app.expect_err(host).to_string();
        assert!(error.contains(says), "{host} {id}: {error}");
    }
}
