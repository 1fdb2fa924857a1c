//! Replies of the browser.

use std::error::Error;

use async_trait::async_trait;
use globus_gare::reauth::{Principal, ReauthError};
use globus_login::{LoginPrompt, LoginReply, LoginRequest};
use url::Url;

use crate::support::endpoint::*;
use crate::support::*;

/// The redirect with this query, with `STATE` replaced by the `state` of the login.
fn redirect(page: &Url, query: &str) -> Url {
    let query = query.replace("STATE", &value(page, "state"));
    let back = value(page, "redirect_uri");
    format!("{back}?{query}").parse().expect("a URL")
}

/// Replies with a redirect with this query.
struct Says(String);

#[async_trait]
impl LoginPrompt for Says {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        let redirect = redirect(request.authorize_url(), &self.0);
        Ok(LoginReply::redirect(request, redirect))
    }
}

#[checks::test]
async fn only_a_valid_redirect_gives_a_code() {
    let of_another = "its `state` is a different one";
    for (query, problem) in [
        ("code=c1&state=STATE", None),
        ("code=c1&state=STATE&more=1&more=2", None),
        ("code=c1&state=STATEx", Some(of_another)),
        ("code=c1&state=", Some(of_another)),
        ("code=c1", Some(of_another)),
        ("error=access_denied", Some(of_another)),
        ("error=access_denied&state=x", Some(of_another)),
        ("code=c1&state=STATE&state=STATE", Some(of_another)),
        ("code=c1&state=STATE&state=x", Some(of_another)),
        (
            "code=c1&code=c1&state=STATE",
            Some("duplicate field `code`"),
        ),
        (
            "code=c1&code=c2&state=STATE",
            Some("duplicate field `code`"),
        ),
        (
            "error=x&error=y&state=STATE",
            Some("duplicate field `error`"),
        ),
        (
            "error=x&error_description=y&error_description=z&state=STATE",
            Some("duplicate field `error_description`"),
        ),
        ("error=access_denied&state=STATE", Some("declined")),
        ("error=access_denied&code=c1&state=STATE", Some("declined")),
        (
            "error=access_denied&error_description=&state=STATE",
            Some("declined"),
        ),
        ("error=invalid_scope&state=STATE", Some("invalid_scope")),
        (
            "error=x&error_description=so%1B%5B2J%0Asorry&state=STATE",
            Some("x: so [2J sorry"),
        ),
        ("state=STATE", Some("no authorization code")),
        ("code=&state=STATE", Some("no authorization code")),
    ] {
        let endpoint = Endpoint::approving().await;
        let app = endpoint.app().prompt(Says(query.to_owned())).build();
        let app = app.expect("an app");
        let pending = app.begin_login(&Principal::Session, None).await;
        let pending = pending.expect("a login");
        let redirect = redirect(pending.authorize_url(), query);
        for done in [
            log_in_again(&app).await,
            app.finish_login(pending, redirect).await,
        ] {
            let error = done.err();
            let told = error.as_ref().map(logged).unwrap_or_default();
            assert_eq!(error.is_some(), problem.is_some(), "{query}: {told}");
            assert!(
                told.contains(problem.unwrap_or_default()),
                "{query}: {told}"
            );
            let declined = error.is_some_and(|error| error.is_declined());
            assert_eq!(declined, problem == Some("declined"), "{query}");
        }
        let expected = if problem.is_none() { 2 } else { 0 };
        let asked = endpoint.requests();
        assert_eq!(asked.len(), expected, "{query}: {asked:?}");
        assert!(asked.iter().all(|asked| asked.field("code") == "c1"));
    }
}

/// Globus Auth itself also declines with `access_denied`.
#[checks::test]
async fn reason_of_a_denial_is_on_one_line() {
    let long = "error=access_denied&error_description=LONG&state=STATE";
    let long = long.replace("LONG", &"sorry+".repeat(500));
    for (query, told) in [
        (
            "error=access_denied&error_description=No%20such%0Apolicy%1B%5B2J%E2%80%AE&state=STATE",
            "access_denied: No such policy [2J",
        ),
        (&*long, "access_denied: sorry sorry"),
    ] {
        let endpoint = Endpoint::approving().await;
        let app = endpoint.app().prompt(Says(query.to_owned())).build();
        let error = log_in_again(&app.expect("an app")).await;
        let error = error.expect_err("denied");
        assert!(error.is_declined(), "{error:?}");
        let reason = error.source().expect("a reason").to_string();
        assert!(reason.starts_with(told), "{reason}");
        assert!(reason.len() < 1000 && !reason.contains(char::is_control));
    }
    let endpoint = Endpoint::always(refused("access_denied", "not this client")).await;
    let error = log_in_again(&endpoint.app().build().expect("an app")).await;
    let error = error.expect_err("denied");
    assert!(error.is_declined());
    assert_says(&error, "access_denied: not this client", &[]);
}

#[checks::test]
async fn pasted_code_is_trimmed_and_must_not_be_empty() {
    for (hands, code) in [
        (
            (|_, _| Ok(LoginReply::Code(" c1\r\n".to_owned()))) as Reply,
            Some("c1"),
        ),
        (|_, _| Ok(LoginReply::Code(" \n".to_owned())), None),
    ] {
        let endpoint = Endpoint::approving().await;
        let app = endpoint.app().prompt(Browser::replying(hands)).build();
        let done = log_in_again(&app.expect("an app")).await;
        assert_eq!(done.is_ok(), code.is_some());
        let asked = endpoint.requests();
        let codes: Vec<_> = asked.iter().map(|asked| asked.field("code")).collect();
        assert_eq!(codes, code.as_slice());
    }
}

/// Opens the page with its own redirect URI, and replies with the redirect or a pasted code.
struct Listens {
    port: &'static str,
    pastes: bool,
}

#[async_trait]
impl LoginPrompt for Listens {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        let page = request.authorize_url_for(self.port)?;
        let ours = |(name, _): &(_, _)| name == "redirect_uri";
        assert_eq!(page.query_pairs().filter(ours).count(), 1, "{page}");
        let location = sent_to(&page).await;
        assert!(location.as_str().starts_with(self.port), "{location}");
        let default = sent_to(request.authorize_url()).await;
        assert!(default.as_str().starts_with(request.redirect_uri()));
        Ok(if self.pastes {
            LoginReply::Code(value(&default, "code"))
        } else {
            LoginReply::Redirect {
                url: location,
                redirect_uri: self.port.to_owned(),
            }
        })
    }
}

#[checks::test]
async fn code_is_exchanged_with_its_own_redirect_uri() {
    let port = "http://127.0.0.1:4321";
    for pastes in [false, true] {
        let endpoint = Endpoint::approving().await;
        let app = endpoint.app().prompt(Listens { port, pastes }).build();
        log_in_again(&app.expect("an app")).await.expect("a login");
        let default = format!("{}v2/web/auth-code", endpoint.url);
        let expected = if pastes { &default } else { port };
        // Byte for byte: Globus Auth compares the bytes.
        assert_eq!(endpoint.requests()[0].field("redirect_uri"), expected);
    }
}
