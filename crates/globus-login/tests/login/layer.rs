//! Clients behind a layer, and the logins that they cost.

use std::time::Duration;

use bytes::Bytes;
use fake_globus::Policy;
use globus_gare::layer::{GareLayer, GareService};
use globus_gare::reauth::GareOutcome;
use globus_login::GlobusApp;
use http::{Request, Response};
use tower::util::BoxCloneSyncService;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::world::World;
use crate::support::*;

type Client =
    GareService<BoxCloneSyncService<Request<Bytes>, Response<reqwest::Body>, reqwest::Error>>;

fn client(world: &World, app: &GlobusApp) -> Client {
    let inner = reqwest::Client::builder().no_proxy();
    let inner = inner.build().expect("a client");
    let send = service_fn(move |request: Request<Bytes>| {
        let inner = inner.clone();
        async move { Ok(inner.execute(request.try_into()?).await?.into()) }
    });
    let layer = GareLayer::new(app.clone()).trust(world.trust());
    layer.layer(BoxCloneSyncService::new(send))
}

/// The status of a listing, and how many logins it took.
async fn list(world: &World, client: &Client) -> (u16, u32) {
    let request = Request::get(&world.listing).body(Bytes::new());
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
    let world = World::guarded(|collection| collection.policy(policy).data_access()).await;
    let browser = Browser::redirected();
    let app = app(&world.globus, &browser).build().expect("an app");
    app.login().await.expect("a login");
    let client = client(&world, &app);
    for logins in [2, 0] {
        assert_eq!(list(&world, &client).await, (200, logins));
    }
    // A consent, and a fresh login: each with what it needs, and no more.
    assert_eq!(browser.queries().len(), 3);
    let is_fresh = |login| browser.asked(login, "prompt").as_deref() == Some("login");
    assert_ne!(is_fresh(1), is_fresh(2));
    let violations = world.globus.violations();
    assert!(violations.is_empty(), "{violations:?}");
}

#[checks::test]
async fn clients_that_share_an_app_share_its_login() {
    let world = World::guarded(|collection| collection.session_minutes(1)).await;
    let browser = Browser::redirected();
    let app = app(&world.globus, &browser).build().expect("an app");
    app.login().await.expect("a login");
    let (one, two) = (client(&world, &app), client(&world, &app));
    for logins in 1..=2 {
        let (first, second) = tokio::join!(list(&world, &one), list(&world, &two));
        assert_eq!((first.0, second.0), (200, 200));
        // Each client has a session of its own, and was refused by itself.
        assert_eq!(browser.queries().len(), logins);
        world.globus.clock().advance(Duration::from_secs(120));
    }
}
