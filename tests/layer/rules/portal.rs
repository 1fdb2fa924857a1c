//! A portal: its users log in elsewhere, and a store has their tokens.

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GaveUp, ReauthError, Session, reauth_fn};
use tokio::time::advance;

use super::{Store, gave_up, seconds};
use checks::mock::{
    Login, MFA, POLICY, Service, answer, authorization, behind, get, presenting, send,
};

const PAGE: &str = "https://portal.example.edu/login";

/// A portal whose service accepts the token `fresh`.
fn portal(store: &Store) -> Service {
    let store = store.clone();
    let login = reauth_fn(|_| async { Err(ReauthError::interaction_required(PAGE)) });
    let session = Session::new(login.with_credential(move |request| {
        let found = store.look(&request);
        async move { found }
    }));
    behind(
        &GareLayer::from_session(session),
        |request| match authorization(&request) {
            "Bearer fresh" => answer(200, ""),
            _ => answer(403, MFA),
        },
    )
}

fn is_sent_to_the_page(reason: Option<&GaveUp>) -> bool {
    matches!(reason, Some(GaveUp::Failed(error)) if error.login_url() == Some(PAGE))
}

#[checks::test(start_paused = true)]
async fn user_who_logged_in_elsewhere_needs_no_login() {
    for (first, after) in [(None, 0), (Some("old"), 0), (Some("old"), 11 * 60 * 60)] {
        let store = first.map_or_else(Store::default, Store::holding);
        let client = portal(&store);
        let response = send(&client, get("/")).await;
        assert!(is_sent_to_the_page(gave_up(&response)), "{first:?}");
        store.put("fresh");
        advance(seconds(after)).await;
        assert_eq!(send(&client, get("/")).await.status(), 200, "{first:?}");
    }
}

#[checks::test(start_paused = true)]
async fn logged_out_user_gets_the_login_url_each_time() {
    let client = portal(&Store::holding("old"));
    for _ in 0..20 {
        let response = send(&client, get("/")).await;
        assert!(is_sent_to_the_page(gave_up(&response)));
    }
    let stats = client.session().stats();
    assert_eq!(stats.gave_up["interaction_required"], 20);
    assert_eq!((stats.logins, stats.failed_logins), (20, 0));
}

#[checks::test(start_paused = true)]
async fn rejected_token_of_the_store_is_not_sent_twice() {
    let store = Store::holding("old");
    let client = portal(&store);
    send(&client, get("/")).await;
    send(&client, get("/")).await;
    // Each request is sent once, with the stored token.
    assert_eq!(client.session().stats().replays, 0);
    assert_eq!(store.asked(), 3, "first, and for each challenge");
}

#[checks::test(start_paused = true)]
async fn rejected_token_is_not_tried_again_after_another() {
    for presented in [None, Some("Bearer theirs")] {
        let store = Store::holding("old");
        let client = portal(&store);
        // Each token is sent once. The first is no replay, unless the request presents another.
        let found_first = u64::from(presented.is_none());
        for (token, sent) in [("old", 1), ("other", 2), ("old", 2), ("other", 2)] {
            store.put(token);
            let request = match presented {
                None => get("/"),
                Some(value) => presenting(get("/"), value),
            };
            let response = send(&client, request).await;
            assert!(is_sent_to_the_page(gave_up(&response)), "{token}");
            let replays = client.session().stats().replays;
            assert_eq!(replays + found_first, sent, "{presented:?} {token}");
        }
    }
}

#[checks::test(start_paused = true)]
async fn rejected_presented_token_is_not_tried_again() {
    let store = Store::holding("old");
    let client = portal(&store);
    let response = send(&client, presenting(get("/"), "Bearer old")).await;
    assert!(is_sent_to_the_page(gave_up(&response)));
    assert_eq!((store.asked(), client.session().stats().replays), (1, 0));
}

#[checks::test(start_paused = true)]
async fn eight_rejected_tokens_are_remembered() {
    let store = Store::default();
    let client = portal(&store);
    let replays_with = async |token: usize| {
        store.put(&token.to_string());
        send(&client, get("/")).await;
        client.session().stats().replays
    };
    for token in 1..=9 {
        assert_eq!(replays_with(token).await, token as u64 - 1);
    }
    assert_eq!(replays_with(2).await, 8);
    assert_eq!(replays_with(1).await, 9);
}

/// The login may have renewed the session of the rejected token.
#[checks::test]
async fn rejected_token_is_tried_again_after_a_login() {
    let login = Login::at_once().stored("old");
    let client = behind(&login.layer(), |request| {
        match (request.uri().path(), authorization(&request)) {
            ("/policy", "Bearer old") | ("/mfa", "Bearer token-1") => answer(200, ""),
            ("/policy", _) => answer(403, POLICY),
            _ => answer(403, MFA),
        }
    });
    for path in ["/mfa", "/policy"] {
        assert_eq!(send(&client, get(path)).await.status(), 200, "{path}");
        assert_eq!(login.logins(), 1, "{path}");
    }
}
