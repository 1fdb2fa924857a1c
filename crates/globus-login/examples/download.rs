//! Downloads a file of a collection over HTTPS into the current directory, and resumes a download
//! that stopped.
//!
//! ```text
//! GLOBUS_CLIENT_ID=... cargo run -p globus-login --example download -- https://g-1a2b3c.0ec76.75bc.data.globus.org/path/file
//! ```
//!
//! The collection's id may follow the URL. Without the id, the program asks Globus Transfer which
//! collection the server belongs to.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::time::Duration;

use globus_gare::reauth::printable;
use globus_gare::reqwest::{GareMiddleware, redirects};
use globus_gare::{Session, Trust};
use globus_login::GlobusApp;
use http::StatusCode;
use http::header::RANGE;
use reqwest_middleware::ClientBuilder;
use url::Url;

const TRIES: u32 = 5;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url: Url = arguments
        .next()
        .ok_or("usage: download URL [COLLECTION]")?
        .parse()?;
    let name = url.path().rsplit('/').next().unwrap_or_default();
    if name.is_empty() {
        return Err("the URL names no file".into());
    }
    let mut app = GlobusApp::user(std::env::var("GLOBUS_CLIENT_ID")?).app_name("download");
    let mut trust = Trust::globus().collections();
    if let Some(collection) = arguments.next() {
        let server = url.origin().ascii_serialization();
        app = app.collection(&server, &collection);
        trust = trust.collection(server, collection)?;
    }
    let app = app.build()?;
    app.login().await?;
    let session = Session::builder(app).trust(trust).build();
    let mut file = File::options().append(true).create(true).open(name)?;
    for attempt in 1..=TRIES {
        match fetch(&session, &url, &mut file).await? {
            None => return Ok(()),
            Some(problem) => eprintln!("try {attempt} of {TRIES}: {problem}"),
        }
        tokio::time::sleep(Duration::from_millis(100) * attempt).await;
    }
    Err("the server does not send the file: try again later".into())
}

/// Fetches the missing part of the file. Returns a problem that another try may solve.
async fn fetch(s: &Session, url: &Url, file: &mut File) -> Result<Option<String>, Box<dyn Error>> {
    // A broken back end keeps its connections, so each try makes a new one.
    let client = reqwest::Client::builder().redirect(redirects()).build()?;
    let client = ClientBuilder::new(client).with(GareMiddleware::from_session(s.clone()));
    let have = file.metadata()?.len();
    let request = client.build().get(url.clone());
    let request = request.header(RANGE, format!("bytes={have}-"));
    let mut response = request.send().await?;
    match response.status() {
        StatusCode::PARTIAL_CONTENT => {}
        StatusCode::OK => file.set_len(0)?,
        // The file is complete. An empty one has no range at all.
        StatusCode::RANGE_NOT_SATISFIABLE => return Ok(None),
        // A missing file and a broken server both answer 404: only the text differs.
        StatusCode::NOT_FOUND => match response.text().await? {
            text if text.contains("c=PATH_NOT_FOUND") => return Err("no such file".into()),
            text => return Ok(Some(printable(&text))),
        },
        status => return Err(format!("the server answers with {status}").into()),
    }
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => file.write_all(&chunk)?,
            Ok(None) => return Ok(None),
            Err(error) => return Ok(Some(error.to_string())),
        }
    }
}
