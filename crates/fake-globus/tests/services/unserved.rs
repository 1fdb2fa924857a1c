//! Calls that are not served, and malformed requests.

use serde_json::json;

use crate::support::{Fixture, json as document_of, page, send, text};

#[checks::test]
async fn unserved_call_is_501_in_the_form_of_its_service() {
    let fixture = Fixture::open().await;
    for (service, path, code) in [
        ("transfer", "v0.10/endpoint_manager/task_list", "/code"),
        ("transfer", "nonsense", "/code"),
        ("auth", "v2/api/nonsense", "/errors/0/code"),
        ("groups", "v2/preferences", "/errors/0/code"),
        ("search", "v1/index/x/search", "/code"),
        ("flows", "registered_apis", "/error/code"),
        ("timer", "nonsense", "/error/code"),
        ("compute", "v2/nonsense", "/code"),
        ("gcs", "api/roles", "/code"),
        ("actions", "transfer/transfer", "/error"),
    ] {
        let url = fixture.globus.service_url(service).expect("a service");
        let response = send(fixture.http.get(format!("{url}{path}"))).await;
        assert_eq!(response.status(), 501, "{service}");
        let document = document_of(response).await;
        let code = text(&document, code).replace('_', "").to_lowercase();
        assert_eq!(code, "notimplemented", "{service}");
        let named = format!("GET /{path} of the service \\\"{service}\\\"");
        assert!(document.to_string().contains(&named), "{document}");
    }
}

#[checks::test]
async fn page_of_the_web_application_is_501() {
    let fixture = Fixture::open().await;
    let url = fixture.globus.service_url("app").expect("a URL");
    let response = send(fixture.http.get(format!("{url}file-manager"))).await;
    assert_eq!(response.status(), 501);
    let said = page(response).await;
    assert!(said.contains("GET /file-manager"), "{said}");
}

#[checks::test]
async fn unserved_method_is_501_and_recorded() {
    let fixture = Fixture::open().await;
    let path = fixture.operation("ls");
    let response = send(fixture.http.delete(fixture.url(&path))).await;
    assert_eq!(response.status(), 501);
    let document = document_of(response).await;
    assert_eq!(document["resource"], json!(format!("/{path}")));
    let seen = fixture.globus.requests().pop().expect("a request");
    assert_eq!((seen.operation, seen.status), (None, 501));
}

#[checks::test]
async fn operation_is_named_as_in_the_sdk() {
    let fixture = Fixture::open().await;
    let token = fixture.token();
    fixture.ls(&token, "").await;
    fixture.get("v2/oauth2/userinfo", &token).await;
    let seen = fixture.globus.requests().into_iter();
    let operations: Vec<_> = seen.filter_map(|request| request.operation).collect();
    assert_eq!(operations, ["operation_ls", "userinfo"]);
}

#[checks::test]
async fn malformed_request_is_an_error_in_its_service_form() {
    let fixture = Fixture::open().await;
    let globus = &fixture.globus;
    let groups = globus.service_url("groups").expect("a service");
    let scope = "urn:globus:auth:scope:groups.api.globus.org:all";
    let token = globus.issue_token(&fixture.ada, scope).expect("a token");
    let group = format!("{groups}v2/groups/%FF");
    // The paths of the first two are not UTF-8, and the last one has no content type.
    for (request, status, code, expected) in [
        (
            fixture.http.get(fixture.url("v0.10/task/%FF")),
            400,
            "/code",
            "BadRequest",
        ),
        (
            fixture.http.get(group),
            400,
            "/errors/0/code",
            "BAD_REQUEST",
        ),
        (
            fixture
                .http
                .post(fixture.url("v2/oauth2/token"))
                .body("a=b"),
            415,
            "/errors/0/code",
            "UNSUPPORTED_MEDIA_TYPE",
        ),
    ] {
        let bearer = match code {
            "/code" => fixture.token(),
            _ => token.clone(),
        };
        let response = send(request.bearer_auth(bearer)).await;
        assert_eq!(response.status(), status, "{expected}");
        assert_eq!(text(&document_of(response).await, code), expected);
    }
}

#[checks::test]
async fn unreadable_body_is_422_in_the_form_of_its_service() {
    let fixture = Fixture::open().await;
    for (service, path, scope, code) in [
        (
            "groups",
            "v2/groups",
            "urn:globus:auth:scope:groups.api.globus.org:all",
            "/errors/0/code",
        ),
        (
            "timer",
            "v2/timer",
            "https://auth.globus.org/scopes/524230d7-ea86-4a52-8312-86065a9e0417/timer",
            "/error/code",
        ),
        (
            "compute",
            "v2/functions",
            "https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all",
            "/code",
        ),
    ] {
        let url = fixture.globus.service_url(service).expect("a service");
        let token = fixture.globus.issue_token(&fixture.ada, scope);
        let request = fixture.http.post(format!("{url}{path}"));
        let request = request.bearer_auth(token.expect("a token")).body("{");
        let response = send(request).await;
        assert_eq!(response.status(), 422, "{service}");
        let document = document_of(response).await;
        assert_eq!(text(&document, code), "UNPROCESSABLE_ENTITY", "{service}");
    }
}
