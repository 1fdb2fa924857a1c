//! Hidden parts of the examples in the guides.

use std::sync::Arc;

use bytes::Bytes;
use fake_globus::{Collection, FakeGlobus, Identity, Person};
use tower::{BoxError, Service, ServiceExt};

pub use crate::browser::Browser;
use crate::browser::client;
use crate::corpus::rows;
use crate::sample::Sample;
pub use crate::sample::{GivenOut, TRANSFER_ALL as TRANSFER};

pub async fn list<S, B>(client: S, url: String) -> Result<http::Response<B>, BoxError>
where
    S: Service<http::Request<Bytes>, Response = http::Response<B>, Error: Into<BoxError>>,
{
    let request = http::Request::get(url).body(Bytes::new())?;
    client.oneshot(request).await.map_err(Into::into)
}

#[derive(Clone)]
pub struct Http(pub reqwest::Client);

impl Http {
    pub fn new() -> Self {
        Self(client())
    }
}

impl Service<http::Request<Bytes>> for Http {
    type Response = http::Response<reqwest::Body>;
    type Error = reqwest::Error;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Self::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Bytes>) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move {
            client
                .execute(request.try_into()?)
                .await
                .map(http::Response::from)
        })
    }
}

/// A server with one collection; the URL of its listing, the identity that logs in, and the files.
pub async fn globus(
    person: Person,
) -> Result<(Arc<FakeGlobus>, String, Identity, tempfile::TempDir), BoxError> {
    let demand = |collection: Collection| collection.domain("uchicago.edu").session_minutes(30);
    let sample = Sample::with(demand, |server| server.person(person)).await;
    sample.write("hello.txt", "hello");
    let url = sample.listing();
    Ok((
        Arc::new(sample.of.globus),
        url,
        sample.of.ada,
        sample.directory,
    ))
}

/// Asserts that a body in a guide is one of the corpus, byte for byte.
pub fn assert_real(body: &[u8]) {
    let text = std::str::from_utf8(body).expect("UTF-8");
    let is_real = rows().any(|row| row.body == text);
    assert!(is_real, "no body of the corpus: {text}");
}
