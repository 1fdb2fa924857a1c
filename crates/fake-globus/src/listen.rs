//! The ports: one for Auth and Transfer, one for each other service and for each collection. The
//! real services have a host each.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;
use uuid::Uuid;

use super::builder::StartError;
use super::config::Config;
use super::https;
use super::service::{Listed, SERVICES};
use super::world::Shared;

/// A listening socket, and its services.
pub(super) struct Listener {
    pub(super) listener: TcpListener,
    pub(super) services: &'static [Listed],
}

/// The names of services, and their URLs.
type Urls = Vec<(&'static str, String)>;

/// The HTTPS servers of collections. Each one starts when its collection is added.
#[derive(Debug)]
pub(super) struct HttpsServers {
    host: IpAddr,
    port: u16,
    public: Option<Url>,
    runtime: Handle,
    stopped: watch::Receiver<()>,
    urls: Mutex<HashMap<Uuid, String>>,
    tasks: Mutex<JoinSet<io::Result<()>>>,
}

impl HttpsServers {
    pub(super) fn new(config: &Config, public: Option<Url>, stopped: watch::Receiver<()>) -> Self {
        Self {
            host: config.host,
            port: config.port,
            public,
            runtime: Handle::current(),
            stopped,
            urls: Mutex::default(),
            tasks: Mutex::default(),
        }
    }

    /// The tasks of all servers.
    pub(super) fn take_tasks(&self) -> JoinSet<io::Result<()>> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut tasks)
    }

    /// The URL of the server of a collection. Starts the server if it does not run yet.
    pub(super) fn url(&self, world: &Shared, id: Uuid) -> io::Result<String> {
        let mut urls = self.urls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(url) = urls.get(&id) {
            return Ok(url.clone());
        }
        // After the ports of the services.
        let number = u16::try_from(SERVICES.len() + urls.len()).unwrap_or(u16::MAX);
        let listener = std::net::TcpListener::bind((self.host, numbered(self.port, number)))?;
        listener.set_nonblocking(true)?;
        let url = match &self.public {
            Some(public) => counted(public, number),
            None => url_of(listener.local_addr()?),
        };
        let (router, mut stopped) = (https::router(world, id), self.stopped.clone());
        let task = async move {
            let listener = Prompt(TcpListener::from_std(listener)?);
            let router = router.into_make_service_with_connect_info::<https::Connection>();
            let server = axum::serve(listener, router);
            server
                .with_graceful_shutdown(async move {
                    // An error means that `FakeGlobus` was dropped, which also stops the server.
                    let _ = stopped.changed().await;
                })
                .await
        };
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.spawn_on(task, &self.runtime);
        urls.insert(id, url.clone());
        Ok(url)
    }
}

/// A listener whose connections do not use Nagle's algorithm. With it, a response in several
/// packets waits 40 ms for the client to acknowledge the first.
pub(super) struct Prompt(pub(super) TcpListener);

impl axum::serve::Listener for Prompt {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        let _ = stream.set_nodelay(true);
        (stream, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Listens for all services, on the configured port and the ports after it, or on free ports.
pub(super) async fn all(
    config: &Config,
    public: Option<&Url>,
) -> Result<(Vec<Listener>, Urls), StartError> {
    let mut listeners = Vec::new();
    let mut urls = Vec::new();
    for (number, services) in (0..).zip(SERVICES) {
        let listener = one(config.host, numbered(config.port, number)).await?;
        let address = listener
            .local_addr()
            .map_err(|source| StartError::new("the listener has no address", source))?;
        let url = match public {
            Some(public) => counted(public, number),
            None => url_of(address),
        };
        urls.extend(services.iter().map(|service| (service.name, url.clone())));
        listeners.push(Listener { listener, services });
    }
    Ok((listeners, urls))
}

/// The URL of a listener. A client cannot connect to the address that stands for all addresses, so
/// loopback takes its place.
fn url_of(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}/")
}

/// The port that is `number` higher than the `first` one; 0, for any free port, if that is 0.
fn numbered(first: u16, number: u16) -> u16 {
    match first {
        0 => 0,
        first => first.saturating_add(number),
    }
}

/// `public` with a port that is `number` higher.
fn counted(public: &Url, number: u16) -> String {
    let mut url = public.clone();
    let first = public.port_or_known_default().unwrap_or(80);
    // It fails only for a URL without a host, which the configuration rejects.
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
