//! One session, many origins: trust in one does not depend on requests to another.

use globus_gare::reauth::Trust;

use super::origins::trusting;
use super::tricks::challenge_from;

#[checks::test]
async fn trust_in_an_origin_ignores_earlier_requests() {
    let places = [
        ("https://a.example/y", true),
        ("https://A.example/", true),
        ("https://a.example:443/", true),
        ("https://a.example:8443/", false),
        ("http://a.example/", false),
        ("https://b.example/", false),
        ("https://user@a.example/", false),
        ("/relative", false),
    ];
    for (first, _) in places {
        let trust = Trust::none().origin("https://a.example");
        let (session, _) = trusting(trust.expect("an origin"));
        challenge_from(&session, first, None).await;
        for (place, trusted) in places {
            // Twice: the result for the first origin must not change.
            for _ in 0..2 {
                let (reason, given) = challenge_from(&session, place, None).await;
                let counts = !["untrusted", "no_origin"].contains(&reason.as_str());
                assert_eq!((counts, given), (trusted, trusted), "{place} after {first}");
            }
        }
    }
}
