//! A service with more users than the app remembers.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use globus_gare::reauth::{Principal, Target};
use globus_login::{Change, GlobusApp, StoreError, TokenStore, Tokens};

use crate::support::endpoint::*;
use crate::support::*;

/// How many users an app remembers beside its store.
const MAX: usize = 1024;

/// A store that keeps all users.
#[derive(Default)]
struct Everybody(Mutex<HashMap<String, Tokens>>);

#[async_trait]
impl TokenStore for Everybody {
    async fn load(&self, namespace: &str) -> Result<Tokens, StoreError> {
        let all = self.0.lock().expect("no panic");
        Ok(all.get(namespace).cloned().unwrap_or_default())
    }

    async fn update(&self, namespace: &str, mut change: Change) -> Result<(), StoreError> {
        let mut all = self.0.lock().expect("no panic");
        change(all.entry(namespace.to_owned()).or_default());
        Ok(())
    }
}

fn user(number: usize) -> Principal {
    Principal::Named(format!("user-{number}").into())
}

async fn log_in(app: &GlobusApp, number: usize) {
    let pending = app.begin_login(&user(number), None).await;
    let pending = pending.expect("a login");
    let state = value(pending.authorize_url(), "state");
    let back = format!("https://service.example/back?code=c&state={state}");
    let done = app
        .finish_login(pending, back.parse().expect("a URL"))
        .await;
    done.expect("a login");
}

#[checks::test]
async fn least_recently_used_user_is_forgotten() {
    let endpoint = Endpoint::approving().await;
    let app = endpoint.app().store(Everybody::default()).build();
    let app = app.expect("an app");
    for number in 0..MAX {
        log_in(&app, number).await;
    }
    let origin = || target(TRANSFER).origin().clone();
    let is_new = async |number| {
        let target = Target::new(origin(), user(number));
        let newer = app.newer_credential(&target).await;
        newer.expect("no error").is_some()
    };
    assert!(is_new(0).await);
    log_in(&app, MAX).await;
    // A look-up is a use: the forgotten user comes last.
    assert!(is_new(2).await && is_new(MAX).await && !is_new(1).await);
    // The tokens are kept all the same.
    let target = Target::new(origin(), user(1));
    assert!(held(&app, &target).await.is_some());
}
