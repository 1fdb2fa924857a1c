//! The responses that the official SDK tests itself with: each is served in the same shape, or answered 501.

use std::collections::BTreeMap;
use std::fs;

use checks::browser::client_without_redirects;
use checks::sample::{Sample, TRANSFER_ALL};
use fake_globus::FakeGlobus;
use peers::python;
use serde_json::{Value, json};

use crate::shapes_of_services::{Services, furnished};

const AUTH: &str = "urn:globus:auth:scope:auth.globus.org:view_identity_set";

/// A request that is known to be served.
struct Served {
    path: String,
    body: Body,
}

enum Body {
    None,
    Json(Value),
    /// Of the client with a secret.
    Form(Vec<(&'static str, String)>),
}

/// The requests that stand for fixtures, by the names of those. That of a native client's instance is not among them: it nests
/// the document once more than the command line reads it.
fn served(sample: &Sample, token: &str, submission: u32) -> BTreeMap<&'static str, Served> {
    let id = &sample.collection;
    let operation = |name: &str| format!("v0.10/operation/endpoint/{id}/{name}");
    let submission = format!("00000000-0000-0000-0000-{submission:012}");
    let task = json!({
        "submission_id": submission, "endpoint": id, "source_endpoint": id, "destination_endpoint": id,
        "DATA": [{"source_path": "/hello.txt", "destination_path": "/copy.txt", "path": "/copy.txt"}],
    });
    let renaming = json!({"old_path": "/made", "new_path": "/renamed"});
    let consents = format!("v2/api/identities/{}/consents", sample.ada.id());
    let identities = "v2/api/identities?usernames=ada@uchicago.edu".to_owned();
    let of_itself = vec![
        ("grant_type", "client_credentials".to_owned()),
        ("scope", TRANSFER_ALL.to_owned()),
    ];
    let of_token = vec![("token", token.to_owned())];
    let requests = [
        (
            "transfer.get_endpoint",
            format!("v0.10/endpoint/{id}"),
            Body::None,
        ),
        (
            "transfer.get_submission_id",
            "v0.10/submission_id".to_owned(),
            Body::None,
        ),
        (
            "transfer.operation_mkdir",
            operation("mkdir"),
            Body::Json(json!({"path": "/made"})),
        ),
        (
            "transfer.operation_rename",
            operation("rename"),
            Body::Json(renaming),
        ),
        (
            "transfer.operation_stat",
            operation("stat?path=/hello.txt"),
            Body::None,
        ),
        (
            "transfer.submit_transfer",
            "v0.10/transfer".to_owned(),
            Body::Json(task.clone()),
        ),
        (
            "transfer.submit_delete",
            "v0.10/delete".to_owned(),
            Body::Json(task),
        ),
        (
            "transfer.task_list",
            "v0.10/task_list".to_owned(),
            Body::None,
        ),
        ("auth.get_identities", identities, Body::None),
        ("auth.get_consents", consents, Body::None),
        (
            "auth.oauth2_client_credentials_tokens",
            "v2/oauth2/token".to_owned(),
            Body::Form(of_itself),
        ),
        (
            "auth.oauth2_token_introspect",
            "v2/oauth2/token/introspect".to_owned(),
            Body::Form(of_token.clone()),
        ),
        (
            "auth.oauth2_revoke_token",
            "v2/oauth2/token/revoke".to_owned(),
            Body::Form(of_token),
        ),
    ];
    let requests = requests.into_iter();
    requests
        .map(|(name, path, body)| (name, Served { path, body }))
        .collect()
}

/// What a program itself gives to a flow, a timer or a task, or what comes of that: it has no shape.
const GIVEN: [&str; 8] = [
    "body",
    "callback_body",
    "functions",
    "input",
    "output",
    "properties",
    "results",
    "States",
];

/// Where `ours` lacks something of `theirs`, or has another type for it. What is null on either side fits anything.
fn differences(theirs: &Value, ours: &Value, at: &str, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(theirs), Value::Object(ours)) => {
            for (name, value) in theirs {
                let is_id = name.len() == 36 && name.matches('-').count() == 4;
                if is_id || GIVEN.contains(&name.as_str()) {
                    continue;
                }
                let at = format!("{at}/{name}");
                match ours.get(name) {
                    Some(own) => differences(value, own, &at, found),
                    None => found.push(format!("{at} is missing")),
                }
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            if let (Some(first), Some(own)) = (theirs.first(), ours.first()) {
                differences(first, own, &format!("{at}/0"), found);
            }
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => {}
        _ => found.push(format!("{at} is {ours}, not as {theirs}")),
    }
}

fn fixtures() -> Vec<Value> {
    let output = python::script("fixtures.py").output().expect("Python runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let lines = String::from_utf8(output.stdout).expect("text");
    let fixtures = lines.lines().map(serde_json::from_str);
    fixtures.collect::<Result<_, _>>().expect("JSON")
}

fn url(globus: &FakeGlobus, service: &str, path: &str) -> Option<String> {
    let url = globus.service_url(service)?;
    Some(format!("{url}{}", path.trim_start_matches('/')))
}

#[checks::test(seconds = 600)]
async fn each_fixture_of_the_sdk_is_served_in_shape_or_501() {
    let sample = Sample::with(|collection| collection, furnished).await;
    let services = Services::new(&sample).await;
    let of_services = services.requests().await;
    sample.write("hello.txt", "hello");
    let token = |scopes: &str| {
        let token = sample.globus.issue_token(&sample.ada, scopes);
        token.expect("a token")
    };
    let (transfer, auth) = (token(TRANSFER_ALL), token(AUTH));
    let http = client_without_redirects();
    let (mut in_shape, mut not_served, mut not_compared) = (0, 0, 0);
    let mut wrong = Vec::new();
    for (number, fixture) in (0..).zip(fixtures()) {
        let text = |name: &str| fixture[name].as_str().expect("text");
        let (name, case) = text("name").split_once(':').expect("a case");
        let service = text("service");
        let token = if service == "auth" { &auth } else { &transfer };
        let known = served(&sample, token, number).remove(name);
        let mut others = of_services.iter();
        let other = others.find(|request| request.name == name);
        let own = services.token(service, other.is_some_and(|request| request.of_flow));
        let token = own.as_ref().unwrap_or(token);
        let other = other.map(|request| Served {
            path: request.path.clone(),
            body: request.body.clone().map_or(Body::None, Body::Json),
        });
        let known = known.or(other).filter(|_| case == "default");
        let is_known = known.is_some();
        let request = known.unwrap_or_else(|| Served {
            path: text("path").to_owned(),
            body: Body::Json(json!({})),
        });
        let Some(url) = url(&sample.globus, service, &request.path) else {
            not_compared += 1;
            continue;
        };
        let method = text("method").parse().expect("a method");
        let asked = http.request(method, url);
        let asked = match request.body {
            Body::None => asked.bearer_auth(token),
            Body::Json(body) => asked.bearer_auth(token).json(&body),
            Body::Form(form) => {
                let id = sample.globus.confidential_client_id();
                let secret = sample.globus.client_secret();
                asked.basic_auth(id, Some(secret)).form(&form)
            }
        };
        let response = asked.send().await.expect("a response");
        let status = response.status();
        let document = response.json().await.unwrap_or(Value::Null);
        if status == 501 && !is_known {
            not_served += 1;
        } else if is_known {
            let mut found = Vec::new();
            differences(&fixture["json"], &document, "", &mut found);
            if !status.is_success() || !found.is_empty() {
                wrong.push(format!("{name}: {status} {found:?}"));
            }
            in_shape += 1;
        } else {
            // Served, but for other things than those of the fixture.
            not_compared += 1;
        }
    }
    println!("{in_shape} in shape, {not_served} answered 501, {not_compared} not compared");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(
        in_shape == 55 && not_served > 200,
        "{in_shape}, {not_served}"
    );
    fs::metadata(sample.directory.path().join("renamed")).expect("the directory");
}
