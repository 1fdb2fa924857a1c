//! Reads a response that may be a challenge, waits for a credential, and replays the request.

use std::future::{Future, poll_fn};
use std::task::{Context, Poll, Waker};

use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use http_body::Body;

use super::InspectLimits;
use super::kept::authorize;
use crate::body::{GareBody, Held, Inspection};
use crate::gare::Detection;
use crate::reauth::{AnswerHead, Exchange, GaveUp, Look, ResponseUrl, Untrusted, Verdict, look};

/// A client, and a request that it may replay.
pub(crate) trait Client: Send {
    type Request: Send;
    type Body: Body<Error: Send> + Send;
    type Error;

    fn headers_mut(request: &mut Self::Request) -> &mut HeaderMap;

    /// Whether a copy of the request's body was kept.
    fn is_replayable(&self) -> bool;

    /// Whether the kept body can still be sent. If `true`, that holds until it is sent.
    fn claim(&self) -> bool;

    /// A copy of the request with this `Authorization`. `None` if it cannot be sent again.
    fn again(&mut self, authorization: HeaderValue) -> Option<Self::Request>;

    fn send(
        &mut self,
        request: Self::Request,
    ) -> impl Future<Output = Result<Response<Self::Body>, Self::Error>> + Send;

    /// The URIs that a response came from, as far as the client recorded them.
    fn sources(response: &Response<Self::Body>) -> Vec<Uri> {
        ResponseUrl::told(response.extensions())
            .into_iter()
            .cloned()
            .collect()
    }
}

/// Inspects a response from an untrusted origin, without waiting for its body.
pub(crate) fn glance<B: Body>(
    untrusted: Untrusted,
    response: Response<B>,
    limits: &InspectLimits,
    cx: &mut Context<'_>,
) -> Response<GareBody<B>> {
    if look(&untrusted.method, &response, limits.max_inspect) != Look::Read {
        return response.map(GareBody::untouched);
    }
    let (mut head, body) = response.into_parts();
    let (text, held) =
        Inspection::new(body, limits.max_inspect, limits.inspect_timeout).read_ready(cx);
    let detection = text.as_deref().map(Detection::of).unwrap_or_default();
    if !detection.found.is_empty() {
        head.extensions.insert(untrusted.outcome(detection));
    }
    Response::from_parts(head, GareBody::inspected(held))
}

/// The waker of the current task, to poll a body once.
pub(crate) async fn waker() -> Waker {
    poll_fn(|cx| Poll::Ready(cx.waker().clone())).await
}

/// Waits for the first credential, sends the request, and [follows](follow) its response.
pub(crate) async fn follow_first<C: Client>(
    mut exchange: Exchange,
    mut client: C,
    limits: InspectLimits,
    mut request: C::Request,
) -> Result<Response<GareBody<C::Body>>, C::Error> {
    if let Some(value) = exchange.credential().await {
        authorize(C::headers_mut(&mut request), value);
    }
    let response = client.send(request).await?;
    follow(exchange, client, limits, response).await
}

/// Reads a response, decides, waits for a credential and replays the request, until there is a
/// response for the caller.
pub(crate) async fn follow<C: Client>(
    mut exchange: Exchange,
    mut client: C,
    limits: InspectLimits,
    mut response: Response<C::Body>,
) -> Result<Response<GareBody<C::Body>>, C::Error> {
    loop {
        let status = response.status();
        let look = look(exchange.method(), &response, limits.max_inspect);
        let is_readable = look == Look::Read;
        if let Look::Skip(reason) = look {
            exchange.not_inspected(status, reason);
        }
        let wants_any = exchange.may_ask_without_body(status, response.headers());
        let sources = C::sources(&response);
        if exchange.is_at_login(&sources) {
            exchange.give_up(GaveUp::RedirectedToLogin);
            // The caller must not take the login page for the file.
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            exchange.finish(StatusCode::UNAUTHORIZED, response.extensions_mut());
            return Ok(response.map(GareBody::untouched));
        }
        if !is_readable && !wants_any {
            exchange.finish(status, response.extensions_mut());
            return Ok(response.map(GareBody::untouched));
        }
        let (mut head, body) = response.into_parts();
        if !exchange.trusts(&sources) {
            let body = Inspection::new(body, limits.max_inspect, limits.inspect_timeout);
            let waker = waker().await;
            let (text, held) = body.read_ready(&mut Context::from_waker(&waker));
            let detection = text.as_deref().map(Detection::of).unwrap_or_default();
            if !detection.found.is_empty() {
                exchange.give_up(GaveUp::Untrusted);
            }
            exchange.finish(status, &mut head.extensions);
            return Ok(Response::from_parts(head, GareBody::inspected(held)));
        }
        let (text, held) = if is_readable {
            let body = Inspection::new(body, limits.max_inspect, limits.inspect_timeout);
            let (text, held) = body.read().await;
            let text = text.inspect_err(|reason| exchange.not_inspected(status, reason));
            (text.ok(), held)
        } else {
            (None, Held::unread(body))
        };
        let detection = text.as_deref().map(Detection::of).unwrap_or_default();
        // A claim may end the sending of the first attempt's body, and with it the connection. So
        // it is made only for a challenge whose body was read.
        let may_claim = text.is_some() && (!detection.found.is_empty() || wants_any);
        let replayable = client.is_replayable() && (!may_claim || client.claim());
        let answer = AnswerHead {
            status,
            headers: &head.headers,
            sources: &sources,
        };
        let request = match exchange.answered(answer, detection, replayable).await {
            Verdict::Replay(authorization) => {
                let request = client.again(authorization);
                if request.is_none() {
                    // The first attempt read beyond the limit during the login.
                    exchange.give_up(GaveUp::NotReplayable);
                }
                request
            }
            Verdict::Return => None,
        };
        let Some(request) = request else {
            exchange.finish(status, &mut head.extensions);
            return Ok(Response::from_parts(head, GareBody::inspected(held)));
        };
        exchange.replayed();
        // After this, the connection of a response that was read can serve the replay.
        drop((head, held));
        response = client.send(request).await?;
    }
}
