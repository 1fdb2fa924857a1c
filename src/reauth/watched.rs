//! A request whose refusal nobody can do anything about.

use http::{HeaderValue, Method, Request};

use super::{Asked, Exchange, Session};

/// A request that is sent once, with a credential of its own that no login of the session gave: if it is refused the caller
/// is told, and that is all.
///
/// So less is kept of it than of others. Where it went need not be kept: where most requests do.
pub(crate) struct Watched {
    session: Session,
    method: &'static Method,
}

impl Session {
    /// What is kept of a request to the usual place that cannot be sent a second time, if that is enough. Where it is not
    /// told at a glance it goes the way of all others, which ends as this one does.
    #[inline]
    pub(crate) fn watch<B>(&self, request: &Request<B>) -> Option<Watched> {
        let is_one = self.usual().headers().are_authorized(request.headers())
            && self.identities().are_none()
            && !self.settings().login_for_unreplayable;
        if !is_one {
            return None;
        }
        Some(Watched {
            method: standard(request.method())?,
            session: self.clone(),
        })
    }
}

/// A method that takes no memory.
#[inline]
fn standard(method: &Method) -> Option<&'static Method> {
    Some(match *method {
        Method::GET => &Method::GET,
        Method::POST => &Method::POST,
        Method::PUT => &Method::PUT,
        Method::DELETE => &Method::DELETE,
        Method::PATCH => &Method::PATCH,
        Method::HEAD => &Method::HEAD,
        Method::OPTIONS => &Method::OPTIONS,
        Method::CONNECT => &Method::CONNECT,
        Method::TRACE => &Method::TRACE,
        _ => return None,
    })
}

impl Watched {
    /// What is kept of other requests, as far as it matters.
    pub(crate) fn exchange(&self) -> (Exchange, Asked) {
        let asked = Asked {
            method: self.method.clone(),
            uri: self.session.usual().uri(),
            // Nobody will ask which it was.
            presented: Some(HeaderValue::from_static("")),
        };
        (Exchange::new(self.session.clone(), None), asked)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use http::header::{ACCEPT, AUTHORIZATION};

    use super::super::{ReauthError, reauth_fn};
    use super::*;

    /// A session whose requests usually come with a credential.
    fn session() -> Session {
        let session = Session::new(reauth_fn(|_| async { Err(ReauthError::declined()) }));
        learn(&session);
        session
    }

    fn learn(session: &Session) {
        session.usual().learn_headers(request("POST").headers());
    }

    fn request(method: &str) -> Request<()> {
        Request::builder()
            .method(method)
            .header(ACCEPT, "a")
            .header(ACCEPT, "b")
            .header(AUTHORIZATION, "Bearer t")
            .body(())
            .expect("a request")
    }

    #[checks::test]
    fn usual_request_is_watched() {
        for method in ["GET", "POST", "PUT", "HEAD", "TRACE"] {
            let session = session();
            let watched = session.watch(&request(method)).expect(method);
            let (exchange, asked) = watched.exchange();
            assert_eq!(asked.method, *method);
            assert!(exchange.slot().is_none());
        }
    }

    #[checks::test]
    fn unusual_request_is_not_watched() {
        assert!(session().watch(&request("REPORT")).is_none());
        for headers in [&[ACCEPT][..], &[], &[AUTHORIZATION, ACCEPT]] {
            let mut other = request("POST");
            let value = HeaderValue::from_static("a");
            let headers = headers.iter().map(|name| (name.clone(), value.clone()));
            *other.headers_mut() = HeaderMap::from_iter(headers);
            assert!(session().watch(&other).is_none(), "{other:?}");
        }
    }

    #[checks::test]
    fn unreplayable_request_is_not_watched_if_it_may_log_in() {
        let session = session().login_for_unreplayable(true);
        learn(&session);
        assert!(session.watch(&request("POST")).is_none());
        let session = session.login_for_unreplayable(false);
        learn(&session);
        assert!(session.watch(&request("POST")).is_some());
    }
}
