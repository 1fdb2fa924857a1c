//! The ports: one for Auth and Transfer, and one for each other service, as each has a host of its own in real life.

use std::net::IpAddr;

use tokio::net::TcpListener;
use url::Url;

use super::builder::StartError;
use super::config::Config;
use super::service::{Listed, SERVICES};

/// A port, and the services behind it.
pub(super) struct Listener {
    pub(super) listener: TcpListener,
    pub(super) services: &'static [Listed],
}

/// The names of services, and their URLs.
type Urls = Vec<(&'static str, String)>;

/// Listens for all services: on the port and those that follow, or on free ones where it is 0.
pub(super) async fn all(
    config: &Config,
    public: Option<&Url>,
) -> Result<(Vec<Listener>, Urls), StartError> {
    let mut listeners = Vec::new();
    let mut urls = Vec::new();
    for (number, services) in (0..).zip(SERVICES) {
        let port = match config.port {
            0 => 0,
            first => first.saturating_add(number),
        };
        let listener = one(config.host, port).await?;
        let address = listener
            .local_addr()
            .map_err(|source| StartError::new("the listener has no address", source))?;
        let url = match public {
            Some(public) => counted(public, number),
            None => format!("http://{address}/"),
        };
        urls.extend(services.iter().map(|service| (service.name, url.clone())));
        listeners.push(Listener { listener, services });
    }
    Ok((listeners, urls))
}

/// `public` with a port that is `number` higher.
fn counted(public: &Url, number: u16) -> String {
    let mut url = public.clone();
    let first = public.port_or_known_default().unwrap_or(80);
    // It fails for URLs without a host alone, which nobody can call anyway.
    let _ = url.set_port(Some(first.saturating_add(number)));
    let url = String::from(url);
    if url.ends_with('/') { url } else { url + "/" }
}

async fn one(host: IpAddr, port: u16) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind((host, port)).await;
    bound.map_err(|source| {
        StartError::new(format!("cannot listen on port {port} of {host}"), source)
    })
}
