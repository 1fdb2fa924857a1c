//! The recorded requirements of services and collections.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use globus_gare::gare::AuthorizationParameters;

/// The maximum number of recorded places of a user.
const MAX_PLACES: usize = 32;

/// The maximum length of a requirement as JSON, in bytes. A longer one is not recorded.
const MAX_REQUIREMENT: usize = 2048;

/// The maximum length of a place's name, in bytes. Ids of collections are shorter.
const MAX_NAME: usize = 128;

/// The requirement of a collection or service, from its last challenge.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Learned {
    required: AuthorizationParameters,
    /// The age of the youngest login that had satisfied `required` and was challenged, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused_age: Option<u64>,
    /// The epoch of the login that was challenged last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    /// The number of this challenge among those of all places.
    number: u64,
}

/// A login that a service challenged.
#[derive(Clone, Debug)]
pub(crate) struct RefusedLogin {
    pub(crate) required: AuthorizationParameters,
    /// The epoch of the login, if it is known.
    pub(crate) epoch: Option<u64>,
    /// The age of the login. `None` if the challenge may have another reason than the age.
    pub(crate) age: Option<Duration>,
}

impl Learned {
    /// The requirement.
    pub fn required(&self) -> &AuthorizationParameters {
        &self.required
    }

    /// The age of the youngest login that was challenged although it had satisfied the requirement:
    /// a session lasts no longer. `None` if there was none yet.
    pub fn refused_age(&self) -> Option<Duration> {
        self.refused_age.map(Duration::from_secs)
    }

    pub(crate) fn refused(&self, epoch: u64) -> bool {
        self.epoch == Some(epoch)
    }
}

/// Adds a refused login, unless it says nothing new. The place that said nothing new for longest is
/// forgotten for a new one.
pub(crate) fn learn(places: &mut BTreeMap<String, Learned>, place: &str, refused: RefusedLogin) {
    let RefusedLogin {
        mut required,
        epoch,
        age,
    } = refused;
    // A login does not have to satisfy either.
    required.session_message = None;
    required.extra = Default::default();
    let known = places.get(place);
    // By its age it is known to be refused.
    let is_told_by_age = known.is_some_and(|it| age.is_some() && it.required == required);
    if let Some(known) = known {
        required = with_known(required, &known.required);
    }
    let is_too_long = serde_json::to_string(&required).is_ok_and(|it| it.len() > MAX_REQUIREMENT);
    if is_too_long || place.len() > MAX_NAME {
        return;
    }
    let is_same = known.is_some_and(|known| known.required == required);
    let session = |of: &AuthorizationParameters| of.clone().with_required_scopes([""; 0]);
    let is_same_session = known.is_some_and(|it| session(&it.required) == session(&required));
    let known_age = known
        .and_then(|it| it.refused_age)
        .filter(|_| is_same_session);
    let age = age.map(|age| age.as_secs());
    let refused_age = [age, known_age].into_iter().flatten().min();
    if let Some(known) = known
        && is_same
        && known.refused_age == refused_age
        && (known.epoch == epoch || is_told_by_age)
    {
        // Programs that are refused together change the record once, and so do logins that are
        // refused one after the other.
        return;
    }
    let number = places.values().map(|it| it.number).max().unwrap_or(0) + 1;
    if known.is_none() && places.len() >= MAX_PLACES {
        let oldest = places.iter().min_by_key(|(_, it)| it.number);
        if let Some(oldest) = oldest.map(|(place, _)| place.clone()) {
            places.remove(&oldest);
        }
    }
    let learned = Learned {
        required,
        refused_age,
        epoch,
        number,
    };
    places.insert(place.to_owned(), learned);
}

/// Merges a requirement with the recorded one: a service requires a consent and a session in two
/// challenges, and the second does not replace the first.
fn with_known(
    new: AuthorizationParameters,
    known: &AuthorizationParameters,
) -> AuthorizationParameters {
    if !new.requires_session() {
        return known.clone().with_required_scopes(new.required_scopes);
    }
    match new.required_scopes.is_empty() {
        true => new.with_required_scopes(known.required_scopes.clone()),
        false => new,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(required: AuthorizationParameters) -> RefusedLogin {
        RefusedLogin {
            required,
            epoch: Some(1),
            age: Some(Duration::from_secs(60)),
        }
    }

    fn domain(name: &str) -> AuthorizationParameters {
        AuthorizationParameters::default().with_session_required_single_domain([name])
    }

    #[checks::test]
    fn new_place_replaces_the_oldest() {
        let mut places = BTreeMap::new();
        for place in 0..MAX_PLACES {
            learn(&mut places, &place.to_string(), refused(domain("a.edu")));
        }
        // The first place challenges again, so that the second is the oldest.
        learn(&mut places, "0", refused(domain("b.edu")));
        learn(&mut places, "new", refused(domain("a.edu")));
        assert_eq!(places.len(), MAX_PLACES);
        assert!(places.contains_key("0") && places.contains_key("new"));
        assert!(!places.contains_key("1"));
        for (place, required) in [
            ("x".repeat(MAX_NAME + 1), domain("a.edu")),
            ("long".to_owned(), domain(&"x".repeat(MAX_REQUIREMENT))),
        ] {
            learn(&mut places, &place, refused(required));
            assert!(!places.contains_key(&place));
        }
    }

    #[checks::test]
    fn refused_age_is_the_youngest_of_one_requirement() {
        let mut places = BTreeMap::new();
        let mut age_after = |required, age| {
            let age = Some(Duration::from_secs(age));
            let epoch = None;
            let refused = RefusedLogin {
                required,
                epoch,
                age,
            };
            learn(&mut places, "x", refused);
            places["x"].refused_age().expect("an age").as_secs()
        };
        assert_eq!(age_after(domain("a.edu"), 60), 60);
        assert_eq!(age_after(domain("a.edu"), 90), 60);
        assert_eq!(age_after(domain("a.edu"), 30), 30);
        assert_eq!(age_after(domain("b.edu"), 90), 90);
    }

    #[checks::test]
    fn login_of_a_refused_age_says_nothing_new() {
        let mut places = BTreeMap::new();
        let mut changes = |required: AuthorizationParameters, epoch, age: Option<u64>| {
            let before = places.clone();
            let refused = RefusedLogin {
                required,
                epoch: Some(epoch),
                age: age.map(Duration::from_secs),
            };
            learn(&mut places, "x", refused);
            places != before
        };
        assert!(changes(domain("a.edu"), 1, None), "the place is new");
        assert!(changes(domain("a.edu"), 2, Some(90)), "the age is");
        assert!(!changes(domain("a.edu"), 3, Some(90)));
        assert!(!changes(domain("a.edu"), 4, Some(100)));
        assert!(changes(domain("a.edu"), 4, Some(60)), "a younger one");
        // Nothing else tells that this login was refused.
        assert!(changes(domain("a.edu"), 5, None));
        assert!(changes(domain("b.edu"), 6, Some(100)));
    }

    #[checks::test]
    fn consent_and_session_are_remembered_together() {
        let mut places = BTreeMap::new();
        let consent = AuthorizationParameters::default().with_required_scopes(["a[b]"]);
        learn(&mut places, "x", refused(consent.clone()));
        assert_eq!(places["x"].required(), &consent);
        let both = domain("a.edu").with_required_scopes(["a[b]"]);
        for required in [domain("a.edu"), consent] {
            learn(&mut places, "x", refused(required));
            assert_eq!(places["x"].required(), &both);
        }
    }
}
