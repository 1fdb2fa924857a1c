//! The policy that most programs write for tower's `Retry`.

use std::future::{Ready, ready};

use http::{Request, Response};
use tower::retry::Policy;

/// Clones each request, and retries it if it does not succeed.
#[derive(Clone)]
pub struct Cloning;

impl<B: Clone, Res, E> Policy<Request<B>, Response<Res>, E> for Cloning {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<B>,
        result: &mut Result<Response<Res>, E>,
    ) -> Option<Ready<()>> {
        let answered = result
            .as_ref()
            .is_ok_and(|response| response.status().is_success());
        (!answered).then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<B>) -> Option<Request<B>> {
        Some(request.clone())
    }
}
