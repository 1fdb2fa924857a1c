//! Tokens that are revoked before they expire.

use fake_globus::RequestKind;
use globus_gare::Session;
use globus_gare::reqwest::GareMiddleware;
use globus_login::GlobusApp;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::support::*;

fn client(sample: &Sample, app: &GlobusApp) -> ClientWithMiddleware {
    ClientBuilder::new(checks::browser::client())
        .with(GareMiddleware::from_session(
            Session::builder(app.clone()).trust(sample.trust()).build(),
        ))
        .build()
}

async fn list(sample: &Sample, client: &ClientWithMiddleware) -> u16 {
    let answer = client.get(sample.listing()).send().await;
    answer.expect("an answer").status().as_u16()
}

/// Revokes the access token that the app would send.
async fn revoke(sample: &Sample, app: &GlobusApp) {
    let transfer = target(sample.globus.transfer_url());
    let held = held(app, &transfer).await.expect("a credential");
    assert!(sample.globus.revoke_token(&bearer(&held)));
}

#[checks::test]
async fn revoked_token_is_refreshed_once_for_all_clients() {
    let sample = Sample::open().await;
    let browser = Browser::redirected();
    let app = logged_in(app(&sample.globus, &browser).refresh_tokens(true)).await;
    let (one, two) = (client(&sample, &app), client(&sample, &app));
    assert_eq!(list(&sample, &one).await, 200);
    assert_eq!(list(&sample, &two).await, 200);

    revoke(&sample, &app).await;
    assert_eq!(list(&sample, &one).await, 200);
    // The other client was challenged with the old token: the new one is in the store already.
    assert_eq!(list(&sample, &two).await, 200);
    assert_eq!(sample.globus.counts().refresh_grants, 1);
    assert_eq!(browser.logins(), 1, "nobody was asked again");
}

#[checks::test]
async fn revoked_token_without_refresh_needs_a_login() {
    let sample = Sample::open().await;
    let browser = Browser::redirected();
    let app = logged_in(app(&sample.globus, &browser)).await;
    let client = client(&sample, &app);
    assert_eq!(list(&sample, &client).await, 200);

    revoke(&sample, &app).await;
    assert_eq!(list(&sample, &client).await, 200);
    assert_eq!(browser.logins(), 2);
}

#[checks::test]
async fn second_user_is_not_answered_as_the_first() {
    for fails in [false, true] {
        let sample = Sample::open().await;
        let browser = Browser::redirected();
        let app = logged_in(app(&sample.globus, &browser)).await;
        let client = client(&sample, &app);
        assert_eq!(list(&sample, &client).await, 200);
        if fails {
            sample.globus.fail_next(RequestKind::Revoke, 503, "{}");
        }
        assert_eq!(app.logout().await.is_err(), fails);
        // The second user logs in by their first request.
        assert_eq!(list(&sample, &client).await, 200);
        assert_eq!(browser.logins(), 2, "revoking fails: {fails}");
    }
}
