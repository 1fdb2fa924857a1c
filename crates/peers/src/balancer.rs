//! A TCP load balancer that sends each request to the next replica.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

pub struct Balancer {
    listener: TcpListener,
    pub replicas: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Balancer {
    pub async fn bind() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        Self {
            listener: listener.expect("a port"),
            replicas: Arc::default(),
        }
    }

    pub fn url(&self) -> String {
        format!(
            "http://{}/",
            self.listener.local_addr().expect("an address")
        )
    }

    /// Serves until the runtime ends.
    pub fn start(self) {
        let next = Arc::new(AtomicUsize::new(0));
        tokio::spawn(async move {
            while let Ok((client, _)) = self.listener.accept().await {
                let replicas = self.replicas.lock().expect("no panic").clone();
                let first = next.fetch_add(1, Relaxed);
                tokio::spawn(async move {
                    // If a replica dies, the connection of the browser breaks.
                    let _ = pass(client, &replicas, first).await;
                });
            }
        });
    }
}

/// Forwards one request to the first replica that accepts a connection, from `first` on.
async fn pass(mut client: TcpStream, replicas: &[SocketAddr], first: usize) -> io::Result<()> {
    let mut begin = Vec::new();
    while !begin.windows(2).any(|end| end == b"\r\n") {
        if client.read_buf(&mut begin).await? == 0 {
            return Ok(());
        }
    }
    let mut replica = Err(io::ErrorKind::NotConnected.into());
    for turn in 0..replicas.len() {
        replica = TcpStream::connect(replicas[(first + turn) % replicas.len()]).await;
        if replica.is_ok() {
            break;
        }
    }
    let mut replica = replica?;
    let line = begin.windows(2).position(|end| end == b"\r\n");
    let (line, rest) = begin.split_at(line.expect("it was found") + 2);
    // `connection: close` makes the browser connect again, to another replica.
    let head = [line, b"connection: close\r\n", rest].concat();
    replica.write_all(&head).await?;
    copy_bidirectional(&mut client, &mut replica)
        .await
        .map(drop)
}
