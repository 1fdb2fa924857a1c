//! Tokens that end before their time.

use globus_gare::login::GlobusApp;
use globus_gare::reauth::{Reauthenticator, Trust};
use globus_gare::reqwest::GareMiddleware;
use globus_gare::testing::{Collection, FakeGlobus, Person};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware};

use crate::support::*;

struct World {
    globus: FakeGlobus,
    listing: String,
    _directory: tempfile::TempDir,
}

async fn world() -> World {
    let directory = tempfile::tempdir().expect("a directory");
    let collection = Collection::new("Open", directory.path());
    let path = format!("v0.10/operation/endpoint/{}/ls", collection.id());
    let globus = FakeGlobus::builder()
        .collection(collection)
        .person(Person::automatic());
    let globus = globus.start().await.expect("a server");
    World {
        listing: format!("{}{path}", globus.transfer_url()),
        globus,
        _directory: directory,
    }
}

impl World {
    fn client(&self, app: &GlobusApp) -> ClientWithMiddleware {
        let trust = Trust::none()
            .origin(self.globus.transfer_url())
            .expect("an origin");
        let http = reqwest::Client::builder().no_proxy();
        ClientBuilder::new(http.build().expect("a client"))
            .with(GareMiddleware::new(app.clone()).trust(trust))
            .build()
    }

    async fn list(&self, client: &ClientWithMiddleware) -> u16 {
        let answer = client.get(&self.listing).send().await;
        answer.expect("an answer").status().as_u16()
    }

    /// Revokes the access token that the app would send.
    async fn revoke(&self, app: &GlobusApp) {
        let transfer = target(self.globus.transfer_url());
        let held = app.credential(&transfer).await.expect("no error");
        let held = held.expect("a credential");
        let value = held.header_value().to_str().expect("ASCII");
        let token = value.strip_prefix("Bearer ").expect("a bearer token");
        assert!(self.globus.revoke_token(token));
    }
}

#[tokio::test]
async fn a_token_that_was_revoked_is_renewed_once_for_all_who_send_it() {
    let world = world().await;
    let browser = Browser::redirected();
    let app = app(&world.globus, &browser).refresh_tokens(true).build();
    let app = app.expect("an app");
    app.login().await.expect("a login");
    let (one, two) = (world.client(&app), world.client(&app));
    assert_eq!(world.list(&one).await, 200);
    assert_eq!(world.list(&two).await, 200);

    world.revoke(&app).await;
    assert_eq!(world.list(&one).await, 200);
    // What the other client was refused with is not what there is now.
    assert_eq!(world.list(&two).await, 200);
    assert_eq!(world.globus.counts().refresh_grants, 1);
    assert_eq!(browser.queries().len(), 1, "nobody was asked again");
}

#[tokio::test]
async fn what_cannot_be_renewed_is_told_and_asks_nobody() {
    let world = world().await;
    let browser = Browser::redirected();
    let app = app(&world.globus, &browser).build().expect("an app");
    app.login().await.expect("a login");
    let client = world.client(&app);
    assert_eq!(world.list(&client).await, 200);

    world.revoke(&app).await;
    assert_eq!(world.list(&client).await, 401);
    assert_eq!(browser.queries().len(), 1, "nobody was asked again");
}
