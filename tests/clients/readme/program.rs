//! The program in the README, unchanged.

use bytes::Bytes;
use globus_gare::{Challenge, Credential, GareLayer, ReauthError, reauth_fn};
use http_body_util::Full;
use tower::{BoxError, Service, ServiceBuilder, ServiceExt};

async fn log_in(challenge: Challenge) -> Result<Credential, ReauthError> {
    eprintln!("{} Paste a fresh token:", challenge.in_plain_words());
    let mut token = String::new();
    std::io::stdin().read_line(&mut token)?;
    Ok(Credential::bearer(token.trim())?)
}

pub(crate) async fn list_tasks<S, B>(client: S) -> Result<http::StatusCode, BoxError>
where
    S: Service<http::Request<Full<Bytes>>, Response = http::Response<B>> + Clone + Send + 'static,
    S: Service<http::Request<Full<Bytes>>, Error: Into<BoxError>, Future: Send>,
    B: http_body::Body<Error: Send> + Send + 'static,
{
    let client = ServiceBuilder::new()
        .layer(GareLayer::new(reauth_fn(log_in)))
        .service(client);
    let request = http::Request::get("https://transfer.api.globus.org/v0.10/task_list")
        .body(Full::default())?;
    Ok(client.oneshot(request).await.map_err(Into::into)?.status())
}
