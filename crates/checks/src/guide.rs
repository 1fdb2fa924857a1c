//! What the examples of the guides hide.

use std::sync::Arc;

use bytes::Bytes;
use fake_globus::{Collection, FakeGlobus, Identity, Person};
use http_body_util::Full;
use tower::{BoxError, Service, ServiceExt};

pub use crate::browser::Browser;
use crate::corpus::rows;
use crate::sample::Sample;
pub use crate::sample::{GivenOut, TRANSFER_ALL as TRANSFER};

pub async fn list<S, B>(client: S, url: String) -> Result<http::Response<B>, BoxError>
where
    S: Service<http::Request<Full<Bytes>>, Response = http::Response<B>, Error: Into<BoxError>>,
{
    let request = http::Request::get(url).body(Full::default())?;
    client.oneshot(request).await.map_err(Into::into)
}

/// A server with one collection, the URL of its listing, and who can log in.
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

/// The bodies that the guides show are those of the corpus, to the byte.
pub fn assert_real(body: &[u8]) {
    let text = std::str::from_utf8(body).expect("UTF-8");
    let is_real = rows().any(|row| row.body == text);
    assert!(is_real, "no body of the corpus: {text}");
}
