//! The addresses that a server listens on, and the hosts that it accepts.

use fake_globus::{Config, FakeGlobus, FakeGlobusBuilder};
use url::Url;

async fn listening_on(host: &str) -> FakeGlobus {
    let config = Config::default().host(host.parse().expect("an address"));
    let started = FakeGlobusBuilder::from(config).start().await;
    started.expect("a server")
}

// Other systems have no such address.
#[cfg(target_os = "linux")]
#[checks::test]
async fn requests_to_the_configured_address_are_served() {
    let globus = listening_on("127.0.0.2").await;
    let url = globus.auth_url();
    assert!(url.starts_with("http://127.0.0.2:"), "{url}");
    let health = reqwest::get(format!("{url}_fake/health")).await;
    assert_eq!(health.expect("a response").status(), 200);
}

#[checks::test]
async fn urls_of_a_server_on_all_addresses_are_of_loopback() {
    let globus = listening_on("0.0.0.0").await;
    for (name, url) in globus.environment() {
        let parsed = Url::parse(&url).expect("a URL");
        assert_eq!(parsed.host_str(), Some("127.0.0.1"), "{name}");
        let health = reqwest::get(format!("{url}_fake/health")).await;
        assert_eq!(health.expect("a response").status(), 200, "{name}");
    }
}
