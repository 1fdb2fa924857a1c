//! A web page in Chromium that logs in with the JavaScript SDK.

use std::fs;
use std::time::Duration;

use checks::sample::{Sample, assert_no_violation};
use fake_globus::{Person, Policy};
use peers::node;

use crate::support::chromium::Chromium;
use crate::support::files::{Files, serve};

/// The page, the browser build of the SDK, and a script with the URLs of the services.
fn files(sample: &Sample) -> Files {
    let read = |path| fs::read_to_string(path).expect("a file");
    let environment = sample.globus.environment();
    let mut settings: String = environment
        .iter()
        .map(|(name, value)| format!("window.{name} = \"{value}\";\n"))
        .collect();
    let (client, collection) = (sample.globus.client_id(), &sample.collection);
    settings += &format!("const CLIENT = \"{client}\", COLLECTION = \"{collection}\";\n");
    let script = "text/javascript";
    Files::from([
        ("/", ("text/html", read(node::file("page.html")))),
        (
            "/globus.js",
            (script, read(node::sdk("dist/umd/globus.production.js"))),
        ),
        ("/settings.js", (script, settings)),
    ])
}

async fn approve(chromium: &Chromium, identity: &str) {
    assert_eq!(chromium.title().await, "Log in");
    chromium
        .click(&format!("//label[contains(., '{identity}')]"))
        .await;
    chromium.click("//button[@value='approve']").await;
}

#[checks::test(seconds = 600)]
async fn page_logs_in_twice_with_the_javascript_sdk() {
    let chromium = Chromium::start().await;
    let sample = Sample::guarded(|collection| {
        let policy = Policy::new("Recent").domain("uchicago.edu");
        collection.policy(policy.session_minutes(30))
    })
    .await;
    sample.write("hello.txt", "hello");
    sample.globus.set_person(Person::browser());
    let origin = serve(files(&sample)).await;

    chromium.open(&format!("{origin}/")).await;
    assert_eq!(chromium.text("//p[@id='user']").await, "nobody");
    chromium.click("//button[@id='login']").await;
    chromium.wait_for("//button[@value='approve']").await;
    approve(&chromium, "ada@uchicago.edu").await;
    chromium.wait_for("//p[.='ada@uchicago.edu']").await;
    // The page has removed the code from its address.
    assert_eq!(chromium.address().await, format!("{origin}/"));
    chromium.click("//button[@id='list']").await;
    chromium.wait_for("//pre[.='hello.txt']").await;

    // The session is too old: the page sends its user to log in again.
    sample.globus.clock().advance(Duration::from_secs(3600));
    chromium.click("//button[@id='list']").await;
    chromium.wait_for("//button[@value='approve']").await;
    let required = chromium.text("//main").await;
    assert!(
        required.contains("Failing collection authentication policy"),
        "{required}"
    );
    approve(&chromium, "ada@uchicago.edu").await;
    chromium.wait_for("//p[.='ada@uchicago.edu']").await;
    chromium.click("//button[@id='list']").await;
    chromium.wait_for("//pre[.='hello.txt']").await;

    // After a 401 the page refreshes its token.
    sample.globus.clock().advance(Duration::from_secs(20 * 60));
    sample
        .globus
        .fail_next(fake_globus::RequestKind::List, 401, "{}");
    chromium.open(&format!("{origin}/")).await;
    chromium.click("//button[@id='list']").await;
    chromium.wait_for("//pre[.='hello.txt']").await;

    let counts = sample.globus.counts();
    assert_eq!((counts.logins, counts.code_grants), (2, 2));
    assert_eq!((counts.challenges, counts.refresh_grants), (1, 1));
    assert_no_violation(&sample.globus);
}
