//! Requests of web pages: CORS.

use reqwest::Method;

use crate::support::{Fixture, send};

#[checks::test]
async fn page_of_another_origin_may_read_responses() {
    let fixture = Fixture::open().await;
    let path = fixture.operation("ls");
    for url in [
        fixture.url(&path),
        fixture.url("v2/oauth2/token"),
        format!(
            "{}v2/groups/my_groups",
            fixture.globus.service_url("groups").expect("a URL")
        ),
    ] {
        let asked = fixture.http.request(Method::OPTIONS, &url);
        let asked = asked
            .header("origin", "http://localhost:3000")
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "authorization");
        let asked = send(asked).await;
        assert_eq!(asked.status(), 204, "{url}");
        assert_eq!(asked.headers()["access-control-allow-origin"], "*");
        assert_eq!(
            asked.headers()["access-control-allow-headers"],
            "authorization"
        );
    }
    let request = fixture
        .http
        .get(fixture.url(&path))
        .bearer_auth(fixture.token());
    let answered = send(request.header("origin", "http://localhost:3000")).await;
    assert_eq!(answered.status(), 200);
    assert_eq!(answered.headers()["access-control-allow-origin"], "*");
    let plain = fixture.ls(&fixture.token(), "").await;
    assert!(!plain.headers().contains_key("access-control-allow-origin"));
}

#[checks::test]
async fn page_cannot_preflight_the_control_plane() {
    let fixture = Fixture::open().await;
    let asked = fixture
        .http
        .request(Method::OPTIONS, fixture.url("_fake/reset"));
    let asked = asked
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "POST");
    let rejected = send(asked).await;
    assert!(!rejected.status().is_success());
    assert!(
        !rejected
            .headers()
            .contains_key("access-control-allow-origin")
    );
}
