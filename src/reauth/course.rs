//! How a request goes through the layer: decided before it is sent, without waiting.

use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{Extensions, HeaderValue, Uri};
use tokio::time::Instant;

use super::asked::{Presented, identity};
use super::current::Issued;
use super::exchange::Holder;
use super::origin::{OriginRef, authority};
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
    Through {
        /// Whether it goes where most do, and asks nothing of the layer.
        is_usual: bool,
    },
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
    /// Whether it is secure, and its authority; none where no credential could go.
    fn authority(&self) -> Option<(bool, &str)>;
    /// Its path, perhaps with a query.
    fn path(&self) -> &str;
}

impl Place for Uri {
    #[inline]
    fn authority(&self) -> Option<(bool, &str)> {
        authority(self)
    }

    #[inline]
    fn path(&self) -> &str {
        self.path_and_query().map_or("", PathAndQuery::as_str)
    }
}

/// Whether the request is one of those that a login is made of: they come with
/// a client's own credentials, and must not wait for the login to be over.
#[inline]
fn is_part_of_a_login(path: &str) -> bool {
    path.strip_prefix("/v2/oauth2/").is_some_and(names_one)
}

#[cold]
fn names_one(rest: &str) -> bool {
    let path = rest.split_once('?').map_or(rest, |(path, _)| path);
    path == "authorize" || path == "token" || path.starts_with("token/")
}

impl Session {
    /// Begins the course of a request, which then [presents](Exchange::present) what it came with. Nothing waits here.
    // Always: each adapter calls it once, and it gives more than registers hold.
    #[inline(always)]
    pub(crate) fn begin(&self, place: &impl Place, extensions: &Extensions) -> Course {
        let options = extensions.get::<GareOptions>();
        if options.is_some_and(|options| options.never) {
            return Course::Aside;
        }
        let known = self.usual().look_up(place);
        if runtime::is_aboard() || is_part_of_a_login(place.path()) {
            return Course::Aside;
        }
        // Only now, for what a login is made of is not what is usual.
        let is_trusted =
            known.unwrap_or_else(|| self.usual().find_out(place, &self.settings().trust));
        if !is_trusted {
            return Course::Untrusted;
        }
        Course::Through {
            is_usual: known.is_some() && options.is_none(),
        }
    }

    /// What is kept of a request that goes [through](Course::Through).
    #[inline]
    pub(crate) fn exchange(&self, extensions: &Extensions) -> Exchange {
        Exchange::new(self.clone(), extensions.get())
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
        if presented.is_some() && self.session.identities().are_none() {
            // Most programs have one identity, and know its credential.
            return Header::AsItCame;
        }
        self.find_holder(presented);
        let Some(origin) = self.session.usual().view(place) else {
            return Header::AsItCame;
        };
        let (header, sent) = self.header(Presented::of(presented), origin);
        self.sent = sent;
        header
    }

    fn find_holder(&mut self, presented: Option<&HeaderValue>) {
        let identities = self.session.identities();
        let named = self.options().identity.as_ref();
        self.holder = match (named, presented) {
            (None, None) => Holder::Own,
            (_, Some(_)) => identities.find(&identity(named, presented)).into(),
            (Some(_), None) => Holder::Other(identities.find_or_make(&identity(named, None))),
        };
    }

    /// The header to send, if that is known without waiting, and its generation.
    fn header(&self, presented: Presented, origin: OriginRef<'_>) -> (Header, u64) {
        let slot = match self.slot() {
            Some(slot) if presented != Presented::Other => slot,
            _ => return (Header::AsItCame, 0),
        };
        let leeway = self.session.settings().expiry_leeway;
        let current = slot.current.look(origin, |issued: &Issued| {
            let credential = &issued.credential;
            let value = credential.header_value().clone();
            (issued.generation, value, credential.is_expired(leeway))
        });
        let is_barren = |slot: &Arc<Slot>| slot.lock().is_barren(origin, Instant::now());
        match current {
            Some((generation, value, expired)) if !expired || is_barren(slot) => {
                (Header::Issued(value), generation)
            }
            Some(_) => (Header::Awaited, 0),
            None if presented == Presented::Bearer || is_barren(slot) => (Header::AsItCame, 0),
            None => (Header::Awaited, 0),
        }
    }
}
