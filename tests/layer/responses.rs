//! Responses that the layer does not act on reach the caller unchanged.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use globus_gare::layer::GareLayer;
use globus_gare::reauth::{GareOptions, GareOutcome, ReauthError, Session, Trust};
use http::{HeaderMap, Method, Request, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt;
use tower::{Layer, ServiceExt, service_fn};

use checks::mock::{Body, Login, MFA, answer, authorization, behind, get, presenting, with};

/// A body of several frames.
struct Steps(VecDeque<Step>);

enum Step {
    Data(&'static str),
    Trailer(&'static str),
    Wait(Duration, Option<Pin<Box<tokio::time::Sleep>>>),
    Error(&'static str),
}

impl HttpBody for Steps {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        loop {
            if let Some(Step::Wait(time, alarm)) = self.0.front_mut() {
                let alarm = alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep(*time)));
                if alarm.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
            }
            return Poll::Ready(match self.0.pop_front() {
                Some(Step::Wait(..)) => continue,
                Some(Step::Data(data)) => {
                    Some(Ok(Frame::data(Bytes::from_static(data.as_bytes()))))
                }
                Some(Step::Trailer(value)) => {
                    let mut trailers = HeaderMap::new();
                    trailers.insert("x-trailer", value.parse().expect("a value"));
                    Some(Ok(Frame::trailers(trailers)))
                }
                Some(Step::Error(error)) => Some(Err(error)),
                None => None,
            });
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// The data, the trailer and the error that a caller reads.
async fn read(
    mut body: impl HttpBody<Data = Bytes, Error = &'static str> + Unpin,
) -> (String, String, String) {
    let (mut data, mut trailer) = (String::new(), String::new());
    loop {
        match body.frame().await {
            None => return (data, trailer, String::new()),
            Some(Err(error)) => return (data, trailer, error.to_owned()),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(bytes) => data.push_str(std::str::from_utf8(&bytes).expect("text")),
                Err(frame) => {
                    let trailers = frame.into_trailers().expect("trailers");
                    trailer = trailers["x-trailer"].to_str().expect("ASCII").to_owned();
                }
            },
        }
    }
}

async fn through(
    layer: GareLayer,
    status: u16,
    steps: Vec<Step>,
) -> Response<globus_gare::layer::GareBody<Steps>> {
    let steps = Arc::new(Mutex::new(Some(steps)));
    let service = service_fn(move |_: Request<Body>| {
        let steps = steps.lock().expect("whole").take().expect("one request");
        std::future::ready(Response::builder().status(status).body(Steps(steps.into())))
    });
    layer
        .layer(service)
        .oneshot(get("/"))
        .await
        .expect("a response")
}

fn outcome<B>(response: &Response<B>) -> Option<(&'static str, usize)> {
    let outcome = response.extensions().get::<GareOutcome>()?;
    Some((
        outcome.gave_up().map_or("", |reason| reason.name()),
        outcome.found().len(),
    ))
}

#[checks::test(start_paused = true)]
async fn response_without_a_gare_is_returned_byte_for_byte() {
    use Step::{Data, Error, Trailer};
    let wait = |seconds| Step::Wait(Duration::from_secs(seconds), None);
    for (name, status, steps, data, trailer, error) in [
        (
            "a plain answer",
            200,
            vec![Data("a"), Data("b"), Trailer("t")],
            "ab",
            "t",
            "",
        ),
        (
            "a challenge in pieces",
            404,
            vec![Data("{\"a\""), wait(1), Data(": 1}"), Trailer("t")],
            "{\"a\": 1}",
            "t",
            "",
        ),
        ("an empty 403", 403, vec![], "", "", ""),
        ("trailers alone", 403, vec![Trailer("t")], "", "t", ""),
        (
            "one that breaks off",
            403,
            vec![Data("{\"a"), Error("reset")],
            "{\"a",
            "",
            "reset",
        ),
        (
            "one that drips for too long",
            403,
            vec![Data("{"), wait(60), Data("}"), Trailer("t")],
            "{}",
            "t",
            "",
        ),
        (
            "one that is too long",
            403,
            vec![Data("0123456789"), Data("0123456789"), Data("!")],
            "01234567890123456789!",
            "",
            "",
        ),
        (
            "a gateway's page",
            502,
            vec![Data("<html>bad gateway</html>")],
            "<html>bad gateway</html>",
            "",
            "",
        ),
    ] {
        let login = Login::at_once();
        let response = through(GareLayer::new(login.clone()).max_inspect(15), status, steps).await;
        assert_eq!(response.status(), status, "{name}");
        assert_eq!(outcome(&response), None, "{name}");
        assert_eq!(
            read(response.into_body()).await,
            (data.into(), trailer.into(), error.into()),
            "{name}"
        );
        assert_eq!(login.logins(), 0, "{name}");
    }
}

#[checks::test(start_paused = true)]
async fn slow_body_is_passed_on_after_the_inspect_timeout() {
    let steps = vec![
        Step::Data("{"),
        Step::Wait(Duration::from_secs(60), None),
        Step::Data("}"),
    ];
    let began = tokio::time::Instant::now();
    let layer = GareLayer::new(Login::at_once()).inspect_timeout(Duration::from_secs(3));
    let response = through(layer, 403, steps).await;
    assert_eq!(began.elapsed().as_secs(), 3);
    assert_eq!(read(response.into_body()).await.0, "{}");
    assert_eq!(began.elapsed().as_secs(), 60);
}

#[checks::test]
async fn unhandled_challenge_is_returned_with_the_reason() {
    let declined = || Login::at_once().then(Err(ReauthError::declined()));
    let elsewhere = Request::get("https://globus.org.evil.example/")
        .body(Body::default())
        .expect("a request");
    for (login, request, expected, logins) in [
        (declined(), get("/"), Some(("failed", 1)), 1),
        (Login::at_once(), get("/"), Some(("no_progress", 1)), 1),
        (
            Login::at_once(),
            presenting(get("/"), "Basic Y2xpZW50OnNlY3JldA=="),
            Some(("not_bearer", 1)),
            0,
        ),
        (Login::at_once(), elsewhere, Some(("untrusted", 1)), 0),
        (
            Login::at_once(),
            with(get("/"), GareOptions::new().bypass()),
            None,
            0,
        ),
        (
            Login::at_once(),
            with(get("/"), GareOptions::new().no_prompt()),
            Some(("no_prompt", 1)),
            0,
        ),
        (
            Login::at_once(),
            with(get("/"), GareOptions::new().login_only()),
            Some(("login_only", 1)),
            1,
        ),
    ] {
        let client = behind(&GareLayer::new(login.clone()), |_| answer(403, MFA));
        let response = client.oneshot(request).await.expect("a response");
        assert_eq!(outcome(&response), expected);
        assert_eq!(login.logins(), logins, "{expected:?}");
        assert_eq!(response.headers()["content-type"], "application/json");
        let body = response.into_body();
        assert_eq!(body.size_hint().exact(), Some(MFA.len() as u64));
        assert_eq!(
            body.collect().await.expect("a body").to_bytes(),
            MFA,
            "{expected:?}"
        );
    }
}

#[checks::test]
async fn untrusted_origins_get_no_credential_and_no_login() {
    let login = Login::at_once().stored("secret");
    let layer = GareLayer::from_session(
        Session::builder(login.clone())
            .trust(
                Trust::none()
                    .origin("https://a.example")
                    .expect("an origin"),
            )
            .build(),
    );
    let client = behind(&layer, |request| {
        let trusted = request.uri() == "https://a.example/";
        assert_eq!(
            authorization(&request),
            if trusted { "Bearer secret" } else { "" }
        );
        answer(if trusted { 200 } else { 403 }, MFA)
    });
    for uri in [
        "https://a.example/",
        "http://a.example/",
        "https://a.example:8443/",
        "https://transfer.api.globus.org/",
    ] {
        let request = Request::get(uri).body(Body::default()).expect("a request");
        let response = client.clone().oneshot(request).await.expect("a response");
        assert_eq!(
            outcome(&response).is_none(),
            uri == "https://a.example/",
            "{uri}"
        );
    }
    assert_eq!((login.logins(), login.look_ups()), (0, 1));
}

#[checks::test]
async fn responses_to_head_and_compressed_ones_are_not_read() {
    let login = Login::at_once();
    let client = behind(&GareLayer::new(login.clone()), |request| {
        let mut response = answer(403, MFA);
        if request.method() != Method::HEAD {
            response
                .headers_mut()
                .insert("content-encoding", "gzip".parse().expect("a value"));
        }
        response
    });
    for method in [Method::HEAD, Method::GET] {
        let mut request = get("/");
        *request.method_mut() = method;
        let response = client.clone().oneshot(request).await.expect("a response");
        assert_eq!(outcome(&response), None);
    }
    assert_eq!(login.logins(), 0);
}
