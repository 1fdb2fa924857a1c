//! Logins that succeed one after the other, each of them for nothing.

use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GaveUp, Session};
use tokio::time::advance;

use super::{gave_up, seconds};
use checks::mock::{Login, Once, answer, authorization, behind, get, send, token_number};
use http::Request;
use tower::{Layer, ServiceExt, service_fn};

fn policy(number: usize) -> String {
    format!(
        r#"{{"code":"c","authorization_parameters":{{"session_required_policies":["{number}"]}}}}"#
    )
}

#[checks::test(start_paused = true)]
async fn service_that_always_asks_for_more_gets_ten_logins() {
    let login = Login::at_once();
    let session = Session::new(login.clone());
    let client = behind(&GareLayer::from_session(session), |request| {
        answer(403, &policy(token_number(&request)))
    });
    for _ in 0..1000 {
        send(&client, get("/")).await;
    }
    assert_eq!(login.logins(), 10);
    let response = send(&client, get("/")).await;
    let Some(GaveUp::Budget { retry_after, .. }) = gave_up(&response) else {
        panic!("{response:?}");
    };
    assert_eq!(*retry_after, seconds(10 * 60));
    advance(*retry_after).await;
    send(&client, get("/")).await;
    assert!(login.logins() > 10);
}

#[checks::test]
async fn consent_policy_and_second_factor_take_one_request() {
    let login = Login::at_once();
    let client = behind(&login.layer(), |request| match token_number(&request) {
        4 => answer(200, ""),
        number => answer(403, &policy(number)),
    });
    assert_eq!(send(&client, get("/")).await.status(), 200);
    assert_eq!(login.logins(), 4);
}

#[checks::test]
async fn streams_alone_have_their_login() {
    let login = Login::at_once();
    let service = service_fn(|request: Request<Once>| async move {
        Ok::<_, std::convert::Infallible>(match authorization(&request) {
            "Bearer token-1" => answer(200, ""),
            _ => answer(403, &policy(0)),
        })
    });
    let client = login.layer().layer(service);
    let mut statuses = Vec::new();
    for _ in 0..500 {
        let stream = get("/").map(|_| Once);
        let response = client.clone().oneshot(stream).await.expect("an answer");
        statuses.push(response.status().as_u16());
    }
    assert_eq!((statuses[0], login.logins()), (403, 1));
    assert!(statuses[1..].iter().all(|status| *status == 200));
}
