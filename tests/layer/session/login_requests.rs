//! Requests that a login or a look-up sends through its own client are sent unchanged.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, ReauthError, Reauthenticator, Session, Why,
};
use http::Request;
use tower::ServiceExt;

use checks::mock::{Body, MFA, Service, answer, authorization, behind, get, presenting};

const BASIC: &str = "Basic Y2xpZW50OnNlY3JldA==";
const ADA: &str = "Bearer ada";

/// Sends requests through `client` before it returns a token.
#[derive(Default)]
struct Talking {
    client: OnceLock<Service>,
    tokens: AtomicUsize,
}

impl Talking {
    async fn token(&self) -> Result<Credential, ReauthError> {
        let client = self.client.get().expect("set");
        for own in [None, Some(BASIC), Some(ADA)] {
            let request = match own {
                None => get("/own"),
                Some(value) => presenting(get("/own"), value),
            };
            let response = client.clone().oneshot(request).await.expect("an answer");
            assert_eq!(response.status(), 403, "nothing is done about it");
        }
        let token = self.tokens.fetch_add(1, SeqCst) + 1;
        Ok(Credential::bearer(format!("token-{token}"))?)
    }
}

#[async_trait]
impl Reauthenticator for Talking {
    async fn reauthenticate(&self, _: &Challenge) -> Result<Credential, ReauthError> {
        self.token().await
    }

    async fn credential(
        &self,
        request: &CredentialRequest,
    ) -> Result<Option<Credential>, ReauthError> {
        // The first look-up finds nothing, so there is a login.
        let is_required = matches!(request.why(), Why::Required(_));
        if is_required || self.tokens.load(SeqCst) < 2 {
            return Ok(None);
        }
        self.token().await.map(Some)
    }
}

#[checks::test]
async fn requests_of_a_login_are_sent_unchanged() {
    let talking = Arc::new(Talking::default());
    let session = Session::new(Arc::clone(&talking));
    let own = Arc::<Mutex<Vec<String>>>::default();
    let least = Arc::new(AtomicUsize::new(1));
    let (seen, wanted) = (Arc::clone(&own), Arc::clone(&least));
    let layer = GareLayer::from_session(session.clone());
    let client = behind(&layer, move |request: Request<Body>| {
        let sent = authorization(&request);
        let number = sent.strip_prefix("Bearer token-");
        let number: usize = number.map_or(0, |number| number.parse().expect("a number"));
        match request.uri().path() {
            "/own" => {
                seen.lock().expect("whole").push(sent.to_owned());
                answer(403, MFA)
            }
            _ if number >= wanted.load(SeqCst) => answer(200, ""),
            "/401" => answer(401, "{}"),
            _ => answer(403, MFA),
        }
    });
    assert!(talking.client.set(client.clone()).is_ok());
    // From the third request on, the session and `ADA` have credentials that could be sent.
    for (least_token, request, logins) in [
        (1, presenting(get("/"), ADA), 1),
        (2, get("/"), 2),
        (3, get("/"), 3),
        (4, presenting(get("/"), ADA), 4),
        // Without a login: a look-up sends requests of its own too.
        (5, get("/401"), 4),
    ] {
        least.store(least_token, SeqCst);
        let response = client.clone().oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), 200, "{least_token}");
        let own = std::mem::take(&mut *own.lock().expect("whole"));
        assert_eq!(own, ["", BASIC, ADA], "{least_token}");
        assert_eq!(session.stats().logins, logins, "{least_token}");
    }
}
