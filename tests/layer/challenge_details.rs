//! The contents of a challenge, and the end of a returned body.

use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use globus_gare::gare::Gare;
use globus_gare::layer::{GareBody, GareLayer};
use globus_gare::reauth::{
    Challenge, Credential, GaveUp, Principal, ReauthError, Session, Target, reauth_fn,
};
use http::{Method, Request, Response, StatusCode};
use http_body::{Body as _, Frame};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use tower::{Layer, ServiceExt, service_fn};

use checks::mock::{CONSENT, Login, MFA, answer, authorization, behind, get, outcome};

#[checks::test]
async fn challenge_has_the_request_and_all_requirements() {
    let seen = Arc::new(Mutex::new(Vec::<Challenge>::new()));
    let told = Arc::clone(&seen);
    let login = reauth_fn(move |challenge| {
        told.lock().expect("whole").push(challenge);
        async { Ok(Credential::bearer("fresh")?) }
    });
    let service = behind(&GareLayer::new(login), |request| {
        let both = format!(r#"{{"errors": [{MFA}, {CONSENT}]}}"#);
        match authorization(&request) {
            "Bearer fresh" => answer(200, ""),
            _ => answer(403, &both),
        }
    });
    let response = service.oneshot(get("/v0.10/x?filter=y")).await;
    assert_eq!(response.expect("an answer").status(), StatusCode::OK);
    let seen = seen.lock().expect("whole");
    let [challenge] = &seen[..] else {
        panic!("one login");
    };
    assert_eq!(challenge.method(), Method::GET);
    assert_eq!(
        challenge.uri(),
        "https://transfer.api.globus.org/v0.10/x?filter=y"
    );
    assert_eq!(challenge.status(), StatusCode::FORBIDDEN);
    assert!(!challenge.is_unauthenticated());
    let found = challenge.found().iter();
    let found: Vec<_> = found
        .map(|found| (found.location.to_string(), found.gare.code.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("errors[0]".to_owned(), "AuthorizationRequired"),
            ("errors[1]".to_owned(), "ConsentRequired")
        ]
    );
}

type Anything = UnsyncBoxBody<Bytes, io::Error>;

/// The body that the caller gets for a response with `status` and `body`.
async fn returned(status: u16, body: Anything) -> GareBody<Anything> {
    let body = Arc::new(Mutex::new(Some(body)));
    let client = service_fn(move |_: Request<Full<Bytes>>| {
        let body = body.lock().expect("whole").take().expect("one request");
        let response = Response::builder()
            .status(status)
            .header("content-type", "application/json");
        async { Ok::<_, Infallible>(response.body(body).expect("an answer")) }
    });
    let login = reauth_fn(|_| async { Err(ReauthError::declined()) });
    let answer = GareLayer::new(login).layer(client).oneshot(get("/"));
    answer.await.expect("an answer").into_body()
}

/// A server asks a body for its end, and keeps the connection open until then.
#[checks::test]
async fn body_reports_its_end_after_it_was_read() {
    let full = || Full::new(Bytes::from_static(b"{}")).map_err(|never| match never {});
    for status in [200, 403] {
        let nothing = Empty::new().map_err(|never| match never {}).boxed_unsync();
        assert!(returned(status, nothing).await.is_end_stream());
        let mut body = returned(status, full().boxed_unsync()).await;
        assert!(!body.is_end_stream(), "{status}");
        let frame = body.frame().await.expect("a frame").expect("data");
        assert_eq!(frame.into_data().expect("data"), "{}");
        assert!(body.is_end_stream(), "{status}");
        assert!(body.frame().await.is_none());
    }

    let broken = stream::iter([
        Ok(Frame::data(Bytes::from_static(b"{"))),
        Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    ]);
    let mut body = returned(403, StreamBody::new(broken).boxed_unsync()).await;
    assert!(!body.is_end_stream());
    body.frame().await.expect("a frame").expect("data");
    assert!(!body.is_end_stream(), "an error is still to come");
    let error = body.frame().await.expect("a frame").expect_err("an error");
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    assert!(body.is_end_stream());
}

/// A connection serves one request at a time, and the replay may need that of the challenge.
#[checks::test]
async fn unread_challenge_is_dropped_before_the_replay() {
    let login = Login::at_once().stored("old");
    let renewed = login.clone();
    let challenge = Arc::new(());
    let handle = Arc::downgrade(&challenge);
    let challenge = Arc::new(Mutex::new(Some(challenge)));
    let client = service_fn(move |request: Request<Full<Bytes>>| {
        let (status, tie) = match authorization(&request) {
            "Bearer fresh" => {
                assert!(handle.upgrade().is_none(), "the challenge is still there");
                (200, Arc::default())
            }
            _ => {
                renewed.store("fresh");
                (401, challenge.lock().expect("whole").take().expect("one"))
            }
        };
        // Compressed, so that it is not read.
        let response = Response::builder()
            .status(status)
            .header("content-encoding", "gzip");
        // The body owns the value that the handle refers to.
        let body = Full::<Bytes>::from("{}").map_frame(move |frame| {
            let _tied = &tie;
            frame
        });
        let response = response.body(body);
        async { Ok::<_, Infallible>(response.expect("an answer")) }
    });
    let layer = GareLayer::new(login);
    let answer = layer.layer(client).oneshot(get("/")).await;
    assert_eq!(answer.expect("an answer").status(), StatusCode::OK);
}

#[checks::test(start_paused = true)]
async fn challenge_has_the_time_left_for_its_login() {
    let seconds = Duration::from_secs;
    let (asked, left) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(Vec::new())));
    let told = Arc::clone(&left);
    let login = reauth_fn(move |challenge: Challenge| {
        let told = Arc::clone(&told);
        async move {
            for _ in 0..2 {
                told.lock().expect("whole").push(challenge.time_left());
                tokio::time::sleep(seconds(40)).await;
            }
            Err(ReauthError::declined())
        }
    });
    let seen = Arc::clone(&asked);
    let session = Session::builder(login).login_timeout(seconds(60));
    let session = session.approve(move |challenge| {
        *seen.lock().expect("whole") = challenge.time_left();
        Some(challenge.gare().clone())
    });
    let layer = GareLayer::from_session(session.build());
    let service = behind(&layer, |_| answer(403, MFA));
    let response = service.oneshot(get("/")).await.expect("an answer");
    let Some(GaveUp::Failed(error)) = outcome(&response).gave_up() else {
        panic!("no time out");
    };
    assert!(error.is_timeout(), "{error}");
    assert_eq!(*asked.lock().expect("whole"), Some(seconds(60)));
    let left = left.lock().expect("whole").clone();
    assert_eq!(left, [Some(seconds(60)), Some(seconds(20))]);
    let origin = "https://transfer.api.globus.org".parse();
    let target = Target::new(origin.expect("an origin"), Principal::Session);
    let by_hand = Challenge::new(target, Gare::new("ConsentRequired", Default::default()));
    assert_eq!(by_hand.time_left(), None);
}
