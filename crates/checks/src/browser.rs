//! HTTP clients like a browser, and a prompt that logs in with one.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use globus_gare::reauth::ReauthError;
use globus_login::{LoginPrompt, LoginReply, LoginRequest};
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use url::Url;

/// A client that follows redirects. It uses no proxy: a proxy cannot reach the ports of this
/// machine.
pub fn client() -> Client {
    let client = Client::builder().no_proxy().build();
    client.expect("a client")
}

/// As [`client`], but it returns redirects instead of following them.
pub fn client_without_redirects() -> Client {
    let client = Client::builder().no_proxy().redirect(Policy::none());
    client.build().expect("a client")
}

/// The target of a redirect.
#[track_caller]
pub fn location(response: &Response) -> Url {
    let status = response.status();
    assert!(status.is_redirection(), "{status}");
    let location = response.headers()[LOCATION].to_str().expect("text");
    response.url().join(location).expect("a URL")
}

/// Opens `page`; returns the target of its redirect.
pub async fn sent_to(page: impl AsRef<str>) -> Url {
    let redirect = fake_globus::Browser::new().redirect(page).await;
    redirect.expect("a redirect")
}

/// Opens `page`, follows its redirects, and returns the text of the last page.
pub async fn visit(page: impl AsRef<str>) -> String {
    let page = fake_globus::Browser::new().open(page).await;
    page.expect("a page").text
}

/// A parameter of a URL's query.
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    let mut pairs = url.query_pairs();
    let pair = pairs.find(|(known, _)| known == name);
    pair.map(|(_, value)| value.into_owned())
}

/// Makes a reply of the URL that the login page redirects to.
pub type Reply = fn(&LoginRequest, Url) -> Result<LoginReply, ReauthError>;

/// A [`LoginPrompt`] that opens the login page, replies with the redirect, and records both. Clones
/// share the record.
#[derive(Clone)]
pub struct Browser {
    /// `None`: opens no page.
    reply: Option<Reply>,
    requests: Arc<Mutex<Vec<LoginRequest>>>,
    redirects: Arc<Mutex<Vec<Url>>>,
}

impl Browser {
    /// Completes each login: the reply is the redirect.
    pub fn redirected() -> Self {
        Self::replying(|request, url| Ok(LoginReply::redirect(request, url)))
    }

    /// Completes each login with the result of `reply`.
    pub fn replying(reply: Reply) -> Self {
        Self {
            reply: Some(reply),
            requests: Arc::default(),
            redirects: Arc::default(),
        }
    }

    /// Opens no page, and declines each login.
    pub fn closed() -> Self {
        Self {
            reply: None,
            requests: Arc::default(),
            redirects: Arc::default(),
        }
    }

    /// The requests of the logins so far.
    pub fn requests(&self) -> Vec<LoginRequest> {
        self.requests.lock().expect("no panic").clone()
    }

    /// How many logins there were so far.
    pub fn logins(&self) -> usize {
        self.requests.lock().expect("no panic").len()
    }

    /// A parameter of the authorize URL of a login, counted from 0.
    pub fn parameter(&self, login: usize, name: &str) -> Option<String> {
        let requests = self.requests.lock().expect("no panic");
        parameter(requests[login].authorize_url(), name)
    }

    /// The redirects of the login pages so far.
    pub fn redirects(&self) -> Vec<Url> {
        self.redirects.lock().expect("no panic").clone()
    }

    /// The states and codes of all redirects so far.
    pub fn secrets(&self) -> Vec<String> {
        let redirects = self.redirects();
        let names = ["code", "state"];
        let secrets = redirects
            .iter()
            .flat_map(|url| names.map(|name| parameter(url, name)));
        secrets.flatten().collect()
    }
}

#[async_trait]
impl LoginPrompt for Browser {
    async fn ask(&self, request: &LoginRequest) -> Result<LoginReply, ReauthError> {
        self.requests
            .lock()
            .expect("no panic")
            .push(request.clone());
        let Some(reply) = self.reply else {
            return Err(ReauthError::declined());
        };
        let redirect = sent_to(request.authorize_url()).await;
        let expected = request.redirect_uri();
        assert!(redirect.as_str().starts_with(expected), "{redirect}");
        self.redirects
            .lock()
            .expect("no panic")
            .push(redirect.clone());
        reply(request, redirect)
    }
}
