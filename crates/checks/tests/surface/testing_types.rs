//! The public types of `fake-globus`, with secrets.

use checks::sample::TRANSFER_ALL;
use fake_globus::{
    Browser, Clock, Collection, ComputeEndpoint, Counts, FakeGlobus, Flow, Group, Limit, Person,
    Policy,
};

use crate::public_types::{CODE, Shown, TOKEN};

/// Shows a server in use; returns its secrets.
pub(crate) async fn show(shown: &mut Shown) -> Vec<String> {
    let data = tempfile::tempdir().expect("a directory");
    let collection = Collection::new("data", data.path()).policy(Policy::new("any"));
    let builder = FakeGlobus::builder();
    shown.show("fake_globus::FakeGlobusBuilder", &builder);
    let client = serde_json::json!({"id": collection.id(), "name": "x", "secret": TOKEN});
    let config = serde_json::from_value(serde_json::json!({"clients": [client]}));
    let config: fake_globus::Config = config.expect("a configuration");
    shown.show("fake_globus::Config", &config);
    let sample = builder.start_sample(collection.clone()).await;
    let sample = sample.expect("a server");
    let token = sample.token().expect("a token");
    let list = checks::browser::client().get(sample.listing_url());
    let answer = list.bearer_auth(&token).send().await;
    assert_eq!(answer.expect("an answer").status(), 200);
    shown.show("fake_globus::Sample", &sample);
    let (globus, ada) = (sample.globus, sample.ada);
    shown.show("fake_globus::FakeGlobus", &globus);
    shown.show("fake_globus::Clock", &Clock::default());
    shown.show("fake_globus::Collection", &collection);
    let endpoint = ComputeEndpoint::new("any").policy(Policy::new("any"));
    shown.show("fake_globus::ComputeEndpoint", &endpoint);
    shown.show("fake_globus::Flow", &Flow::new("any"));
    shown.show("fake_globus::Group", &Group::new("any"));
    shown.show("fake_globus::Limit", &Limit::next(1));
    shown.show("fake_globus::Counts", &Counts::default());
    shown.show("fake_globus::Identity", &ada);
    shown.show("fake_globus::Person", &Person::automatic());
    shown.show("fake_globus::Policy", &Policy::new("any"));
    shown.show("fake_globus::SeenRequest", &globus.requests());
    let port = globus
        .transfer_url()
        .trim_end_matches('/')
        .rsplit(':')
        .next();
    let port = port.and_then(|port| port.parse().ok()).expect("a port");
    let taken = FakeGlobus::builder().port(port).start().await;
    shown.show(
        "fake_globus::StartError",
        &taken.expect_err("the port is taken"),
    );
    let unknown = globus.issue_token(
        &fake_globus::Identity::new("eve", "evil.example"),
        TRANSFER_ALL,
    );
    shown.show("fake_globus::UnknownError", &unknown.expect_err("eve"));
    let browser = Browser::new();
    let page = format!("{}v2/web/auth-code?code={CODE}", globus.auth_url());
    let page = browser.open(page).await.expect("a page");
    assert!(page.text.contains(CODE));
    shown.show("fake_globus::Page", &page);
    let failed = browser.open(format!("http://127.0.0.1:1/?code={CODE}"));
    shown.show(
        "fake_globus::BrowserError",
        &failed.await.expect_err("nobody listens"),
    );
    shown.show("fake_globus::Browser", &browser);
    vec![token, globus.client_secret().to_owned()]
}
