//! The responses that the official SDK tests itself with: each is served in the same shape, or answered 501.

mod auth;
mod globus;
mod request;
mod same;
mod transfer;

use checks::sample::Sample;
use peers::python;
use serde_json::Value;

use globus::Globus;
use request::Request;
use same::differences;

/// A response of the SDK's own tests.
struct Fixture {
    /// Such as `transfer.task_list`.
    name: String,
    /// Such as `default`.
    case: String,
    service: String,
    method: String,
    path: String,
    status: u16,
    /// What the request is made with, and what is in the answer.
    metadata: Value,
    document: Value,
}

impl Fixture {
    fn read(line: &str) -> Self {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let text = |name: &str| line[name].as_str().expect("text").to_owned();
        let full = text("name");
        let (name, case) = full.split_once(':').expect("a case");
        Self {
            name: name.to_owned(),
            case: case.to_owned(),
            service: text("service"),
            method: text("method"),
            path: text("path"),
            status: line["status"].as_u64().expect("a number") as u16,
            metadata: line["metadata"].clone(),
            document: line["json"].clone(),
        }
    }

    fn all() -> Vec<Self> {
        let output = python::script("fixtures.py").output().expect("Python runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let lines = String::from_utf8(output.stdout).expect("text");
        lines.lines().map(Self::read).collect()
    }

    /// The document, which one of them holds twice.
    fn expected(&self) -> &Value {
        match self.name.as_str() {
            "auth.create_native_app_instance" => &self.document["client"],
            _ => &self.document,
        }
    }

    /// The arguments that the SDK's method is called with.
    fn arguments(&self) -> Value {
        self.metadata["args"].clone()
    }
}

/// The request that stands for a fixture; `None` where nothing that is served does.
async fn request(globus: &Globus, fixture: &Fixture) -> Option<Request> {
    match fixture.service.as_str() {
        "transfer" => transfer::request(globus, fixture).await,
        "auth" => auth::request(globus, fixture).await,
        _ => None,
    }
}

/// How many fixtures the table of the README tells of, in its order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    in_shape: usize,
    not_served: usize,
    not_compared: usize,
}

impl Counts {
    /// The numbers of the sentence in the README.
    fn of_the_readme() -> Self {
        let readme = include_str!("../../../../fake-globus/README.md");
        let text = readme.split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, text) = text.split_once("Of the 324 responses").expect("a sentence");
        let number = |words: &str| {
            let (before, _) = text.split_once(words).expect("a number");
            let number = before.rsplit(' ').next().expect("a word");
            number.parse().expect("a number")
        };
        Self {
            in_shape: number(" are compared with what is served"),
            not_served: number(" are of calls that are answered 501"),
            not_compared: number(" are compared with nothing"),
        }
    }
}

#[checks::test(seconds = 600)]
async fn each_fixture_of_the_sdk_is_served_in_shape_or_501() {
    let sample = Sample::open().await;
    sample.write("hello.txt", "hello");
    let globus = Globus::around(sample).await;
    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    for fixture in Fixture::all() {
        let name = format!("{}:{}", fixture.name, fixture.case);
        if let Some(request) = request(&globus, &fixture).await {
            let (status, document) = globus.send(&fixture, request).await;
            let mut found = Vec::new();
            differences(fixture.expected(), &document, "", &mut found);
            if status / 100 != fixture.status / 100 || !found.is_empty() {
                wrong.push(format!("{name}: {status} {found:?}"));
            }
            counts.in_shape += 1;
            continue;
        }
        let unknown = Request::at(&fixture.path).json(Value::Object(Default::default()));
        match globus.url(&fixture.service, &fixture.path) {
            Some(_) if globus.send(&fixture, unknown).await.0 == 501 => counts.not_served += 1,
            // Served, but for other things than those of the fixture; or of no service that has an origin here.
            _ => {
                println!("not compared: {name}");
                counts.not_compared += 1;
            }
        }
    }
    println!("{counts:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(counts, Counts::of_the_readme());
}
