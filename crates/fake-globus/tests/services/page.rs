//! The login page.

use fake_globus::Person;
use reqwest::Response;
use url::Url;

use crate::support::{ALL, Fixture, assert_denied, code, location, page, parameter, send};

async fn fixture() -> Fixture {
    let fixture = Fixture::open().await;
    fixture.globus.set_person(Person::browser());
    fixture
}

fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let rest = page.split_once(start).map(|(_, rest)| rest);
    let found = rest.and_then(|rest| rest.split_once(end));
    found.expect("the page has it").0
}

/// Submits the form of a page, with its ticket, this decision and these fields.
async fn decide(
    fixture: &Fixture,
    page: &str,
    decision: &str,
    fields: &[(&str, &str)],
) -> Response {
    let ticket = between(page, "name=\"ticket\" value=\"", "\"");
    let form = [("ticket", ticket), ("decision", decision)];
    fixture
        .post("v2/web/decision", &[&form, fields].concat())
        .await
}

#[checks::test]
async fn approval_on_the_page_gives_one_code() {
    let fixture = fixture().await;
    let message = ("session_message", "Please log in again");
    let domain = ("session_required_single_domain", "uchicago.edu");
    let response = fixture.authorize(ALL, &[message, domain]).await;
    assert_eq!(response.status(), 200);
    let policy = response.headers()["content-security-policy"].to_str();
    assert!(policy.expect("text").contains("default-src 'none'"));
    assert_eq!(response.headers()["x-frame-options"], "DENY");
    let page = page(response).await;
    for part in [
        "Test application",
        "Please log in again",
        ALL,
        "ada@uchicago.edu",
        "Approve",
        "Deny",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for absent in [
        "ada@globusid.org",
        "grace@navy.mil",
        "clients.auth.globus.org",
        "name=\"mfa\"",
    ] {
        assert!(!page.contains(absent), "{absent}");
    }
    let identity = fixture.ada.id().to_string();
    let ada = [("identity", identity.as_str())];
    let answered = decide(&fixture, &page, "approve", &ada).await;
    assert_eq!(answered.status(), 303);
    let redirect = location(&answered);
    assert_eq!(parameter(&redirect, "state").as_deref(), Some("xyzzy"));
    let exchanged = fixture.exchange(&code(&redirect), &[]).await;
    assert_eq!(exchanged.status(), 200);
    // A page takes one answer.
    let again = decide(&fixture, &page, "approve", &ada).await;
    assert_eq!(again.status(), 403);
    let made_up = [("ticket", "made-up"), ("decision", "approve")];
    let rejected = fixture.post("v2/web/decision", &made_up).await;
    assert_eq!(rejected.status(), 403);
}

#[checks::test]
async fn denial_on_the_page_is_access_denied() {
    let fixture = fixture().await;
    let page = page(fixture.authorize(ALL, &[]).await).await;
    let answered = decide(&fixture, &page, "deny", &[]).await;
    assert_denied(&location(&answered));
    assert_eq!(fixture.globus.counts().declined, 1);
}

#[checks::test]
async fn page_rejects_answers_that_miss_the_requirement() {
    let fixture = fixture().await;
    let required = [
        ("session_required_single_domain", "navy.mil"),
        ("session_required_mfa", "true"),
    ];
    let mut shown = page(fixture.authorize(ALL, &required).await).await;
    assert!(shown.contains("name=\"mfa\"") && shown.contains("grace@navy.mil"));
    let grace = between(&shown, "name=\"identity\" value=\"", "\"").to_owned();
    let ada = fixture.ada.id().to_string();
    for (identity, mfa, problem) in [
        (ada.as_str(), "yes", "does not satisfy"),
        (grace.as_str(), "", "A second factor is required"),
        ("nobody", "yes", "Choose an identity"),
    ] {
        let fields = [("identity", identity), ("mfa", mfa)];
        let again = decide(&fixture, &shown, "approve", &fields).await;
        assert_eq!(again.status(), 200, "{identity}");
        shown = page(again).await;
        assert!(shown.contains(problem), "{problem}");
    }
    let fields = [("identity", grace.as_str()), ("mfa", "yes")];
    let answered = decide(&fixture, &shown, "approve", &fields).await;
    code(&location(&answered));
}

#[checks::test]
async fn text_of_a_request_is_escaped_on_pages() {
    let fixture = fixture().await;
    let attack = "<script>alert(1)</script>\"'&";
    let escaped = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;";
    let code_page = fixture.url("v2/web/auth-code");
    let code_page = Url::parse_with_params(&code_page, [("code", attack)]).expect("a URL");
    for page_url in [
        fixture.authorize_url(ALL, &[("session_message", attack)]),
        fixture.authorize_url(ALL, &[("session_required_mfa", attack)]),
        code_page,
    ] {
        let shown = page(send(fixture.http.get(page_url.clone())).await).await;
        assert!(shown.contains(escaped), "{page_url}: {shown}");
        assert!(!shown.contains("<script"), "{page_url}: {shown}");
    }
}

#[checks::test]
async fn code_page_shows_a_code_that_can_be_exchanged() {
    let fixture = Fixture::open().await;
    let own = fixture.url("v2/web/auth-code");
    let to_own = [("redirect_uri", own.as_str())];
    let redirect = fixture.answer(ALL, &to_own).await;
    let code = code(&redirect);
    let shown = page(send(fixture.http.get(redirect)).await).await;
    let field = "id=\"auth-code\" readonly autofocus value=\"";
    assert_eq!(between(&shown, field, "\""), code);
    let exchanged = fixture.exchange(&code, &to_own).await;
    assert_eq!(exchanged.status(), 200);
}
