//! The responses that the official SDK tests itself with: each is served in the same shape, or answered 501.

use std::collections::BTreeMap;
use std::fs;

use checks::browser::client_without_redirects;
use checks::sample::{Sample, TRANSFER_ALL};
use fake_globus::FakeGlobus;
use peers::python;
use serde_json::{Value, json};

/// What a request is made of that is known to be served: the name of the fixture, and the body.
fn served(sample: &Sample, submission: u32) -> BTreeMap<&'static str, (String, Value)> {
    let id = &sample.collection;
    let operation = |name: &str| format!("v0.10/operation/endpoint/{id}/{name}");
    let submission = format!("00000000-0000-0000-0000-{submission:012}");
    let item =
        json!({"source_path": "/hello.txt", "destination_path": "/copy.txt", "path": "/copy.txt"});
    let task = json!({
        "submission_id": submission, "endpoint": id, "source_endpoint": id, "destination_endpoint": id,
        "DATA": [item],
    });
    let renaming = json!({"old_path": "/made", "new_path": "/renamed"});
    BTreeMap::from([
        (
            "transfer.get_endpoint",
            (format!("v0.10/endpoint/{id}"), Value::Null),
        ),
        (
            "transfer.get_submission_id",
            ("v0.10/submission_id".to_owned(), Value::Null),
        ),
        (
            "transfer.operation_mkdir",
            (operation("mkdir"), json!({"path": "/made"})),
        ),
        ("transfer.operation_rename", (operation("rename"), renaming)),
        (
            "transfer.operation_stat",
            (operation("stat?path=/hello.txt"), Value::Null),
        ),
        (
            "transfer.submit_transfer",
            ("v0.10/transfer".to_owned(), task.clone()),
        ),
        ("transfer.submit_delete", ("v0.10/delete".to_owned(), task)),
        (
            "transfer.task_list",
            ("v0.10/task_list".to_owned(), Value::Null),
        ),
    ])
}

/// Where `ours` lacks something of `theirs`, or has another type for it. What is null on either side fits anything.
fn differences(theirs: &Value, ours: &Value, at: &str, found: &mut Vec<String>) {
    match (theirs, ours) {
        (Value::Null, _) | (_, Value::Null) => {}
        (Value::Object(theirs), Value::Object(ours)) => {
            for (name, value) in theirs {
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
    let sample = Sample::open().await;
    sample.write("hello.txt", "hello");
    let token = sample.globus.issue_token(&sample.ada, TRANSFER_ALL);
    let token = token.expect("a token");
    let http = client_without_redirects();
    let (mut in_shape, mut not_served, mut not_compared) = (0, 0, 0);
    let mut wrong = Vec::new();
    for (number, fixture) in (0..).zip(fixtures()) {
        let text = |name: &str| fixture[name].as_str().expect("text");
        let (name, case) = text("name").split_once(':').expect("a case");
        let known = served(&sample, number)
            .remove(name)
            .filter(|_| case == "default");
        let (path, body) = known
            .clone()
            .unwrap_or((text("path").to_owned(), json!({})));
        let Some(url) = url(&sample.globus, text("service"), &path) else {
            not_compared += 1;
            continue;
        };
        let method = text("method").parse().expect("a method");
        let request = http.request(method, url).bearer_auth(&token).json(&body);
        let response = request.send().await.expect("a response");
        let status = response.status();
        let document = response.json().await.unwrap_or(Value::Null);
        if status == 501 && known.is_none() {
            not_served += 1;
        } else if known.is_some() {
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
        in_shape == 8 && not_served > 200,
        "{in_shape}, {not_served}"
    );
    fs::metadata(sample.directory.path().join("renamed")).expect("the directory");
}
