//! The app under test, and its Globus.

pub(crate) mod collection;
pub(crate) mod doubles;
pub(crate) mod endpoint;

use std::error::Error;
use std::time::{Duration, SystemTime};

pub(crate) use checks::browser::{Browser, Reply, client, sent_to};
pub(crate) use checks::program;
pub(crate) use checks::sample::{Sample, TRANSFER_ALL, assert_no_violation};
use checks::tokens;
use fake_globus::{FakeGlobus, Person, RequestKind};
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{
    Challenge, Credential, CredentialRequest, Origin, Principal, ReauthError, Reauthenticator,
    Target, Why,
};
use globus_login::{GlobusApp, GlobusAppBuilder, LoginStore, MemoryStore, Tokens};
use url::Url;

/// A parameter of a URL's query; empty if it is missing.
pub(crate) fn value(url: &Url, name: &str) -> String {
    checks::browser::parameter(url, name).unwrap_or_default()
}

pub(crate) async fn globus(person: Person) -> FakeGlobus {
    let builder = FakeGlobus::builder().person(person);
    builder.start().await.expect("a server")
}

pub(crate) fn app(globus: &FakeGlobus, browser: &Browser) -> GlobusAppBuilder {
    GlobusApp::user(globus.client_id().to_string())
        .auth_url(globus.auth_url())
        .resource_server_for(globus.transfer_url(), "transfer.api.globus.org")
        .resource_server_for("https://auth.example", "auth.globus.org")
        .prompt(browser.clone())
        .clock(clock(globus))
}

/// The clock of Globus. A test advances it to let tokens expire.
pub(crate) fn clock(globus: &FakeGlobus) -> impl Fn() -> SystemTime + Send + Sync + 'static {
    let clock = globus.clock().clone();
    move || clock.now()
}

/// Lets every access token expire.
pub(crate) fn expire(globus: &FakeGlobus) {
    globus.clock().advance(Duration::from_secs(3 * 24 * 3600));
}

/// The stored tokens of an [`app`]'s own user.
pub(crate) async fn load(store: &impl LoginStore, globus: &FakeGlobus) -> Tokens {
    tokens::load(store, &tokens::own(globus.client_id())).await
}

/// Removes the record of an [`app`]'s own user, as after a login by a program without records.
pub(crate) async fn forget_record(store: &MemoryStore, globus: &FakeGlobus) {
    let user = tokens::own(globus.client_id());
    let kept = store.load(&user).await.expect("memory");
    let mut login = kept.login;
    login.record = None;
    let done = store.commit(&user, &kept.version, &login).await;
    done.expect("memory").expect("no other commit");
}

/// Logs in, even if there are valid tokens.
pub(crate) async fn log_in_again(app: &GlobusApp) -> Result<(), ReauthError> {
    app.login_with(AuthorizationParameters::default()).await
}

/// As [`app`], with refresh tokens, and with this store.
pub(crate) fn refreshing(
    globus: &FakeGlobus,
    browser: &Browser,
    store: &MemoryStore,
) -> GlobusAppBuilder {
    app(globus, browser)
        .refresh_tokens(true)
        .store(store.clone())
}

/// The app of a client that acts for itself.
pub(crate) fn confidential(globus: &FakeGlobus) -> GlobusAppBuilder {
    let id = globus.confidential_client_id().to_string();
    GlobusApp::confidential(id, globus.client_secret())
        .auth_url(globus.auth_url())
        .resource_server_for(globus.transfer_url(), "transfer.api.globus.org")
        .clock(clock(globus))
}

/// Builds an app and logs in.
pub(crate) async fn logged_in(builder: GlobusAppBuilder) -> GlobusApp {
    let app = builder.build().expect("an app");
    app.login().await.expect("a login");
    app
}

/// The credential that the app finds for `target` without a person.
pub(crate) async fn held(app: &GlobusApp, target: &Target) -> Option<Credential> {
    let request = CredentialRequest::new(target.clone(), Why::Initial);
    app.credential(&request).await.expect("no error")
}

/// The token that a credential sends.
pub(crate) fn bearer(credential: &Credential) -> String {
    let value = credential.header_value().to_str().expect("text");
    value.strip_prefix("Bearer ").expect("a token").to_owned()
}

/// The number of requests of this kind.
pub(crate) fn requests_of(globus: &FakeGlobus, kind: RequestKind) -> usize {
    let requests = globus.requests().into_iter();
    requests.filter(|request| request.kind == kind).count()
}

pub(crate) fn target(url: &str) -> Target {
    Target::new(
        url.parse::<Origin>().expect("an origin"),
        Principal::Session,
    )
}

pub(crate) fn challenge(globus: &FakeGlobus, required: AuthorizationParameters) -> Challenge {
    Challenge::new(
        target(globus.transfer_url()),
        Gare::new("AuthorizationRequired", required),
    )
}

/// Has the app answer a challenge of Transfer with these requirements.
pub(crate) async fn answer_challenge(
    app: &GlobusApp,
    globus: &FakeGlobus,
    required: AuthorizationParameters,
) -> Result<Credential, ReauthError> {
    app.reauthenticate(&challenge(globus, required)).await
}

pub(crate) fn consent(scope: &str) -> AuthorizationParameters {
    AuthorizationParameters::default().with_required_scopes([scope])
}

/// The texts and `Debug` texts of an error and all its sources.
pub(crate) fn logged(error: &ReauthError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(" {error} {error:?}"));
        cause = error.source();
    }
    text
}

/// Asserts that an error contains `says` and none of the secrets.
#[track_caller]
pub(crate) fn assert_says(error: &ReauthError, says: &str, secrets: &[&str]) {
    let text = logged(error);
    assert!(text.contains(says), "{says:?}: {text}");
    for secret in secrets {
        assert!(!text.contains(secret), "{text}");
    }
}
