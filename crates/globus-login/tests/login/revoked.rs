//! Tokens that end before their time.

use globus_gare::reqwest::GareMiddleware;
use globus_login::GlobusApp;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::support::world::World;
use crate::support::*;

fn client(world: &World, app: &GlobusApp) -> ClientWithMiddleware {
    let http = reqwest::Client::builder().no_proxy();
    ClientBuilder::new(http.build().expect("a client"))
        .with(GareMiddleware::new(app.clone()).trust(world.trust()))
        .build()
}

async fn list(world: &World, client: &ClientWithMiddleware) -> u16 {
    let answer = client.get(&world.listing).send().await;
    answer.expect("an answer").status().as_u16()
}

/// Revokes the access token that the app would send.
async fn revoke(world: &World, app: &GlobusApp) {
    let transfer = target(world.globus.transfer_url());
    let held = held(app, &transfer).await.expect("a credential");
    let value = held.header_value().to_str().expect("ASCII");
    let token = value.strip_prefix("Bearer ").expect("a bearer token");
    assert!(world.globus.revoke_token(token));
}

#[checks::test]
async fn revoked_token_is_refreshed_once_for_all_clients() {
    let world = World::open().await;
    let browser = Browser::redirected();
    let app = app(&world.globus, &browser).refresh_tokens(true).build();
    let app = app.expect("an app");
    app.login().await.expect("a login");
    let (one, two) = (client(&world, &app), client(&world, &app));
    assert_eq!(list(&world, &one).await, 200);
    assert_eq!(list(&world, &two).await, 200);

    revoke(&world, &app).await;
    assert_eq!(list(&world, &one).await, 200);
    // What the other client was refused with is not what there is now.
    assert_eq!(list(&world, &two).await, 200);
    assert_eq!(world.globus.counts().refresh_grants, 1);
    assert_eq!(browser.queries().len(), 1, "nobody was asked again");
}

#[checks::test]
async fn revoked_token_without_refresh_is_401_and_asks_nobody() {
    let world = World::open().await;
    let browser = Browser::redirected();
    let app = app(&world.globus, &browser).build().expect("an app");
    app.login().await.expect("a login");
    let client = client(&world, &app);
    assert_eq!(list(&world, &client).await, 200);

    revoke(&world, &app).await;
    assert_eq!(list(&world, &client).await, 401);
    assert_eq!(browser.queries().len(), 1, "nobody was asked again");
}
