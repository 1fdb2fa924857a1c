//! Trust: only responses of trusted origins start a login.

use bytes::Bytes;
use globus_gare::reauth::{Credential, Session, Trust, reauth_fn};
use globus_gare::reqwest::GareMiddleware;
use http::Extensions;
use reqwest::ResponseBuilderExt;
use reqwest_middleware::{ClientBuilder, Middleware, Next};

use super::service::{GARE, answer, gave_up, guarded, plain, with_middleware};
use crate::support::server::{BoxError, Server};

fn trusting(origin: &str) -> Session {
    let login = reauth_fn(|_| async { Ok(Credential::bearer("fresh")?) });
    Session::builder(login)
        .trust(Trust::none().origin(origin).expect("an origin"))
        .build()
}

#[checks::test]
async fn challenge_of_a_redirect_target_starts_no_login() -> Result<(), BoxError> {
    let (stranger, _) = guarded(403).await;
    let to = stranger.url("/");
    let trusted = Server::start(move |_| {
        let mut answer = answer(302, Bytes::new());
        answer
            .headers_mut()
            .insert("location", to.parse().expect("a URL"));
        async move { answer }
    })
    .await;
    let session = trusting(&trusted.url(""));
    let client = with_middleware(&session);
    for url in [trusted.url("/"), stranger.url("/")] {
        let response = client.get(url).send().await?;
        assert_eq!(gave_up(&response), Some("untrusted"));
        assert_eq!(response.text().await?, GARE);
    }
    assert_eq!(session.stats().logins, 0);
    Ok(())
}

#[checks::test]
async fn middleware_settings_take_effect() -> Result<(), BoxError> {
    let (server, requests) = guarded(403).await;
    let login = || reauth_fn(|_| async { Ok(Credential::bearer("fresh")?) });
    let trust = || Trust::none().loopback();
    let length = GARE.len();
    for (middleware, status) in [
        // This machine is not trusted by default.
        (GareMiddleware::new(login()), 403),
        (
            GareMiddleware::from_session(Session::builder(login()).trust(trust()).build()),
            200,
        ),
        (
            GareMiddleware::from_session(Session::builder(login()).trust(trust()).build())
                .max_inspect(length),
            200,
        ),
        (
            GareMiddleware::from_session(Session::builder(login()).trust(trust()).build())
                .max_inspect(length - 1),
            403,
        ),
    ] {
        let session = middleware.session().clone();
        let client = ClientBuilder::new(plain()).with(middleware).build();
        let response = client.get(server.url("/")).send().await?;
        assert_eq!(response.status(), status);
        let text = response.text().await?;
        assert_eq!(text, if status == 403 { GARE } else { "" });
        assert_eq!(session.stats().logins, u64::from(status == 200));
    }
    assert_eq!(requests.load(std::sync::atomic::Ordering::SeqCst), 6);
    Ok(())
}

/// A middleware that answers itself, as caches and mocks do.
pub(crate) struct Cache {
    pub(crate) url: Option<String>,
}

#[async_trait::async_trait]
impl Middleware for Cache {
    async fn handle(
        &self,
        request: reqwest::Request,
        _: &mut Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        let known = request.headers().contains_key("authorization");
        let mut answer = http::Response::builder().status(if known { 200 } else { 403 });
        if let Some(url) = &self.url {
            answer = answer.url(url.parse().expect("a URL"));
        }
        Ok(answer.body(GARE).expect("a response").into())
    }
}

#[checks::test]
async fn response_without_a_url_is_untrusted() -> Result<(), BoxError> {
    let url = "https://transfer.api.globus.org/";
    for (response_url, status) in [(None, 403), (Some(url.to_owned()), 200)] {
        let client = ClientBuilder::new(plain())
            .with(GareMiddleware::from_session(trusting(url)))
            .with(Cache { url: response_url })
            .build();
        assert_eq!(client.get(url).send().await?.status(), status);
    }
    Ok(())
}
