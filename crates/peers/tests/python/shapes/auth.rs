//! Requests for the fixtures of Auth.

use checks::browser::parameter;
use checks::sample::TRANSFER_ALL;
use reqwest::header::LOCATION;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Fixture;
use super::globus::Globus;
use super::request::{By, Request};

const GROUPS: &str = "urn:globus:auth:scope:groups.api.globus.org:view_my_groups_and_memberships";
const REDIRECT: &str = "http://127.0.0.1:49152/callback";

impl Globus<'_> {
    async fn client(&self) -> String {
        let client = json!({"name": "C", "project": self.project, "client_type": "client_identity", "fqdns": [Uuid::new_v4()]});
        self.made(
            "auth",
            "v2/api/clients",
            json!({"client": client}),
            "/client/id",
        )
        .await
    }

    async fn credential(&self, client: &str) -> String {
        let path = format!("v2/api/clients/{client}/credentials");
        let body = json!({"credential": {"name": "foo"}});
        self.made("auth", &path, body, "/credential/id").await
    }

    async fn policy(&self) -> String {
        let policy = json!({
            "project_id": self.project, "display_name": "P", "description": "D",
            "high_assurance": true, "authentication_assurance_timeout": 25,
        });
        self.made(
            "auth",
            "v2/api/policies",
            json!({"policy": policy}),
            "/policy/id",
        )
        .await
    }

    async fn scope(&self) -> Value {
        let path = format!("v2/api/clients/{}/scopes", self.client().await);
        let scope = json!({"name": "S", "description": "D", "scope_suffix": "manage"});
        let request = Request::at(path).json(json!({"scope": scope}));
        self.ask("auth", Method::POST, request).await.1["scope"].clone()
    }

    fn issued(&self, scopes: &str) -> String {
        let token = self.sample.globus.issue_token(&self.sample.ada, scopes);
        token.expect("a token")
    }

    /// The code of a login for the client with a secret.
    async fn code(&self, scopes: &str) -> String {
        let client = self.sample.globus.confidential_client_id().to_string();
        let query = [
            ("client_id", client.as_str()),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", scopes),
            ("state", "_default"),
        ];
        let url = self.url("auth", "v2/oauth2/authorize").expect("a URL");
        let url = Url::parse_with_params(&url, query).expect("a URL");
        let answer = self.http.get(url).send().await.expect("a response");
        let location = answer.headers()[LOCATION].to_str().expect("text");
        parameter(&Url::parse(location).expect("a URL"), "code").expect("a code")
    }
}

/// The fields that the SDK's method sends for its arguments.
fn fields(fixture: &Fixture, but: &str) -> Value {
    let mut fields = fixture.arguments();
    let Value::Object(given) = &mut fields else {
        return json!({});
    };
    given.remove(but);
    let links = ["terms_and_conditions", "privacy_policy"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), given.remove(name)?)));
    let links: serde_json::Map<String, Value> = links.collect();
    if !links.is_empty() {
        given.insert("links".to_owned(), links.into());
    }
    fields
}

/// The fields with the id of an existing project.
fn in_project(globus: &Globus<'_>, mut fields: Value, name: &str) -> Value {
    if fields.get(name).is_some() {
        fields[name] = json!(globus.project);
    }
    fields
}

fn tokens(form: Vec<(&'static str, String)>) -> Request {
    Request::at("v2/oauth2/token").form(form)
}

/// The request for a fixture of Auth.
pub(super) async fn request(globus: &Globus<'_>, fixture: &Fixture) -> Option<Request> {
    let name = fixture.name.trim_start_matches("auth.");
    let ada = &globus.sample.ada;
    let api = |path: String| Request::at(format!("v2/api/{path}"));
    Some(match (name, fixture.case.as_str()) {
        ("get_identities", "empty") => api("identities?usernames=nobody@nowhere.org".to_owned()),
        ("get_identities", "unauthorized") => api("identities".to_owned()).by(By::Nobody),
        ("get_identities", _) => api("identities?usernames=ada@uchicago.edu".to_owned()),
        ("get_identity_providers", _) => api("identity_providers?domains=uchicago.edu".to_owned()),
        ("get_consents", _) => api(format!("identities/{}/consents", ada.id())),
        ("userinfo", "unauthorized") => Request::at("v2/oauth2/userinfo").by(By::Nobody),
        ("userinfo", "forbidden") => Request::at("v2/oauth2/userinfo"),

        ("create_project", "default") => api("projects".to_owned()).json(json!({"project": {
            "display_name": "P", "contact_email": "a@b.c", "admin_ids": [ada.id()],
        }})),
        ("create_project", "admin_group") => api("projects".to_owned()).json(json!({"project": {
            "display_name": "P", "contact_email": "a@b.c", "admin_group_ids": [Uuid::new_v4()],
        }})),
        ("get_project", _) => api(format!("projects/{}", globus.project)),
        ("get_projects", _) => api("projects".to_owned()),
        ("update_project", "default") => api(format!("projects/{}", globus.project))
            .json(json!({"project": {"admin_ids": [ada.id()]}})),
        ("update_project", "admin_group") => api(format!("projects/{}", globus.project().await))
            .json(json!({"project": {"admin_group_ids": [Uuid::new_v4()]}})),
        ("delete_project", _) => api(format!("projects/{}", globus.project().await)),

        ("create_policy", _) => {
            let policy = in_project(globus, fields(fixture, ""), "project_id");
            api("policies".to_owned()).json(json!({"policy": policy}))
        }
        ("update_policy", _) => {
            let policy = in_project(globus, fields(fixture, "policy_id"), "project_id");
            api(format!("policies/{}", globus.policy().await)).json(json!({"policy": policy}))
        }
        ("get_policy" | "delete_policy", _) => api(format!("policies/{}", globus.policy().await)),
        ("get_policies", _) => {
            globus.policy().await;
            api("policies".to_owned())
        }

        ("create_client", _) => {
            let client = in_project(globus, fields(fixture, ""), "project");
            api("clients".to_owned()).json(json!({"client": client}))
        }
        ("create_child_client", _) => api("clients".to_owned())
            .json(json!({"client": fields(fixture, "")}))
            .by(By::Client),
        ("create_native_app_instance", _) => {
            let mut client = fields(fixture, "");
            client["template_id"] = json!(globus.sample.globus.client_id());
            api("clients".to_owned())
                .json(json!({"client": client}))
                .by(By::Nobody)
        }
        ("get_client", "fqdn") => {
            let client = globus.client().await;
            let path = format!("clients/{client}");
            let (_, shown) = globus.ask("auth", Method::GET, api(path)).await;
            let fqdn = shown["client"]["fqdns"][0].as_str().expect("text");
            api(format!("clients?fqdn={fqdn}"))
        }
        ("get_client" | "delete_client", _) => api(format!("clients/{}", globus.client().await)),
        ("get_clients", _) => api("clients".to_owned()),
        ("update_client", _) => api(format!("clients/{}", globus.client().await))
            .json(json!({"client": fields(fixture, "client_id")})),
        ("create_client_credential", _) => {
            api(format!("clients/{}/credentials", globus.client().await))
                .json(json!({"credential": {"name": "foo"}}))
        }
        ("get_client_credentials", _) => {
            let client = globus.client().await;
            globus.credential(&client).await;
            api(format!("clients/{client}/credentials"))
        }
        ("delete_client_credential", _) => {
            let client = globus.client().await;
            let credential = globus.credential(&client).await;
            api(format!("clients/{client}/credentials/{credential}"))
        }

        ("create_scope", _) => api(format!("clients/{}/scopes", globus.client().await))
            .json(json!({"scope": fields(fixture, "client_id")})),
        ("update_scope", _) => {
            let scope = globus.scope().await;
            api(format!("scopes/{}", scope["id"].as_str().expect("text")))
                .json(json!({"scope": fields(fixture, "scope_id")}))
        }
        ("get_scope" | "delete_scope", _) => {
            let scope = globus.scope().await;
            api(format!("scopes/{}", scope["id"].as_str().expect("text")))
        }
        ("get_scopes", case) => {
            let scope = globus.scope().await;
            let text = |name: &str| scope[name].as_str().expect("text").to_owned();
            match case {
                "id" => api(format!("scopes?ids={}", text("id"))),
                "string" => api(format!("scopes?scope_strings={}", text("scope_string"))),
                _ => api("scopes".to_owned()),
            }
        }

        ("oauth2_client_credentials_tokens", case) => {
            let scope = if case == "openid" {
                "openid"
            } else {
                TRANSFER_ALL
            };
            tokens(vec![
                ("grant_type", "client_credentials".to_owned()),
                ("scope", scope.to_owned()),
            ])
        }
        ("oauth2_exchange_code_for_tokens", case) => {
            let code = match case {
                "openid" => globus.code("openid email profile").await,
                "invalid_grant" => "made-up".to_owned(),
                _ => globus.code(TRANSFER_ALL).await,
            };
            tokens(vec![
                ("grant_type", "authorization_code".to_owned()),
                ("redirect_uri", REDIRECT.to_owned()),
                ("code", code),
            ])
        }
        ("oauth2_get_dependent_tokens", case) => {
            let service = globus.sample.globus.confidential_client_id();
            let own = format!("https://auth.globus.org/scopes/{service}/action[{GROUPS}]");
            let mut form = vec![
                (
                    "grant_type",
                    "urn:globus:auth:grant_type:dependent_token".to_owned(),
                ),
                ("token", globus.issued(&own)),
            ];
            if case == "groups_with_refresh_token" {
                form.push(("access_type", "offline".to_owned()));
            }
            tokens(form)
        }
        ("oauth2_token_introspect", _) => {
            Request::at("v2/oauth2/token/introspect").form(vec![("token", globus.auth.clone())])
        }
        ("oauth2_revoke_token", _) => {
            Request::at("v2/oauth2/token/revoke").form(vec![("token", globus.issued(TRANSFER_ALL))])
        }
        _ => return None,
    })
}
