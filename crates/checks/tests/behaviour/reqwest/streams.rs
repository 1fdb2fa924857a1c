//! Streaming request bodies: sent once by default, replayed on request.

use std::sync::atomic::Ordering::SeqCst;

use futures_util::stream;
use globus_gare::reqwest::GareMiddleware;
use reqwest::Body;
use reqwest_middleware::ClientBuilder;

use super::service::{builder, gave_up, guarded, plain, session, with_middleware};
use crate::support::server::BoxError;

fn stream(pieces: &'static [&'static str]) -> Body {
    Body::wrap_stream(stream::iter(
        pieces.iter().map(|piece| Ok::<_, BoxError>(*piece)),
    ))
}

#[checks::test]
async fn stream_is_sent_once_by_default() -> Result<(), BoxError> {
    let (server, requests) = guarded(403).await;
    let session = session();
    let client = with_middleware(&session);
    let response = client
        .put(server.url("/"))
        .body(stream(&["a", "b"]))
        .send()
        .await?;
    assert_eq!(gave_up(&response), Some("not_replayable"));
    // The login serves the next request.
    assert_eq!((requests.load(SeqCst), session.stats().logins), (1, 1));
    assert_eq!(response.status(), 403);

    let response = client
        .put(server.url("/"))
        .body(stream(&["a", "b"]))
        .send()
        .await?;
    assert_eq!(
        (response.status().as_u16(), gave_up(&response)),
        (200, None)
    );
    assert_eq!(response.text().await?, "ab");
    assert_eq!((requests.load(SeqCst), session.stats().logins), (2, 1));

    // The session may be told not to log in.
    let session = builder().login_if_not_replayable(false).build();
    let client = with_middleware(&session);
    let body = stream(&["a"]);
    let response = client.put(server.url("/")).body(body).send().await?;
    assert_eq!(gave_up(&response), Some("not_replayable"));
    assert_eq!(session.stats().logins, 0);
    Ok(())
}

#[checks::test]
async fn stream_is_replayed_up_to_the_limit_that_is_set() -> Result<(), BoxError> {
    for (limit, status) in [(5, 200), (4, 403)] {
        let (server, requests) = guarded(403).await;
        let session = session();
        let client = ClientBuilder::new(plain())
            .with(GareMiddleware::from_session(session.clone()).replay_streams(limit))
            .build();
        let body = stream(&["ab", "cde"]);
        let response = client.put(server.url("/")).body(body).send().await?;
        assert_eq!(response.status(), status);
        let again = u64::from(status == 200);
        assert_eq!(session.stats().replays, again);
        assert_eq!(requests.load(SeqCst) as u64, 1 + again);
        if status == 200 {
            assert_eq!(response.text().await?, "abcde");
        }
    }
    Ok(())
}

#[checks::test]
async fn empty_stream_is_replayed_by_default() -> Result<(), BoxError> {
    let (server, _) = guarded(403).await;
    let client = with_middleware(&session());
    let nothing = Body::wrap(http_body_util::Empty::<bytes::Bytes>::new());
    let response = client.put(server.url("/")).body(nothing).send().await?;
    assert_eq!(response.status(), 200);
    Ok(())
}
