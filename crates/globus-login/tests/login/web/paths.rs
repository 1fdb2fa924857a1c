//! The return path of a login.

use axum::Router;
use http::header::REFERER;
use http::request::Builder;
use http::{Method, Request};
use url::Url;

use super::service::*;

/// The return path of a login that this request started.
async fn end(service: &Service, replica: &Router, request: Builder) -> String {
    let browser = Visitor::default();
    let answer = browser.send(replica, request).await;
    let page: Url = match answer.status.as_u16() {
        303 => answer.location(),
        _ => {
            let url = answer.json()["login_url"].clone();
            url.as_str().expect("a URL").parse().expect("a URL")
        }
    };
    let callback = service.approve(ADA, &page).await;
    let back = browser.sent_to(replica, &callback).await;
    path(&back).to_owned()
}

#[checks::test]
async fn login_returns_to_the_page_with_its_query() {
    let service = Service::new().await;
    let replica = service.replica();
    for (path, back) in [
        ("/", "/"),
        ("/a/b?c=d&e=%20%2F", "/a/b?c=d&e=%20%2F"),
        ("/?next=//evil.example", "/?next=//evil.example"),
        ("https://other.example/x?y", "/x?y"),
        // A browser would resolve these on another site.
        ("//evil.example", "/"),
        ("//evil.example/x", "/"),
        ("///evil.example", "/"),
        ("/x\\..\\evil.example", "/"),
        // The callback is not a return path, but a path below it is.
        ("/callback/", "/callback/"),
    ] {
        assert_eq!(
            end(&service, &replica, navigation(path)).await,
            back,
            "{path}"
        );
    }
}

#[checks::test]
async fn login_for_another_request_returns_to_its_page() {
    let service = Service::new().await;
    let replica = service.replica();
    let site = |path: &str| format!("{SITE}{path}");
    for (referer, back) in [
        (site("/form?id=1"), "/form?id=1"),
        (site("/form#part"), "/form"),
        (site(""), "/"),
        (site("/callback?code=c&state=s"), "/"),
        (site("//evil.example/x"), "/"),
        (site("/\\evil.example"), "/"),
        ("/form".to_owned(), "/"),
        ("https://evil.example/form".to_owned(), "/"),
        ("http://data.example.edu/form".to_owned(), "/"),
        ("https://data.example.edu:8443/form".to_owned(), "/"),
        ("https://data.example.edu.evil.example/form".to_owned(), "/"),
        ("https://data.example.edu@evil.example/form".to_owned(), "/"),
        ("javascript:alert(1)".to_owned(), "/"),
        ("".to_owned(), "/"),
    ] {
        let posted = navigation("/save").method(Method::POST);
        let posted = posted.header(REFERER, &referer);
        assert_eq!(end(&service, &replica, posted).await, back, "{referer}");
    }
    let posted = navigation("/save").method(Method::POST);
    assert_eq!(end(&service, &replica, posted).await, "/");
    // An API call returns to its page, if `Referer` has it.
    let called = || Request::get("/api").header("sec-fetch-mode", "cors");
    let from_page = called().header(REFERER, site("/page"));
    assert_eq!(end(&service, &replica, from_page).await, "/page");
    assert_eq!(end(&service, &replica, called()).await, "/api");
}
