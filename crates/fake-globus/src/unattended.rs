//! Runs and timers: work of a service on collections on behalf of a user. The work is held up while
//! another login or a consent is missing.

use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::gare::Gare;
use super::service::Caller;
use super::session::Session;
use super::state::State;
use super::transfer;

/// The message for a missing consent.
const NO_CONSENT: &str = "Missing required data_access consent";

/// The user and client that work is done for, with the session of the token that started it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OnBehalf {
    pub(super) user: Uuid,
    pub(super) client: Uuid,
    pub(super) session: Arc<Session>,
}

impl OnBehalf {
    pub(super) fn of(caller: &Caller) -> Self {
        Self {
            user: caller.user.id(),
            client: caller.client,
            session: caller.session.clone(),
        }
    }
}

/// The reason why work is held up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum HeldUp {
    /// A missing consent to this chain of scopes, from the client's own scope down.
    Consent(Vec<String>),
    /// A session that does not satisfy a collection.
    Session(Gare),
}

impl HeldUp {
    /// The requirement, as seen by the service that is `below` scopes below the client.
    pub(super) fn gare(&self, below: usize) -> Gare {
        match self {
            Self::Consent(chain) => {
                let chain = chain.get(below..).unwrap_or_default();
                Gare::consent(NO_CONSENT, vec![nested(chain)])
            }
            Self::Session(gare) => gare.clone(),
        }
    }
}

/// The chain as a scope string, such as `a[*b[*c]]`.
fn nested(chain: &[String]) -> String {
    let text = chain.join("[*");
    text + &"]".repeat(chain.len().saturating_sub(1))
}

/// The reason why work on the collections in `input` is held up, if it is. `above` are the scopes
/// from the client's own scope down to the scope of Transfer.
pub(super) fn held_up(
    state: &State,
    now: SystemTime,
    by: &OnBehalf,
    above: &[&str],
    input: &Value,
) -> Option<HeldUp> {
    let user = state.user(by.user)?;
    let named = state.collections.iter().map(|served| &served.collection);
    let mut named = named.filter(|collection| contains_text(input, &collection.id.to_string()));
    named.find_map(|collection| {
        let data_access = collection.data_access_scope();
        let chain: Vec<&str> = above.iter().copied().chain([&*data_access]).collect();
        if collection.data_access && !state.consents.covers(by.user, by.client, &chain) {
            return Some(HeldUp::Consent(
                chain.into_iter().map(str::to_owned).collect(),
            ));
        }
        transfer::requirement(collection, user, &by.session, now).map(HeldUp::Session)
    })
}

/// Whether `text` is a string of the document, at any depth.
fn contains_text(document: &Value, text: &str) -> bool {
    match document {
        Value::String(own) => own == text,
        Value::Array(items) => items.iter().any(|item| contains_text(item, text)),
        Value::Object(fields) => fields.values().any(|value| contains_text(value, text)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn chain_of_scopes_is_nested() {
        let chain = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(nested(&chain), "a[*b[*c]]");
        let held = HeldUp::Consent(chain.to_vec());
        assert_eq!(held.gare(1).parameters.required_scopes, ["b[*c]"]);
    }
}
