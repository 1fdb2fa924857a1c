//! The rules of a session, in the situations of portals, pollers and daemons.

mod approved;
mod backoff;
mod budget;
mod collections;
mod forgotten;
mod observed;
mod part_of_login;
mod people;
mod portal;
mod refreshes;
mod unauthenticated;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use globus_gare::reauth::{
    Credential, CredentialRequest, GaveUp, Principal, ReauthError, Target, Why,
};
use http::{Request, Response};

use checks::mock::{Body, outcome};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn bearer(token: &str) -> Credential {
    Credential::bearer(token).expect("a token")
}

/// The service of [`checks::mock::get`], and the user of the session.
fn target() -> Target {
    let origin = "https://transfer.api.globus.org".parse();
    Target::new(origin.expect("an origin"), Principal::Session)
}

/// The reason, if the layer gave up.
fn gave_up<B>(response: &Response<B>) -> Option<&GaveUp> {
    outcome(response).gave_up()
}

/// A request to another service than that of [`checks::mock::get`].
fn get_groups(path: &str) -> Request<Body> {
    let uri = format!("https://groups.api.globus.org{path}");
    Request::get(uri).body(Body::default()).expect("a request")
}

/// The token that look-ups find, which a test can change, and the reasons of the look-ups.
#[derive(Clone, Default)]
struct Store(Arc<Mutex<(Option<String>, Vec<Why>)>>);

impl Store {
    fn holding(token: &str) -> Self {
        let store = Self::default();
        store.put(token);
        store
    }

    fn put(&self, token: &str) {
        self.0.lock().expect("whole").0 = Some(token.to_owned());
    }

    fn look(&self, request: &CredentialRequest) -> Result<Option<Credential>, ReauthError> {
        let mut store = self.0.lock().expect("whole");
        store.1.push(request.why().clone());
        Ok(store.0.as_ref().map(Credential::bearer).transpose()?)
    }

    /// The number of look-ups.
    fn asked(&self) -> usize {
        self.0.lock().expect("whole").1.len()
    }
}
