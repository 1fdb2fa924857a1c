//! A person with a browser, and the app under test.

pub(crate) mod endpoint;
pub(crate) mod program;
pub(crate) mod world;

use std::error::Error;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fake_globus::{FakeGlobus, Person, RequestKind};
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{
    Challenge, Credential, Identity, Origin, ReauthError, Reauthenticator, Target,
};
use globus_login::{
    GlobusApp, GlobusAppBuilder, LoginPrompt, LoginReply, LoginRequest, TokenStore, Tokens,
};
use reqwest::header::LOCATION;
use url::Url;

pub(crate) const TRANSFER_ALL: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";

/// What a person does with where the browser was sent.
pub(crate) type Hands = fn(Url) -> Result<LoginReply, ReauthError>;

/// Opens the page, and hands on where it was sent.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) hands: Hands,
    pub(crate) seen: Arc<Mutex<Vec<LoginRequest>>>,
    pub(crate) sent_to: Arc<Mutex<Vec<Url>>>,
}

impl Browser {
    pub(crate) fn new(hands: Hands) -> Self {
        Self {
            hands,
            seen: Arc::default(),
            sent_to: Arc::default(),
        }
    }

    pub(crate) fn redirected() -> Self {
        Self::new(|url| Ok(LoginReply::Redirect(url)))
    }

    /// The query of each authorize URL that was opened.
    pub(crate) fn queries(&self) -> Vec<Vec<(String, String)>> {
        let seen = self.seen.lock().expect("no panic");
        seen.iter()
            .map(|request| request.authorize_url().query_pairs().into_owned().collect())
            .collect()
    }

    /// A parameter of the authorize URL of a login, counted from 0.
    pub(crate) fn asked(&self, login: usize, name: &str) -> Option<String> {
        let seen = self.seen.lock().expect("no panic");
        let mut query = seen[login].authorize_url().query_pairs();
        let pair = query.find(|(known, _)| known == name);
        pair.map(|(_, value)| value.into_owned())
    }

    /// The states and codes that went through the browser.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let sent_to = self.sent_to.lock().expect("no panic");
        let pairs = sent_to
            .iter()
            .flat_map(|url| url.query_pairs().into_owned().collect::<Vec<_>>());
        pairs
            .filter(|(name, _)| name == "code" || name == "state")
            .map(|(_, value)| value)
            .collect()
    }
}

#[async_trait]
impl LoginPrompt for Browser {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        self.seen.lock().expect("no panic").push(request.clone());
        let location = sent_to(request.authorize_url()).await;
        assert!(
            location
                .as_str()
                .starts_with(request.redirect_uri().as_str()),
            "{location}"
        );
        self.sent_to
            .lock()
            .expect("no panic")
            .push(location.clone());
        (self.hands)(location)
    }
}

/// Where the browser of a user is sent that opens `page`.
pub(crate) async fn sent_to(page: &Url) -> Url {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client");
    let answer = client.get(page.clone()).send().await.expect("a page");
    let location = answer.headers()[LOCATION].to_str().expect("a location");
    page.join(location).expect("a URL")
}

pub(crate) fn value(url: &Url, name: &str) -> String {
    url.query_pairs()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

pub(crate) async fn globus(person: Person) -> FakeGlobus {
    FakeGlobus::builder()
        .person(person)
        .start()
        .await
        .expect("a server")
}

pub(crate) fn app(globus: &FakeGlobus, browser: &Browser) -> GlobusAppBuilder {
    GlobusApp::user(globus.client_id().to_string())
        .auth_url(globus.auth_url())
        .resource_server_for(globus.transfer_url(), "transfer.api.globus.org")
        .resource_server_for("https://auth.example", "auth.globus.org")
        .prompt(browser.clone())
}

/// The app of a client that acts for itself.
pub(crate) fn confidential(globus: &FakeGlobus) -> GlobusAppBuilder {
    let id = globus.confidential_client_id().to_string();
    GlobusApp::confidential(id, globus.client_secret())
        .auth_url(globus.auth_url())
        .resource_server_for(globus.transfer_url(), "transfer.api.globus.org")
}

/// What the app has for `target` without asking anybody.
pub(crate) async fn held(app: &GlobusApp, target: &Target) -> Option<Credential> {
    app.credential(target).await.expect("no error")
}

/// How many requests of this kind there were.
pub(crate) fn requests_of(globus: &FakeGlobus, kind: RequestKind) -> usize {
    let requests = globus.requests().into_iter();
    requests.filter(|request| request.kind == kind).count()
}

pub(crate) fn target(url: &str) -> Target {
    Target::new(url.parse::<Origin>().expect("an origin"), Identity::Session)
}

pub(crate) fn challenge(globus: &FakeGlobus, asked: AuthorizationParameters) -> Challenge {
    Challenge::new(
        target(globus.transfer_url()),
        Gare::new("AuthorizationRequired", asked),
    )
}

pub(crate) fn consent(scope: &str) -> AuthorizationParameters {
    AuthorizationParameters::default().with_required_scopes([scope])
}

/// The whole of an error, as a careless program would log it.
pub(crate) fn told(error: &ReauthError) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(" {error} {error:?}"));
        cause = error.source();
    }
    text
}

/// Makes every token of the app's own user run out: its last second was long ago.
pub(crate) async fn run_out(store: &impl TokenStore) {
    let change = |tokens: &mut Tokens| {
        for token in tokens.values_mut() {
            let mut kept = serde_json::to_value(&*token).expect("JSON");
            kept["expires_at_seconds"] = 1.into();
            *token = serde_json::from_value(kept).expect("a token");
        }
    };
    store
        .update("DEFAULT", Box::new(change))
        .await
        .expect("kept");
}
