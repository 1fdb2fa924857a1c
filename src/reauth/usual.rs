//! What most requests of a session have in common: it is learned from the first, and only read after that, without a lock.

use std::sync::OnceLock;

use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::course::Place;
use super::origin::{OriginRef, authority};
use super::{InvalidOrigin, Origin, Trust};

/// What the first request was like.
#[derive(Default)]
pub(super) struct Usual {
    place: OnceLock<UsualPlace>,
    headers: OnceLock<UsualHeaders>,
}

/// Where the first request went, and whether that is trusted.
struct UsualPlace {
    /// As it was written.
    authority: Box<str>,
    /// What is refused shares its name with it, instead of having a copy.
    origin: Origin,
    is_trusted: bool,
}

impl UsualPlace {
    #[inline]
    fn is(&self, is_secure: bool, authority: &str) -> bool {
        self.origin.is_secure() == is_secure && *self.authority == *authority
    }
}

impl Usual {
    /// Whether `place` is trusted.
    #[inline]
    pub(super) fn is_trusted(&self, place: &impl Place, trust: &Trust) -> bool {
        let Some((is_secure, authority)) = place.authority() else {
            return false;
        };
        if let Some(usual) = self.place.get()
            && usual.is(is_secure, authority)
        {
            return usual.is_trusted;
        }
        self.find_out(is_secure, authority, trust)
    }

    /// As [`is_trusted`](Self::is_trusted), of a place that nothing is known of. One that is no origin may name a user's
    /// password, and is not remembered.
    #[cold]
    fn find_out(&self, is_secure: bool, authority: &str, trust: &Trust) -> bool {
        let Ok(origin) = OriginRef::parse(is_secure, authority) else {
            return false;
        };
        let is_trusted = trust.allows_view(origin);
        self.place.get_or_init(|| UsualPlace {
            authority: authority.into(),
            origin: origin.to_owned(),
            is_trusted,
        });
        is_trusted
    }

    /// The origin of an absolute URI, mostly the one that all share.
    pub(super) fn origin(&self, uri: &Uri) -> Result<Origin, InvalidOrigin> {
        let usual = self.place.get().filter(|usual| {
            authority(uri).is_some_and(|(is_secure, authority)| usual.is(is_secure, authority))
        });
        usual.map_or_else(|| Origin::of(uri), |usual| Ok(usual.origin.clone()))
    }

    #[inline]
    pub(super) fn headers(&self) -> &UsualHeaders {
        static NONE: UsualHeaders = UsualHeaders(Vec::new());
        self.headers.get().unwrap_or(&NONE)
    }

    /// As [`headers`](Self::headers), with `headers` for those of the first request that has any.
    #[inline]
    pub(super) fn learn_headers(&self, headers: &HeaderMap) -> &UsualHeaders {
        match self.headers.get() {
            Some(known) => known,
            // There is nothing to be learned from it.
            None if headers.is_empty() => self.headers(),
            None => self.headers.get_or_init(|| UsualHeaders::of(headers)),
        }
    }
}

/// The headers that requests usually come with, in their order: those of a request that are the same need not be copied
/// to be kept.
///
/// HPACK does so for a connection, and is taken as the model for how much is remembered, and what never is (RFC 7541,
/// sections 4 and 7.1.3).
#[derive(Default)]
pub(crate) struct UsualHeaders(Vec<UsualHeader>);

pub(crate) struct UsualHeader {
    pub(crate) name: HeaderName,
    /// None of the credential, whatever it is.
    pub(crate) value: Option<HeaderValue>,
}

impl UsualHeaders {
    /// As many as there are bits to tell which of them a request has.
    const MAX_FIELDS: usize = u64::BITS as usize;
    const MAX_SIZE: usize = 4096;
    /// What a field takes beside its name and value.
    const OVERHEAD: usize = 32;

    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut left = Self::MAX_SIZE;
        let usual = headers.iter().filter_map(|(name, value)| {
            let value = match *name {
                AUTHORIZATION => None,
                COOKIE | PROXY_AUTHORIZATION => return None,
                _ if value.is_sensitive() => return None,
                _ => Some(value.clone()),
            };
            let length = value.as_ref().map_or(0, HeaderValue::len);
            left = left.checked_sub(name.as_str().len() + length + Self::OVERHEAD)?;
            let name = name.clone();
            Some(UsualHeader { name, value })
        });
        Self(usual.take(Self::MAX_FIELDS).collect())
    }

    pub(crate) fn as_slice(&self) -> &[UsualHeader] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().expect(text)
    }

    #[test]
    fn the_first_place_is_known_and_all_others_are_looked_at() {
        let trust = Trust::none()
            .origin("https://a.example")
            .expect("an origin");
        for first in ["https://a.example/x", "https://b.example/", "/relative"] {
            let usual = Usual::default();
            usual.is_trusted(&uri(first), &trust);
            for (place, trusted) in [
                ("https://a.example/y", true),
                ("https://A.example/", true),
                ("https://a.example:443/", true),
                ("https://a.example:8443/", false),
                ("http://a.example/", false),
                ("https://b.example/", false),
                ("https://user@a.example/", false),
                ("/relative", false),
            ] {
                // Twice: what is known of the first is not to change.
                for _ in 0..2 {
                    let found = usual.is_trusted(&uri(place), &trust);
                    assert_eq!(found, trusted, "{place} after {first}");
                }
            }
        }
    }

    #[test]
    fn no_origin_stands_for_another() {
        let usual = Usual::default();
        usual.is_trusted(&uri("https://a.example/x"), &Trust::none());
        for (place, origin) in [
            ("https://a.example/y", Some("https://a.example")),
            ("https://A.example/", Some("https://a.example")),
            ("https://b.example/", Some("https://b.example")),
            ("http://a.example/", Some("http://a.example")),
            ("https://a.example:8443/", Some("https://a.example:8443")),
            ("/relative", None),
        ] {
            let found = usual.origin(&uri(place)).ok();
            let found = found.map(|origin| origin.to_string());
            assert_eq!(found.as_deref(), origin, "{place}");
        }
    }

    #[test]
    fn a_place_that_names_a_user_is_not_remembered() {
        let usual = Usual::default();
        usual.is_trusted(&uri("https://user:secret@a.example/"), &Trust::globus());
        assert!(usual.place.get().is_none());
    }

    #[test]
    fn the_first_headers_are_the_usual() {
        let usual = Usual::default();
        let known = |usual: &Usual| usual.headers().as_slice().len();
        let mut headers = HeaderMap::new();
        usual.learn_headers(&headers);
        assert!(usual.headers.get().is_none());
        for count in [1, 2] {
            headers.append("a", HeaderValue::from(count));
            assert_eq!(usual.learn_headers(&headers).as_slice().len(), 1);
            assert_eq!(known(&usual), 1);
        }
    }

    #[test]
    fn no_secret_is_remembered() {
        let mut headers = HeaderMap::new();
        let mut secret = HeaderValue::from_static("s");
        secret.set_sensitive(true);
        headers.insert("accept", HeaderValue::from_static("a"));
        headers.insert("x-key", secret.clone());
        headers.insert(COOKIE, HeaderValue::from_static("s"));
        headers.insert(PROXY_AUTHORIZATION, HeaderValue::from_static("s"));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("s"));
        let UsualHeaders(known) = UsualHeaders::of(&headers);
        let known = known
            .iter()
            .map(|known| (known.name.as_str(), &known.value));
        let known: Vec<_> = known.collect();
        let accept = Some(HeaderValue::from_static("a"));
        assert_eq!(known, [("accept", &accept), ("authorization", &None)]);
    }

    #[test]
    fn not_more_than_so_much_is_remembered() {
        let mut headers = HeaderMap::new();
        let count = |headers: &HeaderMap| UsualHeaders::of(headers).0.len();
        for at in 0..100 {
            headers.append("a", HeaderValue::from(at));
        }
        assert_eq!(count(&headers), 64);
        headers.clear();
        let value = |length: usize| HeaderValue::from_str(&"v".repeat(length)).expect("a value");
        headers.insert("a", value(4096 - 32 - 1));
        assert_eq!(count(&headers), 1);
        headers.insert("b", value(0));
        assert_eq!(count(&headers), 1);
        headers.insert("a", value(4096 - 32));
        // The first does not fit, the second does.
        assert_eq!(count(&headers), 1);
    }
}
