//! Logins by programs that keep no record, such as those on the Python SDK.

use std::time::Duration;

use checks::tokens::{self, own};
use globus_gare::Session;
use globus_gare::gare::AuthorizationParameters;
use globus_gare::reqwest::GareMiddleware;
use globus_login::MemoryStore;
use reqwest_middleware::ClientBuilder;

use crate::support::*;

#[checks::test]
async fn login_by_another_program_satisfies_a_challenge() {
    let sample = Sample::guarded(|collection| collection.session_minutes(1)).await;
    let globus = &sample.globus;
    let (browser, store) = (Browser::redirected(), MemoryStore::new());
    let app = logged_in(app(globus, &browser).store(store.clone())).await;
    let session = Session::builder(app).trust(sample.trust()).build();
    let client = ClientBuilder::new(checks::browser::client())
        .with(GareMiddleware::from_session(session))
        .build();
    let list = async || {
        let answer = client.get(sample.listing()).send().await;
        answer.expect("an answer").status().as_u16()
    };
    // Another program logs in, and writes nothing but tokens into our store.
    let log_in_elsewhere = async || {
        let theirs = MemoryStore::new();
        let app = self::app(globus, &Browser::redirected()).store(theirs.clone());
        let fresh = AuthorizationParameters::default().with_prompt("login");
        let done = app.build().expect("an app").login_with(fresh).await;
        done.expect("a login");
        load(&theirs, globus).await
    };
    let write = async |tokens: globus_login::Tokens| {
        let key = own(globus.client_id());
        tokens::update(&store, &key, |kept| kept.clone_from(&tokens)).await;
    };
    assert_eq!(list().await, 200);

    globus.clock().advance(Duration::from_secs(120));
    write(log_in_elsewhere().await).await;
    assert_eq!(list().await, 200);
    assert_eq!(browser.logins(), 1, "the person has just logged in");

    // One that is too old by now is tried, and is no login that did not help.
    let old = log_in_elsewhere().await;
    globus.clock().advance(Duration::from_secs(120));
    write(old).await;
    assert_eq!(list().await, 200);
    assert_eq!(browser.logins(), 2);
    assert_no_violation(globus);
}
