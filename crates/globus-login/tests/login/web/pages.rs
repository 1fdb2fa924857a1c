//! The texts of the pages.

use std::fmt::Write;

use axum::Router;
use fake_globus::{Person, RequestKind};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};

use super::service::*;

/// A page as a person reads it.
fn read(answer: &Answer) -> String {
    let kind = answer.headers[CONTENT_TYPE].to_str().expect("text");
    assert_eq!(kind, "text/html; charset=utf-8");
    assert_eq!(answer.headers[REFERRER_POLICY], "no-referrer");
    let policy = answer.headers[CONTENT_SECURITY_POLICY].to_str();
    assert!(policy.expect("text").starts_with("default-src 'none'"));
    let body = answer.text.split("</head>").nth(1).expect("a body");
    let mut text = answer.status.to_string();
    for piece in body.split('<').skip(2) {
        let (tag, piece) = piece.split_once('>').expect("a tag");
        if let Some(link) = tag.strip_prefix("a href=") {
            write!(text, "\n[{link}]").expect("text");
        }
        if !piece.is_empty() {
            write!(text, "\n{piece}").expect("text");
        }
    }
    text
}

async fn on_its_way(service: &Service, replica: &Router, person: Person) -> (Visitor, String) {
    let ada = Visitor::default();
    let page = ada.sent_to(replica, "/ls?id=1").await;
    let callback = service.answer(person, &page).await;
    (ada, callback)
}

#[checks::test]
async fn pages_say_what_happened_and_what_to_do() {
    let service = Service::new().await;
    let (replica, globus) = (service.replica(), &service.sample.globus);
    let ada = || Person::automatic().picks(ADA);
    let mut pages = Vec::new();

    let (browser, callback) = on_its_way(&service, &replica, Person::automatic().declines()).await;
    pages.push(browser.open(&replica, &callback).await);
    pages.push(browser.open(&replica, "/callback").await);
    pages.push(Visitor::default().open(&replica, &callback).await);

    let (browser, callback) = on_its_way(&service, &replica, ada()).await;
    let refused = r#"{"error": "invalid_grant", "error_description": "<b>no</b>"}"#;
    globus.fail_next(RequestKind::Token, 400, refused);
    pages.push(browser.open(&replica, &callback).await);
    let (browser, callback) = on_its_way(&service, &replica, ada()).await;
    globus.fail_next(RequestKind::Token, 503, "<html>");
    pages.push(browser.open(&replica, &callback).await);

    let (browser, callback) = on_its_way(&service, &replica, ada()).await;
    browser.sent_to(&replica, &callback).await;
    service.minutes_pass(2);
    let page = browser.sent_to(&replica, "/ls?id=2").await;
    let of_bob = service.approve(BOB, &page).await;
    pages.push(browser.open(&replica, &of_bob).await);
    browser.post(&replica, "/logout").await;
    pages.push(browser.open(&replica, &of_bob).await);
    service.minutes_pass(10);
    pages.push(browser.open(&replica, &of_bob).await);

    pages.push(browser.open(&replica, "/as-nobody").await);
    browser.log_in(&service, &replica, ADA).await;
    pages.push(browser.open(&replica, "/policies").await);

    let pages: Vec<_> = pages.iter().map(read).collect();
    insta::assert_snapshot!(pages.join("\n\n"), @r#"
    403 Forbidden
    –
    The login was declined
    Globus Auth says: access_denied: the user denied the request. Nothing was changed.
    ["/ls?id=1"]
    Log in again

    400 Bad Request
    ?
    This page belongs to no login
    Nothing was changed. A login ends at this page, but this address belongs to no login. Go to the start page and log in there.
    ["/"]
    Go to the start page

    403 Forbidden
    ?
    This login did not begin in this browser
    Nothing was changed. A login has to end in the browser in which it began, and that browser has to keep a cookie until then. Allow cookies for this site, and log in again in this browser.
    ["/"]
    Go to the start page

    400 Bad Request
    !
    The login failed
    Globus Auth says: invalid_grant: &lt;b&gt;no&lt;/b&gt;. Nothing was changed.
    ["/ls?id=1"]
    Log in again

    502 Bad Gateway
    !
    The login failed
    Globus Auth, or the place where this site keeps its logins, did not answer as expected. Log in again in a minute. If it fails again, tell the operators of this site: the reason is in its log.
    ["/ls?id=1"]
    Log in again

    403 Forbidden
    !
    Another person has logged in
    This browser is logged in here as one person, and another person has just logged in at Globus. Nothing was changed. To continue as the other person, log out here first, or use another browser.
    ["/ls?id=2"]
    Go back

    409 Conflict
    ?
    You are not logged in
    You logged out after this login began, or this site no longer has your login. This login was ignored. Log in again.
    ["/ls?id=2"]
    Log in again

    410 Gone
    ?
    The login took too long
    Nothing was changed. A login has to end within 10 minutes. Log in again.
    ["/ls?id=2"]
    Log in again

    502 Bad Gateway
    !
    The request failed
    This site could not complete the request. Try again. If it fails again, tell the operators of this site: the reason is in its log.
    ["/as-nobody"]
    Try again

    413 Payload Too Large
    !
    The login is too large
    The login has to ask for more than fits into its address. Log out, then log in again. If you see this again, tell the operators of this site.
    ["/"]
    Go to the start page
    "#);
}
