//! The test fixtures of the official SDK: each is served in the same shape, or answered 501.

mod auth;
mod globus;
mod request;
mod same;
mod transfer;

use std::collections::BTreeMap;

use checks::sample::Sample;
use peers::python;
use serde_json::Value;

use crate::shapes_of_services::furnished;

use globus::Globus;
use request::Request;
use same::differences;

/// A fixture: a response of the SDK's tests.
struct Fixture {
    /// Such as `transfer.task_list`.
    name: String,
    /// Such as `default`.
    case: String,
    service: String,
    method: String,
    path: String,
    status: u16,
    /// The arguments of the request, and values of the response.
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

    fn full_name(&self) -> String {
        format!("{}:{}", self.name, self.case)
    }

    /// The document. One fixture wraps it twice.
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

/// The request for the fixture's response; `None` if no served endpoint gives it.
async fn request(globus: &Globus<'_>, fixture: &Fixture) -> Option<Request> {
    match fixture.service.as_str() {
        "transfer" => transfer::request(globus, fixture).await,
        "auth" => auth::request(globus, fixture).await,
        _ if fixture.status >= 400 || OTHER_REQUESTS.contains(&fixture.full_name().as_str()) => {
            None
        }
        _ => globus.other(fixture),
    }
}

/// Cases whose responses have a different shape, since their requests differ.
const OTHER_REQUESTS: [&str; 3] = [
    "compute.v2.get_version:all",
    "flows.get_run_logs:paginated",
    "timer.create_timer:flow_timer_success",
];

/// The numbers of a service's fixtures: compared, answered 501, neither.
#[derive(Debug, Default)]
struct Counts {
    in_shape: usize,
    not_served: usize,
    not_compared: usize,
}

/// The lines of the table in the README.
fn table(counts: &BTreeMap<String, Counts>) -> Vec<String> {
    let row = |name: &str, each: [usize; 3]| {
        let [in_shape, not_served, not_compared] = each;
        format!("| {name} | {in_shape} | {not_served} | {not_compared} |")
    };
    let each = |counts: &Counts| [counts.in_shape, counts.not_served, counts.not_compared];
    let rows = counts.iter().map(|(name, counts)| row(name, each(counts)));
    let all = counts.values().map(each).fold([0; 3], |sum, each| {
        std::array::from_fn(|column| sum[column] + each[column])
    });
    rows.chain([row("together", all)]).collect()
}

fn table_of_the_readme() -> Vec<String> {
    let readme = include_str!("../../../../fake-globus/README.md");
    let lines = readme
        .lines()
        .skip_while(|line| !line.contains("same keys and types"));
    let rows = lines.filter(|line| line.starts_with("| ")).skip(2);
    rows.map(ToOwned::to_owned).collect()
}

#[checks::test(seconds = 600)]
async fn sdk_fixtures_are_served_in_shape_or_501() {
    let sample = Sample::with(|collection| collection, furnished).await;
    sample.write("hello.txt", "hello");
    let globus = Globus::around(&sample).await;
    let mut counts: BTreeMap<String, Counts> = BTreeMap::new();
    let mut wrong = Vec::new();
    for fixture in Fixture::all() {
        let name = fixture.full_name();
        let counts = counts.entry(fixture.service.clone()).or_default();
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
            // The endpoint is served for other arguments, or FakeGlobus has no such service.
            _ => {
                println!("not compared: {name}");
                counts.not_compared += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let table = table(&counts);
    assert_eq!(table, table_of_the_readme(), "{}", table.join("\n"));
}
