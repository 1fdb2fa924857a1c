//! The server that the fixtures are compared with.

use checks::browser::client_without_redirects;
use checks::sample::{Sample, TRANSFER_ALL};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::shapes_of_services::{self, Services};

use super::Fixture;
use super::request::{Body, By, Request};

const AUTH: &str = "urn:globus:auth:scope:auth.globus.org:view_identity_set \
                    urn:globus:auth:scope:auth.globus.org:manage_projects";

/// A server with an object of each kind, and ada's tokens for it.
pub(super) struct Globus<'s> {
    pub(super) sample: &'s Sample,
    services: Services<'s>,
    /// The requests to services other than Auth and Transfer.
    others: Vec<shapes_of_services::Request>,
    pub(super) http: Client,
    transfer: String,
    pub(super) auth: String,
    /// A project that ada manages.
    pub(super) project: String,
}

impl<'s> Globus<'s> {
    pub(super) async fn around(sample: &'s Sample) -> Self {
        let services = Services::new(sample).await;
        let token = |scopes: &str| {
            let token = sample.globus.issue_token(&sample.ada, scopes);
            token.expect("a token")
        };
        let (transfer, auth) = (token(TRANSFER_ALL), token(AUTH));
        let mut globus = Self {
            http: client_without_redirects(),
            transfer,
            auth,
            project: String::new(),
            others: services.requests().await,
            services,
            sample,
        };
        globus.project = globus.project().await;
        globus
    }

    /// Creates an empty project.
    pub(super) async fn project(&self) -> String {
        let admins = [self.sample.ada.id()];
        let project = json!({"display_name": "P", "contact_email": "a@b.c", "admin_ids": admins});
        self.made(
            "auth",
            "v2/api/projects",
            json!({"project": project}),
            "/project/id",
        )
        .await
    }

    /// The request for a fixture of a service other than Auth and Transfer.
    pub(super) fn other(&self, fixture: &Fixture) -> Option<Request> {
        let mut others = self.others.iter();
        let known = others.find(|request| request.name == fixture.name)?;
        let request = Request::at(&known.path);
        let request = match &known.body {
            Some(body) => request.json(body.clone()),
            None => request,
        };
        let token = self.services.token(&fixture.service, known.of_flow);
        Some(match token {
            Some(token) => request.by(By::Token(token)),
            None => request,
        })
    }

    pub(super) fn url(&self, service: &str, path: &str) -> Option<String> {
        let url = self.sample.globus.service_url(service)?;
        Some(format!("{url}{}", path.trim_start_matches('/')))
    }

    /// Creates an object that a fixture needs; returns the value at `pointer` of the response.
    pub(super) async fn made(
        &self,
        service: &str,
        path: &str,
        body: Value,
        pointer: &str,
    ) -> String {
        let request = Request::at(path).json(body);
        let (status, document) = self.ask(service, Method::POST, request).await;
        let found = document.pointer(pointer).and_then(Value::as_str);
        let found = found.unwrap_or_else(|| panic!("{path}: {status} {document}"));
        found.to_owned()
    }

    /// Sends the request of a fixture; returns the status and the document of the response.
    pub(super) async fn send(&self, fixture: &Fixture, request: Request) -> (u16, Value) {
        let method = fixture.method.parse().expect("a method");
        self.ask(&fixture.service, method, request).await
    }

    pub(super) async fn ask(
        &self,
        service: &str,
        method: Method,
        request: Request,
    ) -> (u16, Value) {
        let url = self.url(service, &request.path).expect("a service");
        let token = match service {
            "auth" => &self.auth,
            _ => &self.transfer,
        };
        let asked = self.http.request(method, url);
        let asked = match request.by {
            By::Bearer => asked.bearer_auth(token),
            By::Token(token) => asked.bearer_auth(token),
            By::Client => {
                let id = self.sample.globus.confidential_client_id();
                asked.basic_auth(id, Some(self.sample.globus.client_secret()))
            }
            By::Nobody => asked,
        };
        let asked = match request.body {
            Body::None => asked,
            Body::Json(body) => asked.json(&body),
            Body::Text(body) => asked.header("content-type", "application/json").body(body),
            Body::Form(form) => asked.form(&form),
        };
        let response = asked.send().await.expect("a response");
        let status = response.status().as_u16();
        (status, response.json().await.unwrap_or(Value::Null))
    }
}
