//! Records the requirements of challenges, by collection and service.

use super::audience::Audience;
use super::collection::TRANSFER;
use super::store::{Login, RefusedLogin};
use super::user::AppUser;
use globus_gare::reauth::Challenge;

impl AppUser {
    /// Records the requirement of a challenge to the login that is `held`.
    pub(super) async fn learn(&self, challenge: &Challenge, audience: Audience<'_>, held: &Login) {
        let Some(record) = held.record.as_ref().filter(|_| !held.tokens.is_empty()) else {
            return;
        };
        if challenge.is_unauthenticated() {
            return;
        }
        let required = &challenge.gare().authorization_parameters;
        let logins = &self.shared.logins;
        // A challenge to an earlier login's token says nothing about this login's age.
        let epoch = logins.last_epoch(&self.key);
        let is_of_age = epoch == Some(record.epoch())
            && record.by().is_some()
            && required.requires_session()
            && record.satisfies(required);
        let age = logins.clock.now().duration_since(record.at());
        let refused = RefusedLogin {
            required: required.clone(),
            epoch,
            age: age.ok().filter(|_| is_of_age),
        };
        let place = place(challenge, audience);
        let mut next = held.clone();
        next.learned(&place, refused.clone());
        if next == *held {
            // It is known: nothing is read or written.
            return;
        }
        // If the store fails, the login reports it.
        let _ = self
            .update(|login| login.learned(&place, refused.clone()))
            .await;
    }
}

/// The name for a requirement: the collection in the path of a request to Transfer, or the
/// audience.
fn place(challenge: &Challenge, audience: Audience<'_>) -> String {
    let mut parts = challenge.uri().path().split('/');
    let of_transfer = matches!(audience, Audience::Service(TRANSFER));
    let collection = parts
        .by_ref()
        .any(|part| part == "endpoint")
        .then(|| parts.next());
    match collection.flatten().filter(|id| of_transfer && is_uuid(id)) {
        Some(id) => id.to_ascii_lowercase(),
        None => name(audience),
    }
}

/// The name for a requirement of an audience.
pub(super) fn name(audience: Audience<'_>) -> String {
    match audience {
        Audience::Service(server) => server.to_owned(),
        Audience::Collection(id) => id.to_ascii_lowercase(),
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}
