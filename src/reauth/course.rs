//! How a request goes through the layer: decided before it is sent, without waiting.

use http::{Extensions, Method, Uri};

use super::origin::OriginRef;
use super::{Exchange, GareOptions, GareOutcome, Refusal, Session, events};
use crate::runtime;

/// How a request goes through the layer.
#[expect(
    clippy::large_enum_variant,
    reason = "a box would cost every request an allocation"
)]
pub(crate) enum Course {
    /// As if there were no layer.
    Aside,
    /// To an origin that is not trusted: only told, never acted on.
    Untrusted,
    /// With a credential, and its answer looked at.
    Through(Exchange),
}

impl Session {
    /// Begins the course of a request, which then [presents](Exchange::present) what it came with. Nothing waits here.
    #[inline]
    pub(crate) fn begin(&self, method: &Method, uri: &Uri, extensions: &Extensions) -> Course {
        let options = extensions.get::<GareOptions>().cloned().unwrap_or_default();
        if options.never || runtime::is_aboard() || is_part_of_a_login(uri) {
            return Course::Aside;
        }
        if !OriginRef::of(uri).is_ok_and(|origin| self.settings().trust.allows_view(origin)) {
            return Course::Untrusted;
        }
        Course::Through(Exchange {
            session: self.clone(),
            seat: None,
            presented: None,
            options,
            method: method.clone(),
            uri: uri.clone(),
            sent: 0,
            dealings: None,
        })
    }

    /// The outcome of an answer from an origin that is not trusted.
    pub(crate) fn untrusted(&self) -> GareOutcome {
        self.counters().refused(&Refusal::Untrusted);
        events::not_trusted();
        GareOutcome {
            refusal: Some(Refusal::Untrusted),
            ..GareOutcome::default()
        }
    }
}

/// Whether the request is one of those that a login is made of: they come with
/// a client's own credentials, and must not wait for the login to be over.
fn is_part_of_a_login(uri: &Uri) -> bool {
    let path = uri.path();
    path == "/v2/oauth2/authorize"
        || path == "/v2/oauth2/token"
        || path.starts_with("/v2/oauth2/token/")
}
