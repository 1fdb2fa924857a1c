//! The cost of a requirement with many scopes.

use allocation_counter::measure;
use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::reauth::{Challenge, Principal, Target};
use globus_login::GlobusApp;

/// The allocations of a login for a challenge that requires `count` scopes.
fn allocations(count: usize) -> u64 {
    let app = GlobusApp::user("3f1c2d9e-0000-4000-8000-000000000000");
    let app = app.scopes_may_be_required(|_, _| true).build();
    let app = app.expect("an app");
    let names = (0..count).map(|number| format!("scope-{number}"));
    let required = AuthorizationParameters::default().with_required_scopes(names);
    let origin = "https://transfer.api.globus.org".parse();
    let target = Target::new(origin.expect("an origin"), Principal::Session);
    let challenge = Challenge::new(target, Gare::new("ConsentRequired", required));
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.build().expect("a runtime");
    let allocated = measure(|| {
        let pending = app.begin_login(&Principal::Session, Some(&challenge));
        let pending = runtime.block_on(pending).expect("a login");
        let query = pending.authorize_url().query().unwrap_or_default();
        assert_eq!(query.matches("scope-").count(), count);
    });
    allocated.count_total
}

#[checks::test]
fn cost_of_required_scopes_is_linear() {
    // The first login initializes what all logins share.
    allocations(1);
    let (some, many) = (allocations(500), allocations(4000));
    assert!(many < 9 * some, "500 scopes: {some}, 4,000: {many}");
}
