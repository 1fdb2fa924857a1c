//! Logins of a web service's users: parts of an [axum] router.
//!
//! A web service cannot wait for a person to log in. It sends the browser to Globus Auth, and the
//! browser comes back in another request, to any replica of the service.
//!
//! ```text
//!  browser              service                    Globus service    Globus Auth
//!    | GET /files/7        |                             |                |
//!    |-------------------->| GET ...                     |                |
//!    |                     |---------------------------->|                |
//!    |                     |   403 with a GARE           |                |
//!    |  303, with a state  |<----------------------------|                |
//!    |<--------------------|  seals into the state: the PKCE verifier, the requirement,
//!    |                     |  the return path /files/7   |                |
//!    | the login           |                             |                |
//!    |------------------------------------------------------------------->|
//!    | GET /callback?code=...&state=...                  |                |
//!    |-------------------->|  opens the state, takes the lease            |
//!    |                     |--------------------------------------------->|
//!    |  303 to /files/7    |  tokens, stored for this user                |
//!    |<--------------------|<---------------------------------------------|
//! ```
//!
//! [`WebLogins`] is the `Reauthenticator` of the session, [`WebLogins::routes`] has the callback,
//! and [`WebLogins::layer`] goes around the routes that have users. A handler takes the
//! [`WebUser`], sets its principal on the requests to Globus, and returns a [`WebError`] if the
//! user has to log in:
//!
//! ```
//! use axum::body::Body;
//! use axum::extract::State;
//! use axum::response::{IntoResponse, Response};
//! use axum::{Router, routing};
//! use globus_gare::layer::{GareLayer, GareService};
//! use globus_gare::reauth::{GareOptions, Session};
//! use globus_gare::reqwest::HttpService;
//! use globus_login::web::{WebError, WebLogins, WebUser};
//! use globus_login::{GlobusApp, Sealer};
//! use http::{Request, StatusCode};
//! use tower::{Layer, ServiceExt};
//!
//! async fn tasks(
//!     State(transfer): State<GareService<HttpService>>,
//!     user: WebUser,
//! ) -> Result<Response, WebError> {
//!     let request = Request::get("https://transfer.api.globus.org/v0.10/task_list")
//!         .extension(GareOptions::new().principal(user.principal()?))
//!         .body(reqwest::Body::default())?;
//!     let answer = transfer.oneshot(request).await?;
//!     // If the user has to log in: the layer turns the error into a redirect to the login.
//!     WebError::check(&answer)?;
//!     Ok((answer.status(), Body::new(answer.into_body())).into_response())
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000")
//!     .client_secret("the secret of the client")
//!     .redirect_uri("https://data.example.edu/callback")
//!     .build()?;
//! let logins = WebLogins::new(app, Sealer::random(), "https://data.example.edu")?;
//! let transfer = GareLayer::from_session(Session::new(logins.clone()));
//! let transfer = transfer.layer(HttpService::from_builder(reqwest::Client::builder())?);
//! let router: Router = Router::new()
//!     .route("/tasks", routing::get(tasks))
//!     .merge(logins.routes())
//!     .layer(logins.layer())
//!     .with_state(transfer);
//!
//! // A browser without a login.
//! let page = Request::get("/tasks").header("sec-fetch-mode", "navigate").body(Body::empty())?;
//! let answer = router.oneshot(page).await?;
//! assert_eq!(answer.status(), StatusCode::SEE_OTHER);
//! assert!(answer.headers()["location"].to_str()?.starts_with("https://auth.globus.org/"));
//! # Ok(())
//! # }
//! ```
//!
//! # Where state is kept
//!
//! | | where | for how long |
//! | --- | --- | --- |
//! | the tokens and the record of a user | the store of the app | as the store says |
//! | the id of the user | the cookie `__Host-globus-user`, sealed | until the browser is closed, or the logout |
//! | a login under way | the `state` in the URL, sealed | 10 minutes |
//! | the binding of that login to its browser | the cookie `__Host-globus-login-...`, random | 20 minutes after the last login began |
//!
//! A browser that is closed without a logout leaves its tokens in the store, until the store
//! forgets an unchanged login ([`keep_for`](crate::RedisStoreBuilder::keep_for)). So does a browser
//! that disconnects at the end of a login, unless it loads the callback again within 10 minutes: it
//! has not got the id.
//!
//! The service keeps nothing for a browser without a login. Over http on this machine the cookies
//! have no prefix and are not `Secure`.
//!
//! # Several replicas
//!
//! Replicas share the store of the app (`RedisStore`, or one of your own) and the keys of the
//! [`Sealer`](crate::Sealer). Any replica can answer a callback, also after a restart. If a
//! callback is loaded twice, even at the same time, its code is redeemed once.
//!
//! # The id of a user
//!
//! The login of a browser without a user gets a new random id. Later logins of the same person keep
//! the id. A login of another person is refused until [`WebUser::logout`]. If two tabs were sent to
//! a login, the one that comes back first logs in. The other does not redeem its code if the first
//! login brought all that it needs.
//!
//! # Responses to a handler's error
//!
//! | the request | a login is needed | something failed |
//! | --- | --- | --- |
//! | shows a page: `Sec-Fetch-Mode: navigate`, or, without that header, a `GET` that accepts HTML | `303` to Globus Auth | a page with `502` or `503` |
//! | anything else: an API call, curl | `401` with a GARE in JSON, and `login_url` in it | JSON with the same |
//!
//! After the login the browser goes to the return path. For a page, that is the page's own path.
//! For any other request, it is the path of the page that sent the request (`Referer`), if that
//! page is on this site, else `/`. The return path is left out if the `state` would be longer than
//! 1 KiB with it.

mod begin;
mod browser;
mod callback;
mod cookies;
mod error;
mod layer;
mod logins;
mod pages;
mod return_path;
mod state;
mod user;

pub use self::error::WebError;
pub use self::layer::{WebLayer, WebService};
pub use self::logins::{LoginNeeded, WebLogins};
pub use self::user::WebUser;
