//! Backoff after failed and useless logins.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GaveUp, ReauthError, Session, reauth_fn};
use tokio::time::advance;

use super::{bearer, gave_up, get_groups, seconds};
use checks::mock::{
    CONSENT, Login, MFA, Service, answer, authorization, behind, get, is_declined, send,
    token_number,
};

const HOUR: u64 = 60 * 60;

/// Polls for an hour, every ten seconds. Returns the number of logins.
async fn asked_in_an_hour(has_new_tokens: bool, polls_another: bool) -> usize {
    let (asked, looked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&asked);
    let login = reauth_fn(move |_| {
        counted.fetch_add(1, SeqCst);
        async { Err(ReauthError::declined()) }
    });
    let session = Session::new(login.with_credential(move |_| {
        let number = looked.fetch_add(1, SeqCst);
        let found = has_new_tokens.then(|| bearer(&format!("useless-{number}")));
        async move { Ok(found) }
    }));
    let client = behind(&GareLayer::from_session(session), |request| {
        match request.uri().path() {
            "/fine" => answer(200, ""),
            _ => answer(403, MFA),
        }
    });
    for _ in 0..HOUR / 10 {
        assert!(is_declined(&send(&client, get("/")).await));
        if polls_another {
            assert_eq!(send(&client, get("/fine")).await.status(), 200);
        }
        advance(seconds(10)).await;
    }
    asked.load(SeqCst)
}

#[checks::test(start_paused = true, seconds = 600)]
async fn poller_starts_at_most_nine_logins_an_hour() {
    for (has_new_tokens, polls_another) in
        [(false, false), (true, false), (false, true), (true, true)]
    {
        let asked = asked_in_an_hour(has_new_tokens, polls_another).await;
        assert!((4..=9).contains(&asked), "{asked}");
    }
}

#[checks::test(start_paused = true)]
async fn declined_login_backs_off_only_at_its_origin() {
    let login = Login::at_once().then(Err(ReauthError::declined()));
    let client = behind(&login.layer(), |request| match token_number(&request) {
        0 => answer(403, MFA),
        _ => answer(200, ""),
    });
    assert!(is_declined(&send(&client, get("/")).await));
    assert_eq!(send(&client, get_groups("/")).await.status(), 200);
    let response = send(&client, get("/")).await;
    let Some(GaveUp::BackingOff {
        retry_after, cause, ..
    }) = gave_up(&response)
    else {
        panic!("{response:?}");
    };
    assert_eq!(*retry_after, seconds(30));
    assert!(cause.as_ref().is_some_and(ReauthError::is_declined));
}

#[checks::test(start_paused = true)]
async fn backoff_ends_when_a_challenged_request_is_accepted() {
    let declined = || Err(ReauthError::declined());
    let login = Login::at_once().stored("old");
    let login = login.then(declined()).then(declined());
    let client = behind(&login.layer(), |request| {
        match (request.uri().path(), authorization(&request)) {
            ("/mfa", "Bearer fresh") => answer(200, ""),
            (_, "Bearer token-3") => answer(200, ""),
            _ => answer(403, MFA),
        }
    });
    assert!(is_declined(&send(&client, get("/")).await));
    advance(seconds(30)).await;
    assert!(is_declined(&send(&client, get("/")).await));
    // The person logs in elsewhere, which satisfies one of the two resources.
    login.store("fresh");
    assert_eq!(send(&client, get("/mfa")).await.status(), 200);
    assert_eq!(send(&client, get("/")).await.status(), 200);
    assert_eq!(login.logins(), 3);
}

/// A service whose sessions last for 100 requests, with a resource that is never satisfied.
fn short_sessions(session: &Session) -> Service {
    let used = Arc::new(AtomicUsize::new(0));
    behind(&GareLayer::from_session(session.clone()), move |request| {
        let number = token_number(&request);
        match request.uri().path() {
            "/never" => answer(403, MFA),
            _ if number == 0 || used.load(SeqCst) >= number * 100 => answer(403, MFA),
            _ => {
                used.fetch_add(1, SeqCst);
                answer(200, "")
            }
        }
    })
}

#[checks::test(start_paused = true, seconds = 600)]
async fn resource_that_is_never_satisfied_delays_no_other() {
    let login = Login::at_once();
    let session = Session::new(login.clone());
    let client = short_sessions(&session);
    let never = {
        let client = client.clone();
        tokio::spawn(async move {
            loop {
                assert_eq!(send(&client, get("/never")).await.status(), 403);
                tokio::time::sleep(seconds(1)).await;
            }
        })
    };
    let mut answered = 0;
    for _ in 0..2000 / 64 + 1 {
        let batch = (answered..2000).take(64);
        let batch: Vec<_> = batch
            .map(|_| checks::mock::spawn(&client, get("/")))
            .collect();
        for response in checks::mock::responses(batch).await {
            assert_eq!(response.status(), 200, "{:?}", session.stats());
            answered += 1;
        }
        tokio::time::sleep(seconds(1)).await;
    }
    assert_eq!(answered, 2000);
    never.abort();
}

#[checks::test(start_paused = true)]
async fn useless_login_is_repeated_with_backoff() {
    let login = Login::at_once();
    let client = behind(&login.layer(), |_| answer(403, CONSENT));
    let mut logins = Vec::new();
    for minute in 0..60 {
        send(&client, get(&format!("/{minute}"))).await;
        logins.push(login.logins());
        advance(seconds(60)).await;
    }
    assert!(logins[59] <= 9, "{logins:?}");
    let response = send(&client, get("/")).await;
    let reason = gave_up(&response);
    assert!(
        matches!(reason, Some(GaveUp::BackingOff { cause: None, .. })),
        "{reason:?}"
    );
}
