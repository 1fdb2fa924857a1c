//! Small HTTP/1.1 servers, each an origin of its own, which record their requests.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, GareOutcome, ReauthError, Reauthenticator, Session,
    Trust,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

pub(crate) use checks::mock::MFA;

/// The session's token, which must not reach another origin.
pub(crate) const SECRET: &str = "AgSecretOfTheSession";

/// An origin on loopback.
pub(crate) struct Server {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Responds to every request with `answer`, which gets its head.
    pub(crate) async fn answering(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") {
                    if stream.read_line(&mut head).await.is_ok_and(|read| read > 0) {
                        continue;
                    }
                    break;
                }
                let answer = answer(&head);
                kept.lock().expect("whole").push(head);
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { url, heard }
    }

    /// Challenges every request without the fresh token.
    pub(crate) async fn demanding() -> Self {
        Self::answering(|head| {
            if head.contains("AgFresh") {
                answer("200 OK", "", "fresh")
            } else {
                answer("403 Forbidden", "", MFA)
            }
        })
        .await
    }

    /// Redirects every request.
    pub(crate) async fn redirecting(to: &str) -> Self {
        let location = format!("location: {to}\r\n");
        Self::answering(move |_| answer("307 Temporary Redirect", &location, "")).await
    }

    /// The number of requests, and whether one of them had the secret.
    pub(crate) fn received(&self) -> (usize, bool) {
        let heard = self.heard.lock().expect("whole");
        let secret = |head: &String| {
            let head = head.to_lowercase();
            head.contains("authorization") || head.contains(&SECRET.to_lowercase())
        };
        (heard.len(), heard.iter().any(secret))
    }
}

pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         {headers}content-length: {length}\r\n\r\n{body}"
    )
}

/// Has a stored credential, and a fresh one after a login.
struct Stored(Arc<AtomicUsize>);

#[async_trait]
impl Reauthenticator for Stored {
    async fn reauthenticate(&self, _: &Challenge) -> Result<Credential, ReauthError> {
        self.0.fetch_add(1, SeqCst);
        Ok(Credential::bearer("AgFresh")?)
    }

    async fn credential(&self, _: &CredentialRequest) -> Result<Option<Credential>, ReauthError> {
        Ok(Some(Credential::bearer(SECRET)?))
    }
}

/// A session that trusts only `origins`, and has the secret. Counts its logins.
pub(crate) fn session(origins: &[&Server]) -> (Session, Arc<AtomicUsize>) {
    trusting(origins.iter().fold(Trust::none(), |trust, server| {
        trust.origin(&server.url).expect("an origin")
    }))
}

pub(crate) fn trusting(trust: Trust) -> (Session, Arc<AtomicUsize>) {
    let logins = Arc::<AtomicUsize>::default();
    let session = Session::builder(Stored(Arc::clone(&logins)))
        .trust(trust)
        .build();
    (session, logins)
}

/// The result of a request: the status, the reason why the layer gave up, and the number of logins.
pub(crate) fn result<B>(
    response: &http::Response<B>,
    logins: &AtomicUsize,
) -> (u16, Option<&'static str>, usize) {
    let outcome = response.extensions().get::<GareOutcome>();
    let reason = outcome.and_then(GareOutcome::gave_up);
    let name = reason.map(|reason| reason.name());
    (response.status().as_u16(), name, logins.load(SeqCst))
}
