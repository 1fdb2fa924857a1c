//! What most requests of a session have in common: it is learned from the first, and only read after that, without a lock.

use std::sync::OnceLock;

use http::uri::Scheme;
use http::{HeaderMap, Uri};

use super::course::Place;
use super::origin::{OriginRef, authority};
use super::{InvalidOrigin, Origin, Trust, UsualHeaders};

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
    /// Whether `place` is trusted, if it is the usual one.
    #[inline]
    pub(super) fn look_up(&self, place: &impl Place) -> Option<bool> {
        let (is_secure, authority) = place.authority()?;
        let usual = self.place.get()?;
        usual.is(is_secure, authority).then_some(usual.is_trusted)
    }

    /// Whether a place is trusted that nothing is known of: it may become the usual one. One that is no origin may name a
    /// user's password, and is not remembered.
    #[cold]
    pub(super) fn find_out(&self, place: &impl Place, trust: &Trust) -> bool {
        let origin = place
            .authority()
            .and_then(|(is_secure, text)| Some((OriginRef::parse(is_secure, text).ok()?, text)));
        let Some((origin, authority)) = origin else {
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

    /// The origin of a place, to look at.
    pub(super) fn view<'a>(&'a self, place: &'a impl Place) -> Option<OriginRef<'a>> {
        let (is_secure, authority) = place.authority()?;
        match self.place.get() {
            Some(usual) if usual.is(is_secure, authority) => Some(usual.origin.view()),
            _ => OriginRef::parse(is_secure, authority).ok(),
        }
    }

    /// The origin of an absolute URI, mostly the one that all share.
    pub(super) fn origin(&self, uri: &Uri) -> Result<Origin, InvalidOrigin> {
        let usual = self.place.get().filter(|usual| {
            authority(uri).is_some_and(|(is_secure, authority)| usual.is(is_secure, authority))
        });
        usual.map_or_else(|| Origin::of(uri), |usual| Ok(usual.origin.clone()))
    }

    /// Where most requests go.
    pub(super) fn uri(&self) -> Uri {
        self.place
            .get()
            .and_then(|usual| {
                let scheme = if usual.origin.is_secure() {
                    Scheme::HTTPS
                } else {
                    Scheme::HTTP
                };
                let uri = Uri::builder()
                    .scheme(scheme)
                    .authority(&*usual.authority)
                    .path_and_query("/");
                uri.build().ok()
            })
            .unwrap_or_default()
    }

    #[inline]
    pub(super) fn headers(&self) -> &UsualHeaders {
        static NONE: UsualHeaders = UsualHeaders::NONE;
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

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().expect(text)
    }

    fn is_trusted(usual: &Usual, place: &str, trust: &Trust) -> bool {
        let place = uri(place);
        let known = usual.look_up(&place);
        known.unwrap_or_else(|| usual.find_out(&place, trust))
    }

    #[checks::test]
    fn first_origin_is_remembered_and_others_are_checked() {
        let trust = Trust::none()
            .origin("https://a.example")
            .expect("an origin");
        for first in ["https://a.example/x", "https://b.example/", "/relative"] {
            let usual = Usual::default();
            is_trusted(&usual, first, &trust);
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
                    let found = is_trusted(&usual, place, &trust);
                    assert_eq!(found, trusted, "{place} after {first}");
                }
            }
        }
    }

    #[checks::test]
    fn remembered_origin_matches_only_itself() {
        let usual = Usual::default();
        is_trusted(&usual, "https://a.example/x", &Trust::none());
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

    #[checks::test]
    fn url_with_a_user_is_not_remembered() {
        let usual = Usual::default();
        is_trusted(&usual, "https://user:secret@a.example/", &Trust::globus());
        assert!(usual.place.get().is_none());
    }

    #[checks::test]
    fn first_headers_are_remembered() {
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
}
