//! Endpoints of Globus Auth that redirect to another server, to steal a code or a token.

use globus_gare::reauth::Principal;
use globus_login::{GlobusApp, MemoryStore};

use crate::support::endpoint::*;
use crate::support::*;

/// A request of the app to Globus Auth.
#[derive(Clone, Copy, Debug)]
enum Work {
    Login,
    Refresh,
    Account,
    Logout,
}

async fn fails(app: &GlobusApp, work: Work) -> bool {
    match work {
        Work::Login => log_in_again(app).await.is_err(),
        Work::Refresh => {
            let user = app.for_user(&Principal::Session);
            user.credential(&target(TRANSFER)).await.is_err()
        }
        Work::Account => app.account().await.is_err(),
        Work::Logout => app.logout().await.is_err(),
    }
}

#[checks::test]
async fn redirects_of_globus_auth_are_not_followed() {
    // An app that follows a redirect would accept this response.
    let mut body = login("stolen");
    body["sub"] = ADA.into();
    let elsewhere = Endpoint::always(answer(200, &body)).await;
    for status in [301, 302, 303, 307, 308] {
        for work in [Work::Login, Work::Refresh, Work::Account, Work::Logout] {
            let there = elsewhere.url.clone();
            let endpoint = Endpoint::start(move |asked| {
                let there = format!("{}{}", there.trim_end_matches('/'), asked.path);
                async move { redirected(status, &there) }
            })
            .await;
            let store = MemoryStore::new();
            let is_fresh = !matches!(work, Work::Refresh);
            for server in [AUTH_SERVER, TRANSFER_SERVER] {
                keep(&store, stored(server, "old", is_fresh)).await;
            }
            let app = endpoint.app().store(store.clone()).build();
            let app = app.expect("an app");
            assert!(fails(&app, work).await, "{work:?} {status}");
            assert!(!endpoint.requests().is_empty(), "{work:?} {status}");
            let followed = elsewhere.requests();
            assert!(followed.is_empty(), "{work:?} {status}: {followed:?}");
        }
    }
}
