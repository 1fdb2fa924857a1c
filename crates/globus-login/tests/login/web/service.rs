//! A web service with replicas, and the browsers of its users.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use bytes::Bytes;
use cookie::{Cookie, SameSite};
use fake_globus::{Identity, Person};
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::layer::{GareLayer, GareService};
use globus_gare::reauth::{Challenge, GareOptions, Principal, Reauthenticator, Session, Target};
use globus_gare::reqwest::HttpService;
use globus_login::web::{WebError, WebLogins, WebUser};
use globus_login::{GlobusApp, GlobusAppBuilder, LoginStore, MemoryStore, Sealer};
use http::header::{CACHE_CONTROL, COOKIE, LOCATION, SET_COOKIE};
use http::request::Builder;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use tower::{Layer, ServiceExt};
use url::Url;

use crate::support::*;

pub(super) const SITE: &str = "https://data.example.edu";
pub(super) const ADA: &str = "ada@uchicago.edu";
pub(super) const BOB: &str = "bob@uchicago.edu";
pub(super) const GROUPS: &str = "urn:globus:auth:scope:groups.api.globus.org:all";

/// The shared parts of the replicas, and a Globus whose collection requires a login within the last
/// minute.
pub(super) struct Service {
    pub(super) sample: Sample,
    pub(super) store: Arc<dyn LoginStore>,
    pub(super) sealer: Sealer,
}

impl Service {
    pub(super) async fn new() -> Self {
        Self::on(MemoryStore::new()).await
    }

    pub(super) async fn on(store: impl LoginStore) -> Self {
        let sample = Sample::with(
            |collection| collection.session_minutes(1),
            |globus| {
                globus
                    .identity(Identity::new("bob", "uchicago.edu"))
                    .redirect_uri(format!("{SITE}/callback"))
            },
        );
        let sample = sample.await;
        sample.write("hello.txt", "hello");
        Self {
            sample,
            store: Arc::new(store),
            sealer: Sealer::random(),
        }
    }

    pub(super) fn app(&self) -> GlobusAppBuilder {
        let globus = &self.sample.globus;
        GlobusApp::user(globus.confidential_client_id().to_string())
            .client_secret(globus.client_secret())
            .auth_url(globus.auth_url())
            .resource_server_for(globus.transfer_url(), "transfer.api.globus.org")
            .redirect_uri(format!("{SITE}/callback"))
            .store(Arc::clone(&self.store))
            .clock(clock(globus))
    }

    pub(super) fn logins(&self, app: GlobusAppBuilder) -> WebLogins {
        let app = app.build().expect("an app");
        WebLogins::new(app, self.sealer.clone(), SITE).expect("a site")
    }

    /// Starts a replica of the service.
    pub(super) fn replica(&self) -> Router {
        self.replica_of(self.logins(self.app()))
    }

    pub(super) fn replica_of(&self, logins: WebLogins) -> Router {
        let session = Session::builder(logins.clone()).trust(self.sample.trust());
        let client = HttpService::from_builder(reqwest::Client::builder().no_proxy());
        let client = client.expect("a client");
        let replica = Replica {
            client: GareLayer::from_session(session.build()).layer(client),
            listing: self.sample.listing(),
            logins: logins.clone(),
        };
        Router::new()
            .route("/ls", get(list).post(list))
            .route("/as-nobody", get(list_as_nobody))
            .route("/policies", get(policies))
            .route("/groups", get(groups))
            .route("/hello", get(async || "hello"))
            .route(
                "/public",
                get(async || ([(CACHE_CONTROL, "max-age=60")], "public")),
            )
            .route("/logout", post(log_out))
            .fallback(who)
            .merge(logins.routes())
            .layer(logins.layer())
            .with_state(replica)
    }

    /// Approves a login as this person. Returns the callback's path.
    pub(super) async fn approve(&self, name: &str, page: &Url) -> String {
        self.answer(Person::automatic().picks(name), page).await
    }

    pub(super) async fn answer(&self, person: Person, page: &Url) -> String {
        self.sample.globus.set_person(person);
        let redirect = sent_to(page).await;
        redirect[url::Position::BeforePath..].to_owned()
    }

    pub(super) fn code_grants(&self) -> usize {
        self.sample.globus.counts().code_grants
    }

    /// Advances the clock. After more than one minute, the session is too old for the collection.
    pub(super) fn minutes_pass(&self, minutes: u64) {
        let time = std::time::Duration::from_secs(60 * minutes);
        self.sample.globus.clock().advance(time);
    }
}

#[derive(Clone)]
struct Replica {
    client: GareService<HttpService>,
    listing: String,
    logins: WebLogins,
}

async fn list(State(replica): State<Replica>, user: WebUser) -> Result<Response, WebError> {
    list_with(replica, GareOptions::new().principal(user.principal()?)).await
}

/// Sends the request without a principal: a mistake of the program.
async fn list_as_nobody(State(replica): State<Replica>) -> Result<Response, WebError> {
    list_with(replica, GareOptions::new()).await
}

/// Returns the owner of the first file, who is the user of the request.
async fn list_with(replica: Replica, options: GareOptions) -> Result<Response, WebError> {
    let request = Request::get(replica.listing).extension(options);
    let request = request.body(Full::<Bytes>::default())?;
    let answer = replica.client.oneshot(request).await?;
    WebError::check(&answer)?;
    assert_eq!(answer.status(), StatusCode::OK);
    let body = answer.into_body().collect().await?.to_bytes();
    let document: serde_json::Value = serde_json::from_slice(&body)?;
    Ok(Json(document["DATA"][0]["user"].clone()).into_response())
}

/// A service that requires more than a `state` can hold.
async fn policies(State(replica): State<Replica>, user: WebUser) -> Result<(), WebError> {
    let policies = (0..64).map(|number| format!("{number:0>36}"));
    let required = AuthorizationParameters::default().with_session_required_policies(policies);
    require(&replica, &user, required).await
}

/// A service that requires a scope that the program did not name.
async fn groups(State(replica): State<Replica>, user: WebUser) -> Result<(), WebError> {
    require(&replica, &user, consent(GROUPS)).await
}

async fn require(
    replica: &Replica,
    user: &WebUser,
    required: AuthorizationParameters,
) -> Result<(), WebError> {
    let origin = Url::parse(&replica.listing)?.origin();
    let principal = Principal::Named(user.principal()?);
    let target = Target::new(origin.ascii_serialization().parse()?, principal);
    let challenge = Challenge::new(target, Gare::new("AuthorizationRequired", required));
    replica.logins.reauthenticate(&challenge).await?;
    Ok(())
}

/// The id of a user who is logged in.
async fn who(user: WebUser) -> Result<String, WebError> {
    Ok(user.require_login().await?.to_string())
}

async fn log_out(user: WebUser) -> Result<String, WebError> {
    Ok(user.logout().await?.to_string())
}

/// The browser of a person. Clones share their cookies.
#[derive(Clone, Default)]
pub(super) struct Visitor(Arc<Mutex<BTreeMap<String, String>>>);

/// A response.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Visitor {
    pub(super) fn cookie(&self, name: &str) -> Option<String> {
        self.0.lock().expect("whole").get(name).cloned()
    }

    /// The values of the login cookies.
    pub(super) fn login_cookies(&self) -> Vec<String> {
        let cookies = self.0.lock().expect("whole");
        let cookies = cookies.iter();
        let cookies = cookies.filter(|(name, _)| name.starts_with("__Host-globus-login-"));
        cookies.map(|(_, value)| value.clone()).collect()
    }

    /// Adds the cookies of another visitor.
    pub(super) fn take_cookies(&self, other: &Self) {
        let other = other.0.lock().expect("whole").clone();
        self.0.lock().expect("whole").extend(other);
    }

    pub(super) fn set_cookie(&self, name: &str, value: impl Into<String>) {
        let mut cookies = self.0.lock().expect("whole");
        cookies.insert(name.to_owned(), value.into());
    }

    /// Opens a page. Follows no redirect.
    pub(super) async fn open(&self, replica: &Router, path: &str) -> Answer {
        self.send(replica, navigation(path)).await
    }

    /// The URL to which a page redirects the browser.
    pub(super) async fn sent_to(&self, replica: &Router, path: &str) -> Url {
        self.open(replica, path).await.location()
    }

    pub(super) async fn post(&self, replica: &Router, path: &str) -> Answer {
        self.send(replica, navigation(path).method(Method::POST))
            .await
    }

    pub(super) async fn send(&self, replica: &Router, request: Builder) -> Answer {
        let mut request = request.body(Body::empty()).expect("a request");
        let cookies: Vec<String> = {
            let cookies = self.0.lock().expect("whole");
            let cookies = cookies.iter();
            cookies
                .map(|(name, value)| format!("{name}={value}"))
                .collect()
        };
        if !cookies.is_empty() {
            let cookies = cookies.join("; ").parse().expect("cookies");
            request.headers_mut().insert(COOKIE, cookies);
        }
        let answer = replica.clone().oneshot(request).await;
        let (head, body) = answer.expect("an answer").into_parts();
        for cookie in head.headers.get_all(SET_COOKIE) {
            self.keep(cookie.to_str().expect("text"));
        }
        let body = body.collect().await.expect("a body").to_bytes();
        Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(body.to_vec()).expect("text"),
        }
    }

    fn keep(&self, cookie: &str) {
        let cookie = Cookie::parse(cookie).expect("a cookie");
        assert!(cookie.name().starts_with("__Host-"), "{cookie}");
        let (is_secure, is_http_only) = (cookie.secure(), cookie.http_only());
        assert_eq!(
            (is_secure, is_http_only),
            (Some(true), Some(true)),
            "{cookie}"
        );
        assert_eq!(cookie.same_site(), Some(SameSite::Lax), "{cookie}");
        assert_eq!(
            (cookie.path(), cookie.domain()),
            (Some("/"), None),
            "{cookie}"
        );
        let mut cookies = self.0.lock().expect("whole");
        match cookie.max_age() {
            Some(age) if age.is_zero() => cookies.remove(cookie.name()),
            _ => cookies.insert(cookie.name().to_owned(), cookie.value().to_owned()),
        };
    }

    /// Logs in as this person. Returns the user's id.
    pub(super) async fn log_in(&self, service: &Service, replica: &Router, name: &str) -> String {
        let page = self.sent_to(replica, "/who").await;
        let callback = service.approve(name, &page).await;
        let back = self.sent_to(replica, &callback).await;
        assert_eq!(back.as_str(), format!("{SITE}/who"));
        self.id(replica).await
    }

    /// The id of the user who is logged in.
    pub(super) async fn id(&self, replica: &Router) -> String {
        let answer = self.open(replica, "/who").await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.text
    }
}

impl Answer {
    #[track_caller]
    pub(super) fn location(&self) -> Url {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{self:?}");
        let location = self.headers[LOCATION].to_str().expect("text");
        assert_eq!(self.headers[CACHE_CONTROL], "no-store");
        location.parse().expect("a whole URL")
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).expect("JSON")
    }
}

/// A request of a browser that shows the response as a page.
pub(super) fn navigation(path: &str) -> Builder {
    Request::get(path).header("sec-fetch-mode", "navigate")
}

/// The path of a URL on the site, with its query.
pub(super) fn path(url: &Url) -> &str {
    assert_eq!(url.origin().ascii_serialization(), SITE);
    &url[url::Position::BeforePath..]
}
