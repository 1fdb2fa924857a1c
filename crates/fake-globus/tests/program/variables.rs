//! The variables and the lines for people that the program prints.

use std::collections::BTreeMap;

use crate::support::Running;

#[checks::test]
fn every_service_has_a_variable_with_its_url() {
    let mut running = Running::start(&["--auto"]);
    let variables = running.variables();
    let urls: BTreeMap<_, _> = variables
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("GLOBUS_SDK_SERVICE_URL_")?, value)))
        .collect();
    let services: Vec<_> = urls.keys().copied().collect();
    let expected = [
        "ACTIONS", "APP", "AUTH", "COMPUTE", "FLOWS", "GCS", "GROUPS", "SEARCH", "TIMER", "TIMERS",
        "TRANSFER",
    ];
    assert_eq!(services, expected);
    for url in urls.values() {
        assert!(
            url.starts_with("http://127.0.0.1:") && url.ends_with('/'),
            "{url}"
        );
    }
    assert_ne!(urls["GROUPS"], urls["AUTH"]);
}

#[checks::test]
fn services_of_each_port_are_printed() {
    let mut running = Running::start(&["--auto"]);
    let variables = running.variables();
    let told = running.told();
    let together = format!("{}  auth, transfer", variables["FAKE_GLOBUS_URL"]);
    assert!(told.contains(&together), "{told:?}");
    let collection = &variables["FAKE_GLOBUS_COLLECTION"];
    let server = format!("HTTPS server of the collection {collection}");
    let servers = told.iter().filter(|line| line.ends_with(&server));
    // Auth with Transfer, eight other services, and the collection.
    assert_eq!((servers.count(), told.len()), (1, 10), "{told:?}");
}
