//! Many users of one client: none gets another's credential.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fake_globus::{Collection, EXPECT_USER, FakeGlobus, Identity, RequestKind};
use futures_util::future::join_all;
use globus_gare::reauth::{
    Credential, GareOptions, Principal as Whose, ReauthError, Session, reauth_fn,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::support::globus::{Connections, behind, data, list, send, start, trusting};
use checks::mock::{presenting, with};
use checks::sample::TRANSFER_ALL;

const USERS: usize = 100;
const ROUNDS: usize = 6;
/// Each user has a presented token and one from a login, so that fewer than all users are
/// remembered.
const REMEMBERED: usize = 150;

#[checks::test(flavor = "multi_thread")]
async fn each_of_a_hundred_users_gets_their_own_credential() {
    let data = data();
    let collection = Collection::new("Restricted", data.path()).session_minutes(10);
    let users: Vec<_> = (0..USERS)
        .map(|number| Identity::new(format!("user{number}"), "uchicago.edu"))
        .collect();
    let builder = users.iter().fold(FakeGlobus::builder(), |all, user| {
        all.identity(user.clone())
    });
    let globus = start(builder.collection(collection.clone())).await;
    let tokens: Vec<_> = users
        .iter()
        .map(|user| globus.issue_token(user, TRANSFER_ALL).expect("a token"))
        .collect();

    // The session names the principal of a login: the token that the request presented.
    let owners = tokens.iter().zip(&users);
    let owners: HashMap<_, _> = owners
        .map(|(token, user)| (format!("Bearer {token}"), user.clone()))
        .collect();
    let logins = Arc::<Mutex<HashMap<String, usize>>>::default();
    let (own, noted) = (globus.clone(), Arc::clone(&logins));
    let session = Session::builder(reauth_fn(move |challenge| {
        let owner = match challenge.target().principal() {
            Whose::Presented(value) => value.header_value().to_str().ok().map(str::to_owned),
            _ => None,
        };
        let owner = owner.and_then(|value| owners.get(&value).cloned());
        let (globus, noted) = (own.clone(), Arc::clone(&noted));
        async move {
            let owner = owner.ok_or_else(|| ReauthError::new("whose is it?"))?;
            tokio::task::yield_now().await;
            *noted
                .lock()
                .expect("whole")
                .entry(owner.username())
                .or_default() += 1;
            let token = globus.issue_token(&owner, TRANSFER_ALL);
            Ok(Credential::bearer(token.expect("a token"))?)
        }
    }))
    .trust(trusting(&globus))
    .max_principals(REMEMBERED)
    .max_logins(100)
    .max_replays(100)
    .build();
    let client = behind(&session, Connections::at_most(32).client());

    let mut random = StdRng::seed_from_u64(7);
    let mut expected = Vec::new();
    for round in 0..ROUNDS {
        if round % 2 == 1 {
            // All sessions are too old now.
            globus.clock().advance(Duration::from_secs(3600));
        }
        let mut all = Vec::new();
        for _ in 0..2 * USERS {
            let who = random.random_range(0..USERS);
            let request = list(&globus, &collection, expected.len());
            let mut request = presenting(request, &format!("Bearer {}", tokens[who]));
            let name = users[who].username();
            let value = name.parse().expect("a value");
            request.headers_mut().insert(EXPECT_USER, value);
            expected.push(name);
            all.push(tokio::spawn(send(client.clone(), request)));
            if random.random_bool(0.2) {
                // The next request has a new requirement.
                let policy = format!("p{}", expected.len());
                let body = format!(
                    r#"{{"code":"c","authorization_parameters":{{"session_required_policies":["{policy}"]}}}}"#
                );
                globus.fail_next(RequestKind::List, 403, body);
            }
        }
        for answer in join_all(all).await {
            assert_eq!(answer.expect("no panic").status(), 200);
        }
        // When no request is under way, the next one finds the bound kept.
        let passing = GareOptions::new().principal(format!("passing{round}"));
        let request = with(list(&globus, &collection, 0), passing.no_prompt());
        send(client.clone(), request).await;
        let remembered = session.stats().principals;
        assert!(remembered <= REMEMBERED as u64, "{remembered}");
    }

    assert!(globus.violations().is_empty(), "{:?}", globus.violations());
    for seen in globus.requests() {
        let mark = seen
            .query
            .as_deref()
            .and_then(|query| query.strip_prefix("mark="));
        let mark: usize = mark.expect("a mark").parse().expect("a number");
        // The test's own challenges belong to no user.
        if let Some(user) = seen.user {
            assert_eq!(user, expected[mark], "request {mark}");
        }
    }
    let logins = logins.lock().expect("whole");
    assert!(
        logins.len() > 90,
        "only {} users were challenged",
        logins.len()
    );
    assert_eq!(session.stats().failed_logins, 0);
    println!(
        "{} logins of {} users",
        logins.values().sum::<usize>(),
        logins.len()
    );
}
