//! A server with one collection, asked over HTTP.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fake_globus::{Collection, FakeGlobus, FakeGlobusBuilder, Identity, Person};
use reqwest::{Client, Response, redirect};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use url::Url;

pub(crate) const ALL: &str = "urn:globus:auth:scope:transfer.api.globus.org:all";
pub(crate) const OPENID: &str =
    "openid profile email urn:globus:auth:scope:auth.globus.org:view_identity_set";
pub(crate) const VERIFIER: &str = "a-verifier-that-is-long-enough-for-the-standard-of-43";
pub(crate) const REDIRECT: &str = "http://127.0.0.1:49152/callback";

/// A server with one collection over a temporary directory.
pub(crate) struct Fixture {
    pub(crate) globus: FakeGlobus,
    pub(crate) ada: Identity,
    pub(crate) collection: String,
    pub(crate) http: Client,
    pub(crate) dir: TempDir,
}

impl Fixture {
    pub(crate) async fn new(policies: impl FnOnce(Collection) -> Collection) -> Self {
        Self::with(policies, |server| server).await
    }

    pub(crate) async fn with(
        policies: impl FnOnce(Collection) -> Collection,
        server: impl FnOnce(FakeGlobusBuilder) -> FakeGlobusBuilder,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("hello.txt"), "hello").unwrap();
        let collection = policies(Collection::new("uc-restricted-col", dir.path()));
        let ada = Identity::new("ada", "uchicago.edu").linked(Identity::new("ada", "globusid.org"));
        let id = collection.id().to_string();
        let builder = FakeGlobus::builder()
            .collection(collection)
            .identity(ada.clone())
            .identity(Identity::new("grace", "navy.mil"))
            .person(Person::automatic());
        let globus = server(builder).start().await.unwrap();
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            globus,
            ada,
            collection: id,
            http,
            dir,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.globus.auth_url())
    }

    /// The query of an authorize request, with `more` added; a `more` of the same name takes its place.
    pub(crate) fn authorize_url(&self, scope: &str, more: &[(&str, &str)]) -> Url {
        let client = self.globus.client_id().to_string();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let usual = [
            ("client_id", client.as_str()),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", scope),
            ("state", "xyzzy"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("access_type", "offline"),
        ];
        let usual = usual
            .iter()
            .filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
        Url::parse_with_params(&self.url("v2/oauth2/authorize"), usual.chain(more)).unwrap()
    }

    pub(crate) async fn authorize(&self, scope: &str, more: &[(&str, &str)]) -> Response {
        self.http
            .get(self.authorize_url(scope, more))
            .send()
            .await
            .unwrap()
    }

    /// Where an automatic person's answer redirects to.
    pub(crate) async fn answer(&self, scope: &str, more: &[(&str, &str)]) -> Url {
        location(&self.authorize(scope, more).await)
    }

    pub(crate) async fn exchange(&self, code: &str, more: &[(&str, &str)]) -> Response {
        let client = self.globus.client_id().to_string();
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", client.as_str()),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let usual = usual
            .iter()
            .filter(|(name, _)| !more.iter().any(|(other, _)| other == name));
        let form: Vec<_> = usual.chain(more).collect();
        self.http
            .post(self.url("v2/oauth2/token"))
            .form(&form)
            .send()
            .await
            .unwrap()
    }

    /// A whole login; gives the token document.
    pub(crate) async fn log_in(&self, scope: &str, more: &[(&str, &str)]) -> Value {
        let code = param(&self.answer(scope, more).await, "code").expect("the login succeeds");
        let response = self.exchange(&code, &[]).await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.http
            .post(self.url(path))
            .form(form)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Response {
        self.http
            .get(self.url(path))
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn ls(&self, token: &str, query: &str) -> Response {
        self.get(
            &format!("v0.10/operation/endpoint/{}/ls{query}", self.collection),
            token,
        )
        .await
    }

    pub(crate) fn token(&self) -> String {
        self.globus.issue_token(&self.ada, ALL).unwrap()
    }
}

pub(crate) fn location(response: &Response) -> Url {
    assert!(response.status().is_redirection(), "{}", response.status());
    Url::parse(response.headers()["location"].to_str().unwrap()).unwrap()
}

pub(crate) fn param(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

pub(crate) fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no {pointer} in {document}"))
}
