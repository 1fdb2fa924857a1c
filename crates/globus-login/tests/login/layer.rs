//! Clients with a layer, and their logins.

use std::time::Duration;

use bytes::Bytes;
use fake_globus::{Policy, RequestKind};
use globus_gare::layer::{GareLayer, GareService};
use globus_gare::reauth::{GareOutcome, Session};
use globus_gare::reqwest::HttpService;
use globus_login::GlobusApp;
use http::Request;
use http_body_util::Full;
use tower::{Layer, ServiceExt};

use crate::support::*;

type Client = GareService<HttpService>;

fn client(sample: &Sample, app: &GlobusApp) -> Client {
    let layer =
        GareLayer::from_session(Session::builder(app.clone()).trust(sample.trust()).build());
    layer.layer(checks::browser::client().into())
}

/// The status of a listing, and the number of its logins.
async fn list(sample: &Sample, client: &Client) -> (u16, u32) {
    let request = Request::get(sample.listing()).body(Full::<Bytes>::default());
    let request = request.expect("a request");
    let answer = client.clone().oneshot(request).await.expect("an answer");
    let outcome = answer.extensions().get::<GareOutcome>();
    let logins = outcome.map_or(0, |outcome| outcome.logins());
    (answer.status().as_u16(), logins)
}

#[checks::test]
async fn layer_satisfies_one_requirement_after_another() {
    let policy = Policy::new("Campus, with a second factor")
        .domain("uchicago.edu")
        .mfa();
    let sample = Sample::guarded(|collection| collection.policy(policy).data_access()).await;
    let browser = Browser::redirected();
    let app = logged_in(app(&sample.globus, &browser)).await;
    let client = client(&sample, &app);
    for logins in [2, 0] {
        assert_eq!(list(&sample, &client).await, (200, logins));
    }
    // One login for the consent, and a fresh one for the session.
    assert_eq!(browser.logins(), 3);
    let is_fresh = |login| browser.parameter(login, "prompt").as_deref() == Some("login");
    assert_ne!(is_fresh(1), is_fresh(2));
    assert_no_violation(&sample.globus);
}

#[checks::test]
async fn clients_that_share_an_app_share_its_login() {
    let sample = Sample::guarded(|collection| collection.session_minutes(1)).await;
    let browser = Browser::redirected();
    let app = logged_in(app(&sample.globus, &browser)).await;
    let (one, two) = (client(&sample, &app), client(&sample, &app));
    for logins in 1..=2 {
        let (first, second) = tokio::join!(list(&sample, &one), list(&sample, &two));
        assert_eq!((first.0, second.0), (200, 200));
        // Each client has its own session, and was challenged on its own.
        assert_eq!(browser.logins(), logins);
        sample.globus.clock().advance(Duration::from_secs(120));
    }
}

/// The person logs in, but the token request fails.
#[checks::test]
async fn session_backs_off_after_an_outage_of_globus_auth() {
    let sample = Sample::guarded(|collection| collection.session_minutes(1)).await;
    let browser = Browser::redirected();
    let app = logged_in(app(&sample.globus, &browser)).await;
    let client = client(&sample, &app);
    sample.globus.clock().advance(Duration::from_secs(120));
    sample.globus.fail_next(RequestKind::Token, 503, "{}");
    for _ in 0..2 {
        let (status, _) = list(&sample, &client).await;
        assert_eq!((status, browser.logins()), (502, 2));
    }
}
