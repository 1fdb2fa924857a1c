//! Errors of the setup.

use axum::Router;
use axum::routing::get;
use globus_login::web::{WebError, WebLogins, WebUser};
use globus_login::{GlobusApp, Sealer};
use http::StatusCode;

use super::service::*;

fn logins(site: &str, redirect_uri: &str) -> Result<WebLogins, String> {
    let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000").redirect_uri(redirect_uri);
    let app = app.build().expect("an app");
    WebLogins::new(app, Sealer::random(), site).map_err(|error| error.to_string())
}

#[checks::test]
fn redirect_uri_has_to_be_on_the_site() {
    for (site, redirect_uri) in [
        (SITE, "https://data.example.edu/callback"),
        (
            "https://data.example.edu:443/",
            "https://data.example.edu/a/b",
        ),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/callback"),
        ("http://[::1]:8080", "http://[::1]:8080/callback"),
        ("http://localhost:1", "http://localhost:1/callback"),
    ] {
        let made = logins(site, redirect_uri);
        assert!(made.is_ok(), "{site} {redirect_uri} {made:?}");
    }
    for (site, redirect_uri, says) in [
        ("", "https://a.example/callback", "the site"),
        ("data.example.edu", "https://a.example/callback", "the site"),
        ("http://a.example", "http://a.example/callback", "the site"),
        (
            "https://a.example/portal",
            "https://a.example/callback",
            "the site",
        ),
        (
            "https://a.example/?x",
            "https://a.example/callback",
            "the site",
        ),
        (
            "https://me@a.example",
            "https://a.example/callback",
            "the site",
        ),
        ("ftp://a.example", "ftp://a.example/callback", "the site"),
        (
            "https://a.example",
            "https://b.example/callback",
            "redirect_uri",
        ),
        (
            "https://a.example",
            "http://a.example/callback",
            "redirect_uri",
        ),
        (
            "https://a.example",
            "https://a.example:8443/callback",
            "redirect_uri",
        ),
        (
            "https://a.example",
            "https://a.example/callback?x=y",
            "redirect_uri",
        ),
    ] {
        let error = logins(site, redirect_uri).expect_err("it does not fit");
        assert!(error.contains(says), "{site} {redirect_uri}: {error}");
    }
}

#[checks::test]
fn app_that_acts_for_itself_has_no_users() {
    let app = GlobusApp::confidential("3f1c2d9e-0000-4000-8000-000000000000", "secret")
        .redirect_uri(format!("{SITE}/callback"))
        .build()
        .expect("an app");
    let error = WebLogins::new(app, Sealer::random(), SITE).expect_err("no users");
    assert!(error.to_string().contains("GlobusApp::user"), "{error}");
}

#[checks::test]
async fn router_without_the_layer_answers_with_an_error() {
    let logins = logins(SITE, "https://data.example.edu/callback").expect("a site");
    let handler = get(async |user: WebUser| user.principal().map(|id| id.to_string()));
    let bare = get(async || Err::<(), _>(WebError::login_needed()));
    let router = Router::new().route("/who", handler).route("/bare", bare);
    let router = router.merge(logins.routes());
    for (path, status) in [
        ("/who", StatusCode::INTERNAL_SERVER_ERROR),
        ("/bare", StatusCode::UNAUTHORIZED),
    ] {
        let answer = Visitor::default().open(&router, path).await;
        assert_eq!(answer.status, status);
        assert!(answer.text.contains("WebLogins::layer"), "{}", answer.text);
    }
    // The callback reads the cookies itself.
    let answer = Visitor::default().open(&router, "/callback?state=x").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}
