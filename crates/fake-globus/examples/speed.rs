//! Measures the time from the start to the first response, and listings of 100 entries per second.
//!
//! ```console
//! $ taskset --cpu-list 0 cargo run -p fake-globus --example speed
//! ```
//!
//! The client is a loop over one connection on the same core. It costs little beside the server.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use fake_globus::{Collection, FakeGlobus, Identity, Person};

const ALL: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";

/// How often the server is started, and how long listings are requested.
const STARTS: usize = 20;
const FOR: Duration = Duration::from_secs(5);

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let data = tempfile::tempdir()?;
    for number in 0..100 {
        std::fs::write(data.path().join(format!("file-{number:03}.txt")), "content")?;
    }

    let mut starts = Vec::new();
    for _ in 0..STARTS {
        let start = Instant::now();
        let globus = runtime.block_on(server(data.path()))?;
        let mut connection = Connection::open(globus.auth_url())?;
        connection.get("/.well-known/openid-configuration", "")?;
        starts.push(start.elapsed());
        drop(connection);
        runtime.block_on(globus.shutdown())?;
    }
    starts.sort();
    println!(
        "start to first response: median {:?}, slowest {:?}",
        starts[STARTS / 2],
        starts[STARTS - 1]
    );

    let globus = runtime.block_on(server(data.path()))?;
    let token = globus.issue_token(&ada(), ALL)?;
    let id = Collection::new("Files", data.path()).id();
    let path = format!("/v0.10/operation/endpoint/{id}/ls");
    let mut connection = Connection::open(globus.transfer_url())?;
    let bytes = connection.get(&path, &token)?;
    let (start, worked, mut requests) = (Instant::now(), processor_time(), 0_u32);
    while start.elapsed() < FOR {
        connection.get(&path, &token)?;
        requests += 1;
    }
    let took = start.elapsed();
    let rate = |time: Duration| f64::from(requests) / time.as_secs_f64();
    println!(
        "ls of 100 entries ({bytes} bytes): {:.0} requests per second",
        rate(took)
    );
    if let (Some(before), Some(after)) = (worked, processor_time()) {
        println!("  {:.0} per second of CPU time", rate(after - before));
    }
    Ok(())
}

/// The CPU time of this process. On a busy machine it is less than the elapsed time.
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in brackets may contain spaces. The times are in hundredths of a second.
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks = ticks.map(str::parse::<u64>).sum::<Result<u64, _>>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

fn ada() -> Identity {
    Identity::new("ada", "uchicago.edu")
}

async fn server(root: &std::path::Path) -> Result<FakeGlobus, Box<dyn Error>> {
    let globus = FakeGlobus::builder()
        .collection(Collection::new("Files", root))
        .identity(ada())
        .person(Person::automatic());
    Ok(globus.start().await?)
}

/// A minimal HTTP client over one connection.
struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Connection {
    fn open(url: &str) -> Result<Self, Box<dyn Error>> {
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        let stream = TcpStream::connect(host)?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(stream),
            host: host.to_owned(),
        })
    }

    /// Gets a path; returns the length of the body. A status other than 200 is an error.
    fn get(&mut self, path: &str, token: &str) -> Result<usize, Box<dyn Error>> {
        let host = &self.host;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n");
        self.stream.get_mut().write_all(request.as_bytes())?;
        let (mut status, mut length) = (String::new(), 0);
        self.stream.read_line(&mut status)?;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err("the server closed the connection".into());
            }
            if line == "\r\n" {
                break;
            }
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        if !status.contains(" 200 ") {
            return Err(format!("{status}{}", String::from_utf8_lossy(&body)).into());
        }
        Ok(length)
    }
}
