//! A Globus Auth on loopback whose answers a test chooses, for answers that `FakeGlobus` never
//! gives.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use checks::tokens;
use globus_login::{GlobusApp, GlobusAppBuilder, LoginStore, StoredToken};
use http::Response;
use http::header::{CONTENT_TYPE, LOCATION};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use url::{Url, form_urlencoded};

use crate::support::*;

pub(crate) const CLIENT: &str = "3f1c2d9e-0000-4000-8000-000000000000";
pub(crate) const ADA: &str = "a0a0a0a0-0000-4000-8000-000000000000";

/// A service, and its resource server.
pub(crate) const TRANSFER: &str = "https://transfer.example";
pub(crate) const TRANSFER_SERVER: &str = "transfer.api.globus.org";
pub(crate) const AUTH_SERVER: &str = "auth.globus.org";

/// The code of every login.
pub(crate) const CODE: &str = "c0de-of-the-login";

pub(crate) type Answer = Response<String>;

/// A request to the endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) path: String,
    form: HashMap<String, String>,
}

impl Seen {
    async fn read(request: Request) -> Self {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, 64 * 1024).await.expect("a form");
        let query = head.uri.query().unwrap_or_default().as_bytes();
        let pairs = form_urlencoded::parse(query).chain(form_urlencoded::parse(&body));
        Self {
            path: head.uri.path().to_owned(),
            form: pairs
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        }
    }

    /// A field of the form or of the query; empty if it is missing.
    pub(crate) fn field(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }

    /// The redirect after a person approved.
    fn approved(&self) -> Answer {
        let mut back = Url::parse(self.field("redirect_uri")).expect("a redirect URI");
        back.query_pairs_mut()
            .append_pair("code", CODE)
            .append_pair("state", self.field("state"));
        redirected(302, back.as_str())
    }
}

pub(crate) struct Endpoint {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Endpoint {
    /// Starts an endpoint that approves every login. `answer` answers all other requests.
    pub(crate) async fn start<F>(answer: impl Fn(Seen) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (log, answer) = (Arc::clone(&seen), Arc::new(answer));
        let router = Router::new().fallback(move |request: Request| {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            async move {
                let request = Seen::read(request).await;
                if request.path == "/v2/oauth2/authorize" {
                    return request.approved();
                }
                log.lock().expect("no panic").push(request.clone());
                answer(request).await
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url: format!("http://{address}/"),
            seen,
        }
    }

    /// Starts an endpoint that gives every request but a login the same answer.
    pub(crate) async fn always(answer: Answer) -> Self {
        Self::start(move |_| ready(answer.clone())).await
    }

    /// The requests so far, without logins.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// The number of token requests with this grant.
    pub(crate) fn grants(&self, grant: &str) -> usize {
        let granted = |request: &&Seen| request.field("grant_type") == grant;
        self.requests().iter().filter(granted).count()
    }

    /// The tokens in revocation requests, in order.
    pub(crate) fn revoked(&self) -> Vec<String> {
        let requests = self.requests().into_iter();
        requests
            .filter(|request| request.path == "/v2/oauth2/token/revoke")
            .map(|request| request.field("token").to_owned())
            .collect()
    }

    /// Starts an endpoint where every login succeeds, with the tokens of [`login`]`("given")`.
    pub(crate) async fn approving() -> Self {
        Self::always(answer(200, &login("given"))).await
    }

    /// An app whose person approves at once.
    pub(crate) fn app(&self) -> GlobusAppBuilder {
        GlobusApp::user(CLIENT)
            .auth_url(&self.url)
            .resource_server_for(TRANSFER, TRANSFER_SERVER)
            .refresh_tokens(true)
            .prompt(Browser::redirected())
    }
}

pub(crate) fn answer(status: u16, body: &Value) -> Answer {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, "application/json")
        .body(body.to_string())
        .expect("an answer")
}

pub(crate) fn redirected(status: u16, location: &str) -> Answer {
    Response::builder()
        .status(status)
        .header(LOCATION, location)
        .body(String::new())
        .expect("an answer")
}

/// An error response (RFC 6749, section 5.2).
pub(crate) fn refused(error: &str, description: &str) -> Answer {
    answer(
        400,
        &json!({"error": error, "error_description": description}),
    )
}

/// The answer to a refresh: one token, with the refresh token `ACCESS-refresh`.
pub(crate) fn refreshed(server: &str, access: &str) -> Value {
    json!({
        "access_token": access, "refresh_token": format!("{access}-refresh"), "expires_in": 172_800,
        "scope": "all", "token_type": "Bearer", "resource_server": server,
    })
}

/// The answer to a login by Ada: a token for Transfer, and `ACCESS-auth` for Globus Auth.
pub(crate) fn login(access: &str) -> Value {
    let mut answer = refreshed(TRANSFER_SERVER, access);
    answer["other_tokens"] = json!([refreshed(AUTH_SERVER, &format!("{access}-auth"))]);
    answer["id_token"] = id_token(&json!({"sub": ADA, "aud": CLIENT}).to_string()).into();
    answer
}

pub(crate) fn id_token(claims: &str) -> String {
    format!("e30.{}.signature", URL_SAFE_NO_PAD.encode(claims))
}

/// A token for a store, with the refresh token `ACCESS-refresh`: valid for years, or long expired.
pub(crate) fn stored(server: &str, access: &str, is_fresh: bool) -> StoredToken {
    let expires_at = if is_fresh { 4_102_444_800_i64 } else { 1 };
    let more = json!({
        "identity_id": ADA, "refresh_token": format!("{access}-refresh"), "expires_at_seconds": expires_at,
    });
    tokens::with(&tokens::token(server, access), more)
}

/// Stores a token for the app's own user.
pub(crate) async fn keep(store: &(impl LoginStore + ?Sized), token: StoredToken) {
    tokens::put(store, &tokens::own(CLIENT), token).await;
}

/// The stored access tokens of the app's own user, by resource server.
pub(crate) async fn kept(store: &(impl LoginStore + ?Sized)) -> Vec<(String, String)> {
    let access = |token| {
        let members = tokens::members(token);
        members["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    };
    let tokens = tokens::load(store, &tokens::own(CLIENT)).await;
    let tokens = tokens.iter();
    tokens
        .map(|(server, token)| (server.clone(), access(token)))
        .collect()
}

/// The access token that the app sends to Transfer.
pub(crate) async fn sent(app: &GlobusApp) -> Option<String> {
    let held = held(app, &target(TRANSFER)).await;
    held.as_ref().map(bearer)
}

/// An event that happens any number of times and can be waited for.
#[derive(Clone, Debug)]
pub(crate) struct Signal(Arc<Semaphore>);

impl Signal {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    pub(crate) fn raise(&self) {
        self.0.add_permits(1);
    }

    /// Waits until the signal was raised `times` times.
    pub(crate) async fn raised(&self, times: u32) {
        let permits = self.0.acquire_many(times).await;
        // Dropping them returns the permits to other waiters.
        drop(permits.expect("never closed"));
    }
}
