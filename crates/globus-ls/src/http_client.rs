//! The HTTP client that the layer wraps.

use std::time::Duration;

use globus_gare::reauth::Origin;
use globus_gare::reqwest::HttpService;
use url::Url;

/// A client for `service` that waits for an answer no longer than `timeout`.
pub(crate) fn http_client(timeout: Duration, service: &Url) -> Result<HttpService, reqwest::Error> {
    let mut builder = reqwest::Client::builder()
        .timeout(timeout)
        .user_agent("globus-ls");
    if service
        .as_str()
        .parse()
        .is_ok_and(|origin: Origin| origin.is_loopback())
    {
        // No proxy that the environment names can reach this machine's own ports.
        builder = builder.no_proxy();
    }
    HttpService::from_builder(builder)
}
