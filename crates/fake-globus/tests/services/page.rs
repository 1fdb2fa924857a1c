//! The login page, as a browser gets it.

use fake_globus::Person;
use reqwest::Response;

use crate::support::{ALL, Fixture, location, param};

async fn fixture() -> Fixture {
    let fixture = Fixture::new(|c| c).await;
    fixture.globus.set_person(Person::browser());
    fixture
}

fn between<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    page.split_once(start)
        .and_then(|(_, rest)| rest.split_once(end))
        .map(|(found, _)| found)
        .expect("the page has it")
}

fn ticket(page: &str) -> String {
    between(page, "name=\"ticket\" value=\"", "\"").to_owned()
}

async fn decide(fixture: &Fixture, form: &[(&str, &str)]) -> Response {
    fixture.post("v2/web/decision", form).await
}

#[checks::test]
async fn approval_on_the_page_gives_one_code() {
    let fixture = fixture().await;
    let message = ("session_message", "Please log in again");
    let response = fixture
        .authorize(
            ALL,
            &[message, ("session_required_single_domain", "uchicago.edu")],
        )
        .await;
    assert_eq!(response.status(), 200);
    assert!(
        response.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("default-src 'none'")
    );
    assert_eq!(response.headers()["x-frame-options"], "DENY");
    let page = response.text().await.unwrap();
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
    let (ticket, identity) = (ticket(&page), fixture.ada.id().to_string());
    let form = [
        ("ticket", ticket.as_str()),
        ("identity", &identity),
        ("decision", "approve"),
    ];
    let answered = decide(&fixture, &form).await;
    assert_eq!(answered.status(), 303);
    let location = location(&answered);
    assert_eq!(param(&location, "state").as_deref(), Some("xyzzy"));
    let code = param(&location, "code").unwrap();
    assert_eq!(fixture.exchange(&code, &[]).await.status(), 200);
    // Each page takes one answer.
    assert_eq!(decide(&fixture, &form).await.status(), 403);
    assert_eq!(
        decide(&fixture, &[("ticket", "made-up"), ("decision", "approve")])
            .await
            .status(),
        403
    );
}

#[checks::test]
async fn denial_on_the_page_is_access_denied() {
    let fixture = fixture().await;
    let page = fixture.authorize(ALL, &[]).await.text().await.unwrap();
    let answered = decide(
        &fixture,
        &[("ticket", &ticket(&page)), ("decision", "deny")],
    )
    .await;
    assert_eq!(
        param(&location(&answered), "error").as_deref(),
        Some("access_denied")
    );
    assert_eq!(fixture.globus.counts().declined, 1);
}

#[checks::test]
async fn page_refuses_answers_that_miss_the_requirement() {
    let fixture = fixture().await;
    let required = [
        ("session_required_single_domain", "navy.mil"),
        ("session_required_mfa", "true"),
    ];
    let mut page = fixture
        .authorize(ALL, &required)
        .await
        .text()
        .await
        .unwrap();
    assert!(page.contains("name=\"mfa\"") && page.contains("grace@navy.mil"));
    let grace = between(&page, "name=\"identity\" value=\"", "\"").to_owned();
    let ada = fixture.ada.id().to_string();
    for (identity, mfa, problem) in [
        (ada.as_str(), "yes", "does not satisfy"),
        (grace.as_str(), "", "A second factor is required"),
        ("nobody", "yes", "Choose an identity"),
    ] {
        let form = [
            ("ticket", ticket(&page)),
            ("identity", identity.into()),
            ("mfa", mfa.into()),
            ("decision", "approve".into()),
        ];
        let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
        let again = decide(&fixture, &form).await;
        assert_eq!(again.status(), 200, "{identity}");
        page = again.text().await.unwrap();
        assert!(page.contains(problem), "{problem}");
    }
    let form = [
        ("ticket", ticket(&page)),
        ("identity", grace),
        ("mfa", "yes".into()),
        ("decision", "approve".into()),
    ];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert!(param(&location(&decide(&fixture, &form).await), "code").is_some());
}

#[checks::test]
async fn text_of_a_request_is_escaped_on_pages() {
    let fixture = fixture().await;
    let attack = "<script>alert(1)</script>\"'&";
    let escaped = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;";
    let page = fixture
        .authorize(ALL, &[("session_message", attack)])
        .await
        .text()
        .await
        .unwrap();
    assert!(page.contains(escaped) && !page.contains("<script"));
    let refused = fixture
        .authorize(ALL, &[("session_required_mfa", attack)])
        .await
        .text()
        .await
        .unwrap();
    assert!(refused.contains(escaped) && !refused.contains("<script"));
    let url =
        url::Url::parse_with_params(&fixture.url("v2/web/auth-code"), [("code", attack)]).unwrap();
    let shown = fixture
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(shown.contains(escaped) && !shown.contains("<script"));
}

#[checks::test]
async fn code_page_shows_a_code_that_can_be_exchanged() {
    let fixture = Fixture::new(|c| c).await;
    let own = fixture.url("v2/web/auth-code");
    let location = fixture.answer(ALL, &[("redirect_uri", &own)]).await;
    let code = param(&location, "code").unwrap();
    let page = fixture
        .http
        .get(location)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert_eq!(
        between(&page, "id=\"auth-code\" readonly autofocus value=\"", "\""),
        code
    );
    assert_eq!(
        fixture
            .exchange(&code, &[("redirect_uri", &own)])
            .await
            .status(),
        200
    );
}
