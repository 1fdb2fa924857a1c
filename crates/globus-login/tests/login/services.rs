//! The resource server of a scope, and the token for an origin.

use checks::tokens::with;
use globus_gare::Environment;
use globus_gare::gare::Gare;
use globus_gare::reauth::{Challenge, Reauthenticator};
use globus_login::{GlobusApp, MemoryStore, StoredToken};
use serde_json::json;

use crate::support::endpoint::*;
use crate::support::*;

/// A token with this scope.
fn with_scope(server: &str, scope: &str) -> StoredToken {
    with(&stored(server, "kept", true), json!({"scope": scope}))
}

/// The app does not guess the resource server of a scope: any token that names the scope counts.
#[checks::test]
async fn scope_is_held_by_any_token_that_names_it() {
    let of_auth = "https://auth.globus.org/scopes/";
    let flows = format!("{of_auth}eec9b274-0c81-4334-bdc2-54e90e689b9a/manage_flows");
    let nameless = format!("{of_auth}nothing");
    for scope in [
        "email",
        TRANSFER_ALL,
        &flows,
        &nameless,
        "urn:globus:auth:scope:nothing",
        "https://elsewhere.example/scopes/x/y",
    ] {
        let is_logged_in = async |kept: &[(&str, &str)]| {
            let store = MemoryStore::new();
            keep(&store, with_scope(AUTH_SERVER, "openid")).await;
            for (server, scope) in kept {
                keep(&store, with_scope(server, scope)).await;
            }
            let app = GlobusApp::user(CLIENT)
                .auth_url("http://127.0.0.1:1")
                .scopes([scope, "openid"])
                .store(store)
                .build();
            let app = app.expect("an app");
            app.is_logged_in().await.expect("no error")
        };
        assert!(!is_logged_in(&[]).await, "{scope}");
        let both = format!("openid {scope}");
        for server in [AUTH_SERVER, TRANSFER_SERVER, "any"] {
            assert!(is_logged_in(&[(server, &both)]).await, "{scope}");
            // A longer scope is a different one.
            let longer = format!("openid {scope}more");
            assert!(!is_logged_in(&[(server, &longer)]).await, "{scope}");
        }
    }
}

#[checks::test]
async fn origin_gets_the_token_of_its_resource_server() {
    let store = MemoryStore::new();
    for server in [
        AUTH_SERVER,
        TRANSFER_SERVER,
        "groups.api.globus.org",
        "search.api.globus.org",
        "flows.globus.org",
        "524230d7-ea86-4a52-8312-86065a9e0417",
        "funcx_service",
        "one",
        "two",
        "nexus.api.globus.org",
        "data.example.edu",
        "searchxapi.globus.org",
    ] {
        keep(&store, stored(server, server, true)).await;
    }
    let app = GlobusApp::user(CLIENT)
        .auth_url("https://auth.globus.org")
        .resource_server_for("http://127.0.0.1:8080", TRANSFER_SERVER)
        .resource_server_for("https://data.example.edu", "one")
        .resource_server_for("https://data.example.edu/path", "two")
        .store(store)
        .build();
    let app = app.expect("an app");
    let environment = Environment::from_env();
    let url = |service| environment.service_url(service).expect("a URL");
    let services = ["transfer", "groups", "search", "flows", "timer", "compute"].map(url);
    for (origin, server) in [
        ("https://auth.globus.org", Some(AUTH_SERVER)),
        (&services[0], Some(TRANSFER_SERVER)),
        (&services[1], Some("groups.api.globus.org")),
        (&services[2], Some("search.api.globus.org")),
        (&services[3], Some("flows.globus.org")),
        (&services[4], Some("524230d7-ea86-4a52-8312-86065a9e0417")),
        (&services[5], Some("funcx_service")),
        ("http://127.0.0.1:8080/v0.10/", Some(TRANSFER_SERVER)),
        // The last call counts.
        ("https://data.example.edu", Some("two")),
        (
            "https://nexus.api.globus.org/x",
            Some("nexus.api.globus.org"),
        ),
        ("http://127.0.0.1:8081", None),
        ("https://127.0.0.1:8080", None),
        ("https://evil.example", None),
        ("https://data.example.edu:444", None),
        ("http://nexus.api.globus.org", None),
        ("https://nexus.api.globus.org:8443", None),
        ("https://searchxapi.globus.org", None),
        ("https://nexus.api.globus.org.evil.example", None),
    ] {
        let sent = held(&app, &target(origin)).await;
        let sent = sent.as_ref().map(bearer);
        assert_eq!(sent.as_deref(), server, "{origin}");
    }
}

#[checks::test]
async fn invalid_variable_is_an_error_where_it_is_used() {
    let environment = Environment::from_variables([
        ("GLOBUS_SDK_SERVICE_URL_AUTH", "http://127.0.0.1:1"),
        ("GLOBUS_SDK_SERVICE_URL_TRANSFER", "http://127.0.0.1:8080"),
        ("GLOBUS_SDK_SERVICE_URL_SEARCH", "x"),
    ]);
    let store = MemoryStore::new();
    for server in [TRANSFER_SERVER, "search.api.globus.org"] {
        keep(&store, stored(server, server, true)).await;
    }
    let app = GlobusApp::user(CLIENT)
        .environment(environment)
        .store(store);
    let app = app.build().expect("the program may not use Search");
    let sent = held(&app, &target("http://127.0.0.1:8080")).await;
    assert_eq!(sent.as_ref().map(bearer).as_deref(), Some(TRANSFER_SERVER));
    // The URL of Search is not known: its token is sent nowhere.
    let search = target("https://search.api.globus.org");
    assert!(held(&app, &search).await.is_none());
    let gare = Gare::new("AuthorizationRequired", Default::default());
    let error = app.reauthenticate(&Challenge::new(search, gare)).await;
    let error = error.expect_err("no URL");
    assert_says(&error, "GLOBUS_SDK_SERVICE_URL_SEARCH is not", &[]);
}
