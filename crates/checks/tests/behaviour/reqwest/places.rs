//! The URLs that the middleware handles. They are the same as for the tower layer.

use globus_gare::reauth::{Credential, Session, Trust, reauth_fn};
use globus_gare::reqwest::GareMiddleware;
use reqwest::Request;
use reqwest_middleware::ClientBuilder;

use super::service::{gave_up, plain};
use super::trusted::Cache;
use crate::support::server::BoxError;

/// Sends a request to a service that accepts any credential.
async fn send(session: &Session, url: &str) -> Result<reqwest::Response, BoxError> {
    let client = ClientBuilder::new(plain())
        .with(GareMiddleware::from_session(session.clone()))
        .with(Cache {
            url: Some(url.to_owned()),
        })
        .build();
    let request = Request::new(http::Method::GET, url.parse()?);
    Ok(client.execute(request).await?)
}

#[checks::test]
async fn url_is_trusted_as_the_same_uri_is() -> Result<(), BoxError> {
    for (url, trusted) in [
        ("https://transfer.api.globus.org/v0.10/", true),
        ("https://Transfer.api.globus.org:443/v0.10/", true),
        ("http://127.0.0.1:8080/", true),
        ("http://[::1]:8080/", true),
        ("http://localhost/", true),
        ("https://user:password@transfer.api.globus.org/", false),
        ("https://user@transfer.api.globus.org/", false),
        ("https://transfer.api.globus.org:8443/", false),
        ("https://globus.org.evil.example/", false),
        ("http://transfer.api.globus.org/", false),
        ("ftp://transfer.api.globus.org/", false),
    ] {
        let login = reauth_fn(|_| async { Ok(Credential::bearer("fresh")?) });
        let session = Session::builder(login)
            .trust(Trust::globus().loopback())
            .build();
        // Without and with a credential of the session, which is for that origin only.
        for warm in [false, true] {
            if warm {
                let response = send(&session, "https://transfer.api.globus.org/").await?;
                assert_eq!(response.status(), 200);
            }
            let logins = session.stats().logins;
            let response = send(&session, url).await?;
            let expected = if trusted { 200 } else { 403 };
            assert_eq!(response.status(), expected, "{url}");
            let name = gave_up(&response).filter(|name| !name.is_empty());
            let names_no_origin = name == Some("no_origin");
            assert_eq!(
                name == Some("untrusted") || names_no_origin,
                !trusted,
                "{url}"
            );
            if !trusted {
                assert_eq!(session.stats().logins, logins, "{url}");
            }
        }
    }
    Ok(())
}
