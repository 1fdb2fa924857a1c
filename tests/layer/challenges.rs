//! The challenges that a reauthenticator gets, and their `Debug`.

use std::sync::{Arc, Mutex};

use globus_gare::gare::{AuthorizationParameters, Gare};
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{Challenge, Credential, Principal, Target, reauth_fn};
use http::{Method, StatusCode};
use tower::ServiceExt;

use checks::mock::{CONSENT, MFA, answer, authorization, behind, get};

/// The challenges of one request that needs two logins.
async fn challenges_of_one_request() -> Vec<Challenge> {
    let seen = Arc::new(Mutex::new(Vec::<Challenge>::new()));
    let told = Arc::clone(&seen);
    let login = reauth_fn(move |challenge: Challenge| {
        let token = format!("token-{}", challenge.attempt());
        told.lock().expect("whole").push(challenge);
        async move { Ok(Credential::bearer(token)?) }
    });
    let client = behind(&GareLayer::new(login), |request| {
        match authorization(&request) {
            "Bearer token-2" => answer(200, ""),
            "Bearer token-1" => answer(502, MFA),
            _ => answer(403, CONSENT),
        }
    });
    let mut request = get("/operation/ls?path=%2Fprivate%2Fpatients&state=secret-state");
    *request.method_mut() = Method::PUT;
    let response = client.oneshot(request).await.expect("an answer");
    assert_eq!(response.status(), 200);
    seen.lock().expect("whole").clone()
}

#[checks::test]
async fn challenge_shows_the_path_and_hides_the_query() {
    let challenges = challenges_of_one_request().await;
    for (challenge, parts) in challenges.iter().zip([
        [
            "403",
            "required_scopes",
            "ConsentRequired",
            "attempt: 1",
            "generation: 0",
        ],
        [
            "502",
            "session_required_mfa",
            "AuthorizationRequired",
            "attempt: 2",
            "generation: 1",
        ],
    ]) {
        for shown in [format!("{challenge:?}"), format!("{challenge:#?}")] {
            for part in ["PUT", "path: \"/operation/ls\"", "transfer.api.globus.org"]
                .into_iter()
                .chain(parts)
            {
                assert!(shown.contains(part), "{part} is not in {shown}");
            }
            for secret in ["private", "patients", "secret-state", "?"] {
                assert!(!shown.contains(secret), "{secret} is in {shown}");
            }
        }
        // The reauthenticator itself may need the query.
        let query = challenge.uri().query().expect("a query");
        assert!(query.contains("private"), "{query}");
    }
    assert_eq!(challenges.len(), 2);
}

#[checks::test]
async fn each_login_gets_the_challenge_of_its_request() {
    let challenges = challenges_of_one_request().await;
    let told = challenges.iter().map(|challenge| {
        assert_eq!(challenge.method(), Method::PUT);
        assert_eq!(*challenge.target().principal(), Principal::Session);
        assert_eq!(challenge.found().len(), 1);
        assert_eq!(&challenge.found()[0].gare, challenge.gare());
        let asked = challenge.gare().code.as_str();
        (
            challenge.status().as_u16(),
            asked,
            challenge.attempt(),
            challenge.generation(),
        )
    });
    assert_eq!(
        Vec::from_iter(told),
        [
            (403, "ConsentRequired", 1, 0),
            (502, "AuthorizationRequired", 2, 1)
        ]
    );
}

#[checks::test]
fn challenge_made_by_hand_defaults_to_a_get() {
    let origin = "https://transfer.api.globus.org".parse();
    let target = Target::new(origin.expect("an origin"), Principal::Named("ada".into()));
    let asked = AuthorizationParameters::default().with_session_required_mfa(true);
    let gare = Gare::new("AuthorizationRequired", asked);
    let challenge = Challenge::new(target.clone(), gare.clone());
    assert_eq!((challenge.target(), challenge.gare()), (&target, &gare));
    assert_eq!((challenge.attempt(), challenge.generation()), (1, 0));
    assert_eq!(challenge.method(), Method::GET);
    assert_eq!(challenge.status(), StatusCode::FORBIDDEN);
    assert_eq!(challenge.uri().path(), "/");
    assert!(challenge.found().is_empty());
}
