//! The dependent token grant.

use fake_globus::Collection;
use reqwest::Response;
use serde_json::Value;

use crate::support::{ALL, Fixture, json as document_of, ok, send, text, texts};

const GROUPS: &str = "urn:globus:auth:scope:groups.api.globus.org:all";

/// A scope of the confidential client, which is the called service here.
fn own_scope(fixture: &Fixture) -> String {
    let id = fixture.globus.confidential_client_id();
    format!("https://auth.globus.org/scopes/{id}/action")
}

async fn ask(fixture: &Fixture, form: &[(&str, &str)]) -> Response {
    let grant_type = [("grant_type", "urn:globus:auth:grant_type:dependent_token")];
    let form: Vec<_> = grant_type.iter().chain(form).collect();
    let request = fixture.http.post(fixture.url("v2/oauth2/token"));
    send(fixture.as_confidential(request).form(&form)).await
}

/// A token for the called service, with consents to dependent scopes.
fn called_with(fixture: &Fixture, dependencies: &str) -> String {
    let scopes = format!("{}[{dependencies}]", own_scope(fixture));
    let token = fixture.globus.issue_token(&fixture.ada, &scopes);
    token.expect("a token")
}

#[checks::test]
async fn service_gets_tokens_for_consented_scopes() {
    let fixture = Fixture::open().await;
    let token = called_with(&fixture, &format!("{ALL} {GROUPS}"));
    let tokens = ok(ask(&fixture, &[("token", &token)]).await).await;
    let servers = texts(&tokens, "", "/resource_server");
    assert_eq!(
        servers,
        ["transfer.api.globus.org", "groups.api.globus.org"]
    );
    assert!(tokens[0].get("refresh_token").is_none());
    // The new tokens belong to the same user and session.
    let transfer = text(&tokens, "/0/access_token");
    assert_eq!(fixture.ls_status(transfer).await, 200);
    let about = ok(fixture.introspect(&[("token", transfer)]).await).await;
    assert_eq!(about["username"], "ada@uchicago.edu");
    let id = fixture.globus.confidential_client_id().to_string();
    assert_eq!(about["client_id"], id);

    let offline = [
        ("token", &*token),
        ("access_type", "offline"),
        ("scope", GROUPS),
    ];
    let tokens = ok(ask(&fixture, &offline).await).await;
    assert_eq!(texts(&tokens, "", "/scope"), [GROUPS]);
    assert!(tokens[0]["refresh_token"].is_string());
}

#[checks::test]
async fn missing_dependent_consents_are_named() {
    let fixture = Fixture::open().await;
    let token = called_with(&fixture, ALL);
    let issued = || {
        let dump: Value = serde_json::from_str(&fixture.globus.dump()).expect("JSON");
        dump["state"]["tokens"]
            .as_object()
            .map(serde_json::Map::len)
    };
    let before = issued();
    let both = format!("{ALL} {GROUPS}");
    let challenged = ask(&fixture, &[("token", &token), ("scope", &both)]).await;
    assert_eq!(challenged.status(), 403);
    assert_eq!(issued(), before, "no token is issued");
    let challenged = document_of(challenged).await;
    assert_eq!(challenged["error"], "dependent_consent_required");
    let found = globus_gare::gare::detect(challenged.to_string().as_bytes());
    let scopes = &found[0].gare.authorization_parameters.required_scopes;
    assert_eq!(scopes, &[GROUPS]);
}

#[checks::test]
async fn data_access_consent_counts_for_the_called_service() {
    let fixture = Fixture::new(Collection::data_access).await;
    let id = &fixture.collection;
    let data_access = format!("https://auth.globus.org/scopes/{id}/data_access");
    for (dependencies, status) in [
        (ALL.to_owned(), 403),
        (format!("{ALL}[*{data_access}]"), 200),
    ] {
        let token = called_with(&fixture, &dependencies);
        let tokens = ok(ask(&fixture, &[("token", &token)]).await).await;
        let transfer = text(&tokens, "/0/access_token");
        assert_eq!(fixture.ls_status(transfer).await, status);
    }
}

#[checks::test]
async fn token_of_another_service_is_rejected() {
    let fixture = Fixture::open().await;
    let revoked = called_with(&fixture, ALL);
    fixture.globus.revoke_token(&revoked);
    for token in [fixture.token(), revoked, "made-up".to_owned()] {
        let rejected = ask(&fixture, &[("token", &token)]).await;
        assert_eq!(rejected.status(), 400);
        assert_eq!(document_of(rejected).await["error"], "invalid_grant");
    }
    let native = [
        ("grant_type", "urn:globus:auth:grant_type:dependent_token"),
        ("client_id", &fixture.client_id()),
        ("token", &called_with(&fixture, ALL)),
    ];
    let rejected = fixture.post("v2/oauth2/token", &native).await;
    let rejected: Value = document_of(rejected).await;
    assert_eq!(rejected["error"], "unauthorized_client");
}
