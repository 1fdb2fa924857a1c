//! A batch job that cannot ask a person: it lists a directory, and waits if the collection requires
//! a login.
//!
//! ```text
//! GLOBUS_CLIENT_ID=... cargo run -p globus-login --example job -- COLLECTION [PATH]
//! globus-ls --app-name job login --watch     # at your terminal: logs in whenever a job waits
//! ```
//!
//! The job and the terminal share a token file below the home directory. A Python program with
//! `UserApp("job", client_id=...)` shares the file as well. The job waits two hours, or
//! `JOB_PATIENCE_SECONDS`, and then exits with status 4.

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use globus_gare::Environment;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GareOutcome, Session};
use globus_gare::reqwest::HttpService;
use globus_login::{ElsewherePrompt, GlobusApp};
use http::Request;
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt};

const PATIENCE: Duration = Duration::from_secs(2 * 3600);

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let mut arguments = std::env::args().skip(1);
    let collection = arguments.next().ok_or("usage: job COLLECTION [PATH]")?;
    let path = arguments.next().unwrap_or_else(|| "/~/".to_owned());
    let client_id = std::env::var("GLOBUS_CLIENT_ID").map_err(|_| "GLOBUS_CLIENT_ID is not set")?;
    let patience = match std::env::var("JOB_PATIENCE_SECONDS") {
        Ok(seconds) => Duration::from_secs(seconds.parse()?),
        Err(_) => PATIENCE,
    };

    let prompt = ElsewherePrompt::new().on_waiting(|_, waiting, jobs| {
        eprintln!("{}", waiting.in_plain_words(jobs));
        eprintln!("To log in, run: globus-ls --app-name job login");
    });
    let app = GlobusApp::user(client_id)
        .app_name("job")
        .refresh_tokens(true)
        .prompt(prompt)
        .build()?;
    // A request waits as long as its login may take.
    let session = Session::builder(app).login_timeout(patience).build();
    let http = HttpService::from_builder(reqwest::Client::builder())?;
    let client = GareLayer::from_session(session).layer(http);

    let transfer = Environment::from_env().service_url("transfer")?;
    let mut url = url::Url::parse(&transfer)?.join("v0.10/operation/endpoint/")?;
    url = url.join(&format!("{collection}/ls"))?;
    url.query_pairs_mut().append_pair("path", &path);
    let request = Request::get(url.as_str()).body(Full::<Bytes>::default())?;
    let answer = client.oneshot(request).await?;

    let outcome = answer.extensions().get::<GareOutcome>();
    if let Some(reason) = outcome.and_then(GareOutcome::gave_up) {
        eprintln!("job: {reason}");
        return Ok(ExitCode::from(4));
    }
    let (status, body) = (answer.status(), answer.into_body().collect().await?);
    println!("{}", String::from_utf8_lossy(&body.to_bytes()));
    Ok(ExitCode::from(u8::from(!status.is_success())))
}
