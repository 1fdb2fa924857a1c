//! A server with one collection, asked over HTTP.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use checks::browser::client_without_redirects;
pub(crate) use checks::browser::parameter;
use checks::sample::{Sample, TRANSFER_ALL};
use fake_globus::{Collection, FakeGlobus, FakeGlobusBuilder, Identity, ViolationKind};
use reqwest::header::LOCATION;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use url::Url;

pub(crate) const ALL: &str = TRANSFER_ALL;
pub(crate) const OPENID: &str =
    "openid profile email urn:globus:auth:scope:auth.globus.org:view_identity_set";
pub(crate) const REDIRECT: &str = "http://127.0.0.1:49152/callback";
const VERIFIER: &str = "a-verifier-that-is-long-enough-for-the-standard-of-43";

/// A server with one collection over a temporary directory, which holds `hello.txt`.
pub(crate) struct Fixture {
    pub(crate) globus: FakeGlobus,
    pub(crate) ada: Identity,
    pub(crate) collection: String,
    pub(crate) http: Client,
    pub(crate) dir: TempDir,
}

impl Fixture {
    /// A fixture whose collection demands only a token.
    pub(crate) async fn open() -> Self {
        Self::new(|collection| collection).await
    }

    pub(crate) async fn new(policies: impl FnOnce(Collection) -> Collection) -> Self {
        Self::with(policies, |server| server).await
    }

    pub(crate) async fn with(
        policies: impl FnOnce(Collection) -> Collection,
        server: impl FnOnce(FakeGlobusBuilder) -> FakeGlobusBuilder,
    ) -> Self {
        let server = |builder: FakeGlobusBuilder| {
            server(builder.identity(Identity::new("grace", "navy.mil")))
        };
        let sample = Sample::with(policies, server).await;
        sample.write("hello.txt", "hello");
        Self {
            globus: sample.of.globus,
            ada: sample.of.ada,
            collection: sample.of.collection.to_string(),
            http: client_without_redirects(),
            dir: sample.directory,
        }
    }

    /// The id of the native client.
    pub(crate) fn client_id(&self) -> String {
        self.globus.client_id().to_string()
    }

    /// Creates a directory in the collection.
    pub(crate) fn make_directory(&self, name: &str) {
        fs::create_dir(self.dir.path().join(name)).expect("a directory");
    }

    /// Creates a FIFO in the collection.
    #[cfg(unix)]
    pub(crate) fn make_fifo(&self, name: &str) {
        let made = std::process::Command::new("mkfifo")
            .arg(self.dir.path().join(name))
            .status();
        assert!(made.expect("mkfifo runs").success());
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.globus.auth_url())
    }

    /// The path of an operation on the collection.
    pub(crate) fn operation(&self, what: &str) -> String {
        format!("v0.10/operation/endpoint/{}/{what}", self.collection)
    }

    /// The URL of an authorize request, with `more` parameters; one of the same name replaces the
    /// default.
    pub(crate) fn authorize_url(&self, scope: &str, more: &[(&str, &str)]) -> Url {
        let client = self.client_id();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let defaults = [
            ("client_id", client.as_str()),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", scope),
            ("state", "xyzzy"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("access_type", "offline"),
        ];
        let authorize = self.url("v2/oauth2/authorize");
        Url::parse_with_params(&authorize, replaced(&defaults, more)).expect("a URL")
    }

    pub(crate) async fn authorize(&self, scope: &str, more: &[(&str, &str)]) -> Response {
        send(self.http.get(self.authorize_url(scope, more))).await
    }

    /// The redirect of a login that the automatic person answers.
    pub(crate) async fn answer(&self, scope: &str, more: &[(&str, &str)]) -> Url {
        location(&self.authorize(scope, more).await)
    }

    /// The code of a login for [`ALL`].
    pub(crate) async fn code(&self) -> String {
        code(&self.answer(ALL, &[]).await)
    }

    pub(crate) async fn exchange(&self, code: &str, more: &[(&str, &str)]) -> Response {
        let client = self.client_id();
        let defaults = [
            ("grant_type", "authorization_code"),
            ("client_id", client.as_str()),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.post("v2/oauth2/token", &replaced(&defaults, more))
            .await
    }

    /// Logs in; returns the token document.
    pub(crate) async fn log_in(&self, scope: &str, more: &[(&str, &str)]) -> Value {
        let code = code(&self.answer(scope, more).await);
        ok(self.exchange(&code, &[]).await).await
    }

    pub(crate) async fn refresh(&self, refresh_token: &str) -> Response {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &self.client_id()),
            ("refresh_token", refresh_token),
        ];
        self.post("v2/oauth2/token", &form).await
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        send(self.http.post(self.url(path)).form(form)).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Response {
        send(self.http.get(self.url(path)).bearer_auth(token)).await
    }

    pub(crate) async fn post_json(&self, path: &str, token: &str, body: &Value) -> Response {
        let request = self.http.post(self.url(path)).bearer_auth(token);
        send(request.json(body)).await
    }

    pub(crate) async fn ls(&self, token: &str, query: &str) -> Response {
        self.get(&self.operation(&format!("ls{query}")), token)
            .await
    }

    /// The status of a listing with this token.
    pub(crate) async fn ls_status(&self, token: &str) -> u16 {
        self.ls(token, "").await.status().as_u16()
    }

    /// The status of a listing with the access token of this token document.
    pub(crate) async fn ls_status_with(&self, tokens: &Value) -> u16 {
        self.ls_status(text(tokens, "/access_token")).await
    }

    /// The username that this token document belongs to.
    pub(crate) async fn username(&self, tokens: &Value) -> String {
        let access = text(tokens, "/access_token");
        let info = ok(self.get("v2/oauth2/userinfo", access).await).await;
        text(&info, "/preferred_username").to_owned()
    }

    /// The request with the id and secret of the confidential client.
    pub(crate) fn as_confidential(&self, request: RequestBuilder) -> RequestBuilder {
        let id = self.globus.confidential_client_id();
        request.basic_auth(id, Some(self.globus.client_secret()))
    }

    /// Introspects a token as the confidential client.
    pub(crate) async fn introspect(&self, form: &[(&str, &str)]) -> Response {
        let request = self.http.post(self.url("v2/oauth2/token/introspect"));
        send(self.as_confidential(request).form(form)).await
    }

    pub(crate) fn token(&self) -> String {
        let token = self.globus.issue_token(&self.ada, ALL);
        token.expect("a token")
    }

    pub(crate) fn violations(&self) -> Vec<ViolationKind> {
        let violations = self.globus.violations();
        violations.iter().map(|violation| violation.kind).collect()
    }
}

/// `defaults` without the names in `more`, then `more`.
fn replaced<'a>(
    defaults: &[(&'a str, &'a str)],
    more: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let is_replaced = |name| more.iter().any(|(other, _)| *other == name);
    let defaults = defaults.iter().filter(|(name, _)| !is_replaced(*name));
    defaults.chain(more).copied().collect()
}

/// Sends a request with a JSON body and a token for Transfer.
pub(crate) async fn ask(fixture: &Fixture, method: Method, path: &str, body: &Value) -> Response {
    let request = fixture.http.request(method, fixture.url(path));
    send(request.bearer_auth(fixture.token()).json(body)).await
}

/// Sends a command to the control plane.
pub(crate) async fn tell(fixture: &Fixture, command: &str, fields: Value) -> Response {
    let request = fixture.http.post(fixture.url(&format!("_fake/{command}")));
    send(request.json(&fields)).await
}

/// Sends a command to the control plane; returns the document of its success.
pub(crate) async fn told(fixture: &Fixture, command: &str, fields: Value) -> Value {
    ok(tell(fixture, command, fields).await).await
}

pub(crate) async fn send(request: RequestBuilder) -> Response {
    request.send().await.expect("a response")
}

pub(crate) async fn json(response: Response) -> Value {
    response.json().await.expect("JSON")
}

pub(crate) async fn page(response: Response) -> String {
    response.text().await.expect("text")
}

/// The document of a response with status 200.
pub(crate) async fn ok(response: Response) -> Value {
    assert_eq!(response.status(), 200);
    json(response).await
}

/// Asserts the status of a response; returns the `code` of its document.
pub(crate) async fn document_code(response: Response, status: u16) -> String {
    assert_eq!(response.status(), status);
    text(&json(response).await, "/code").to_owned()
}

/// The code in the redirect of a login.
pub(crate) fn code(redirect: &Url) -> String {
    let code = parameter(redirect, "code");
    code.unwrap_or_else(|| panic!("no code: {redirect}"))
}

/// Asserts that a login was denied.
#[track_caller]
pub(crate) fn assert_denied(redirect: &Url) {
    let error = parameter(redirect, "error");
    assert_eq!(error.as_deref(), Some("access_denied"), "{redirect}");
}

pub(crate) fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no {pointer} in {document}"))
}

/// The texts at `pointer` in each element of the array at `array`.
pub(crate) fn texts<'a>(document: &'a Value, array: &str, pointer: &str) -> Vec<&'a str> {
    let array = document.pointer(array).and_then(Value::as_array);
    let array = array.unwrap_or_else(|| panic!("no array in {document}"));
    array.iter().map(|element| text(element, pointer)).collect()
}

/// The URL that a response redirects to.
#[track_caller]
pub(crate) fn location(response: &Response) -> Url {
    let status = response.status();
    assert!(status.is_redirection(), "{status}");
    let location = response.headers()[LOCATION].to_str().expect("text");
    response.url().join(location).expect("a URL")
}
