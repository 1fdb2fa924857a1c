//! The ports: one for Auth and Transfer, and one for each other service, as each has a host of its own in real life.

use std::net::Ipv4Addr;

use tokio::net::TcpListener;

use super::builder::StartError;
use super::service::{Listed, SERVICES};

/// A port, and the services behind it.
pub(super) struct Listener {
    pub(super) listener: TcpListener,
    pub(super) services: &'static [Listed],
}

/// The names of services, and their URLs.
type Urls = Vec<(&'static str, String)>;

/// Listens for all services: on `port` and those that follow, or on free ones where it is 0.
pub(super) async fn all(port: u16) -> Result<(Vec<Listener>, Urls), StartError> {
    let mut listeners = Vec::new();
    let mut urls = Vec::new();
    for (number, services) in (0..).zip(SERVICES) {
        let port = if port == 0 {
            0
        } else {
            port.saturating_add(number)
        };
        let listener = one(port).await?;
        let address = listener
            .local_addr()
            .map_err(|source| StartError::new("the listener has no address", source))?;
        let url = format!("http://{address}/");
        urls.extend(services.iter().map(|service| (service.name, url.clone())));
        listeners.push(Listener { listener, services });
    }
    Ok((listeners, urls))
}

async fn one(port: u16) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    bound.map_err(|source| {
        StartError::new(format!("cannot listen on port {port} of 127.0.0.1"), source)
    })
}
