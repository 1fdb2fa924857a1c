//! Logins in Chromium: by `globus-ls`, whose login page a person completes, and by a web page.
#![cfg(unix)]

mod page;
mod pages;
mod support;

use std::time::Duration;

use fake_globus::Person;

use checks::launcher::Launcher;
use checks::sample::assert_no_violation;
use checks::site::*;
use peers::programs;

use crate::support::chromium::Chromium;

#[checks::test(seconds = 600)]
async fn person_logs_in_twice_then_declines() {
    let chromium = Chromium::start().await;
    let site = Site::guarded(programs::globus_ls(), |collection| {
        collection.domain("uchicago.edu").mfa()
    })
    .await;
    site.globus.set_person(Person::browser());
    let mut launcher = Launcher::new();
    let browser = launcher.program();
    let command = || {
        let mut command = site.with_client(&[&site.collection]);
        command.env("BROWSER", &browser);
        run(command)
    };

    // Without a token the program first logs in with any identity. The collection then requires an
    // identity of the university and a second factor.
    let running = command();
    let person = async {
        chromium.open(&launcher.page().await).await;
        assert_eq!(chromium.title().await, "Log in");
        chromium
            .click("//label[contains(., 'ada@globusid.org')]")
            .await;
        chromium.click("//button[@value='approve']").await;
        assert_eq!(
            chromium.text("//body[@class='done']//h1").await,
            "You are logged in"
        );
        assert!(chromium.address().await.starts_with("http://127.0.0.1:"));
        // The content security policy of the page allows its style.
        assert_eq!(
            chromium
                .style("//*[@class='mark']", "border-top-left-radius")
                .await,
            "50%"
        );

        chromium.open(&launcher.page().await).await;
        let page = chromium.text("//main").await;
        assert!(
            page.contains("identity of uchicago.edu") && !page.contains("globusid.org"),
            "{page}"
        );
        chromium
            .click("//label[contains(., 'ada@uchicago.edu')]")
            .await;
        chromium.click("//input[@name='mfa']").await;
        chromium.click("//button[@value='approve']").await;
        assert_eq!(
            chromium.text("//body[@class='done']//h1").await,
            "You are logged in"
        );
    };
    let (ran, ()) = tokio::join!(running, person);
    ran.assert_ended(0, LISTING);
    assert!(
        ran.stderr
            .contains("an identity from uchicago.edu and use multi-factor"),
        "{}",
        ran.stderr
    );

    site.globus.clock().advance(Duration::from_secs(120));
    let running = command();
    let person = async {
        chromium.open(&launcher.page().await).await;
        chromium.click("//button[@value='deny']").await;
        assert_eq!(
            chromium.text("//body[@class='declined']//h1").await,
            "The login was declined"
        );
    };
    let (ran, ()) = tokio::join!(running, person);
    ran.assert_ended(4, "");
    assert!(
        ran.stderr.contains("the login was declined"),
        "{}",
        ran.stderr
    );
    let counts = site.globus.counts();
    assert_eq!((counts.logins, counts.code_grants), (2, 2));
    assert_no_violation(&site.globus);
}
