//! How a request goes through the layer: decided before it is sent, without waiting.

use std::sync::Arc;

use http::{Extensions, HeaderValue, Uri};
use tokio::time::Instant;

use super::asked::{Presented, identity};
use super::current::Issued;
use super::exchange::Holder;
use super::origin::OriginRef;
use super::slot::Slot;
use super::{Exchange, GareOptions, GareOutcome, Refusal, Session, events};
use crate::runtime;

/// How a request goes through the layer.
pub(crate) enum Course {
    /// As if there were no layer.
    Aside,
    /// To an origin that is not trusted: only told, never acted on.
    Untrusted,
    /// With a credential, and its answer looked at.
    Through(Exchange),
}

/// The `Authorization` that a request is sent with.
pub(crate) enum Header {
    /// The one that it came with, if any.
    AsItCame,
    Issued(HeaderValue),
    /// One that [`Exchange::prepare`] waits for.
    Awaited,
}

/// Where a request goes.
pub(crate) trait Place {
    /// None where no credential could go.
    fn origin(&self) -> Option<OriginRef<'_>>;
    fn path(&self) -> &str;
}

impl Place for Uri {
    #[inline]
    fn origin(&self) -> Option<OriginRef<'_>> {
        OriginRef::of(self).ok()
    }

    #[inline]
    fn path(&self) -> &str {
        Self::path(self)
    }
}

/// Whether the request is one of those that a login is made of: they come with
/// a client's own credentials, and must not wait for the login to be over.
fn is_part_of_a_login(path: &str) -> bool {
    path.strip_prefix("/v2/oauth2/")
        .is_some_and(|rest| rest == "authorize" || rest == "token" || rest.starts_with("token/"))
}

impl Session {
    /// Begins the course of a request, which then [presents](Exchange::present) what it came with. Nothing waits here.
    #[inline]
    pub(crate) fn begin(&self, place: &impl Place, extensions: &Extensions) -> Course {
        let options = extensions.get::<GareOptions>();
        if options.is_some_and(|options| options.never)
            || runtime::is_aboard()
            || is_part_of_a_login(place.path())
        {
            return Course::Aside;
        }
        let trust = &self.settings().trust;
        if !place
            .origin()
            .is_some_and(|origin| trust.allows_view(origin))
        {
            return Course::Untrusted;
        }
        Course::Through(Exchange {
            session: self.clone(),
            holder: Holder::Nobody,
            options: options.map(|options| Box::new(options.clone())),
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

impl Exchange {
    /// Says which `Authorization` the request came with, if any, and so whose it is; tells which one it is sent with.
    #[inline]
    pub(crate) fn present(
        &mut self,
        presented: Option<&HeaderValue>,
        place: &impl Place,
    ) -> Header {
        let identities = self.session.identities();
        let named = self.options().identity.as_ref();
        self.holder = match (named, presented) {
            (None, None) => Holder::Own,
            (None, Some(_)) if identities.are_none() => return Header::AsItCame,
            (_, Some(_)) => identities.find(&identity(named, presented)).into(),
            (_, None) => Holder::Other(identities.find_or_make(&identity(named, None))),
        };
        place.origin().map_or(Header::AsItCame, |origin| {
            self.header(Presented::of(presented), origin)
        })
    }

    /// The header to send, if that is known without waiting.
    fn header(&mut self, presented: Presented, origin: OriginRef<'_>) -> Header {
        let Some(slot) = self.slot() else {
            return Header::AsItCame;
        };
        if presented == Presented::Other {
            return Header::AsItCame;
        }
        let leeway = self.session.settings().expiry_leeway;
        let current = slot.current.look(origin, |issued: &Issued| {
            let credential = &issued.credential;
            let value = credential.header_value().clone();
            (issued.generation, value, credential.is_expired(leeway))
        });
        let is_barren = |slot: &Arc<Slot>| slot.lock().is_barren(origin, Instant::now());
        match current {
            Some((generation, value, expired)) if !expired || is_barren(slot) => {
                self.sent = generation;
                Header::Issued(value)
            }
            Some(_) => Header::Awaited,
            None if presented == Presented::Bearer || is_barren(slot) => Header::AsItCame,
            None => Header::Awaited,
        }
    }
}
