use std::iter::once;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::reauth::{UsualHeader, UsualHeaders};

/// The headers of a request, in case it has to be sent again: few have, but of every request that can be they are kept.
///
/// So they are not copied where most requests have them: of these it is told that they are there. The others are written
/// one after the other into one piece of memory, which takes one allocation where to clone a `HeaderMap` takes two, and
/// another for each value that was never cloned before. Of the credential, which a replay replaces, only the place is kept.
#[derive(Default)]
pub(crate) struct KeptHeaders {
    /// Which of the usual there are, a bit for each.
    usual: u64,
    others: Vec<u8>,
}

/// What the few that are not usual take, mostly.
const ROOM: usize = 512;

impl KeptHeaders {
    /// The headers and, in passing, the credential.
    #[inline]
    pub(crate) fn of<'a>(
        headers: &'a HeaderMap,
        usual: &UsualHeaders,
    ) -> (Self, Option<&'a HeaderValue>) {
        let usual = usual.as_slice();
        let (mut credential, mut next, mut all) = (None, 0, headers.iter());
        // Nearly all have the same headers in the same order.
        let odd = loop {
            let Some((name, value)) = all.next() else {
                break None;
            };
            let Some(expected) = usual.get(next).filter(|usual| usual.name == *name) else {
                break Some((name, value));
            };
            match &expected.value {
                None => credential = credential.or(Some(value)),
                Some(usual) if is_same(usual, value) => {}
                Some(_) => break Some((name, value)),
            }
            next += 1;
        };
        let mut kept = Self {
            usual: lowest(next),
            others: Vec::new(),
        };
        if let Some(odd) = odd {
            let rest = once(odd).chain(all);
            credential = credential.or(kept.keep_all(rest, usual, next));
        }
        (kept, credential)
    }

    /// Keeps what comes after the first that is not as usual, and tells which is the credential.
    #[inline(never)]
    fn keep_all<'a>(
        &mut self,
        rest: impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)>,
        usual: &[UsualHeader],
        mut next: usize,
    ) -> Option<&'a HeaderValue> {
        let mut credential = None;
        self.others.reserve(ROOM);
        for (name, value) in rest {
            if *name == AUTHORIZATION {
                credential = credential.or(Some(value));
            }
            next = self.keep(name, value, usual, next);
        }
        credential
    }

    /// Keeps a header of which those before `next` are no longer expected, and tells which one is.
    fn keep(
        &mut self,
        name: &HeaderName,
        value: &HeaderValue,
        usual: &[UsualHeader],
        next: usize,
    ) -> usize {
        let mut rest = usual.iter().skip(next);
        let is_it = |usual: &UsualHeader| {
            let same = |known| is_same(known, value);
            usual.name == *name && usual.value.as_ref().is_none_or(same)
        };
        if let Some(skipped) = rest.position(is_it) {
            self.usual |= 1 << (next + skipped);
            return next + skipped + 1;
        }
        let (value, is_sensitive) = match *name {
            AUTHORIZATION => (&[][..], true),
            _ => (value.as_bytes(), value.is_sensitive()),
        };
        let name = name.as_str().as_bytes();
        let head = Head {
            next,
            is_sensitive,
            name: name.len(),
            value: value.len(),
        };
        for part in [&head.to_bytes()[..], name, value] {
            self.others.extend_from_slice(part);
        }
        next
    }

    /// The headers as they were, in their order, with another credential.
    pub(crate) fn with(&self, credential: HeaderValue, usual: &UsualHeaders) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut given = 0;
        let mut give_until = |end: usize, headers: &mut HeaderMap| {
            for at in given..end {
                if self.usual >> at & 1 == 1
                    && let Some(UsualHeader { name, value }) = usual.as_slice().get(at)
                {
                    let value = value.clone().unwrap_or(HeaderValue::from_static(""));
                    headers.append(name, value);
                }
            }
            given = end;
        };
        let mut rest = &self.others[..];
        while let Some((head, header, after)) = read_one(rest) {
            give_until(head.next, &mut headers);
            if let Some((name, value)) = header {
                headers.append(name, value);
            }
            rest = after;
        }
        give_until(usual.as_slice().len(), &mut headers);
        authorize(&mut headers, credential);
        headers
    }
}

/// Replaces `Authorization`, however many there are.
pub(crate) fn authorize(headers: &mut HeaderMap, mut credential: HeaderValue) {
    credential.set_sensitive(true);
    headers.insert(AUTHORIZATION, credential);
}

/// Whether a value is the usual one; clones of it have their bytes in the same place.
#[inline]
fn is_same(usual: &HeaderValue, value: &HeaderValue) -> bool {
    let (usual, text) = (usual.as_bytes(), value.as_bytes());
    (std::ptr::eq(usual, text) || usual == text) && !value.is_sensitive()
}

/// The `count` lowest bits.
#[inline]
fn lowest(count: usize) -> u64 {
    u64::MAX.checked_shr(64 - count as u32).unwrap_or(0)
}

/// What comes before a header that is written down.
struct Head {
    /// Which of the usual come later: there are no more than there are bits.
    next: usize,
    is_sensitive: bool,
    /// How long its name is.
    name: usize,
    /// How long its value is.
    value: usize,
}

impl Head {
    const LENGTH: usize = 2 * size_of::<u64>();

    fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let name = (self.name as u64) << 8 | (self.next as u64) << 1 | u64::from(self.is_sensitive);
        (u128::from(name) << 64 | self.value as u128).to_le_bytes()
    }

    fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        let bits = u128::from_le_bytes(bytes);
        let (name, value) = ((bits >> 64) as u64, bits as u64);
        Self {
            next: (name >> 1 & 0x7f) as usize,
            is_sensitive: name & 1 == 1,
            name: (name >> 8) as usize,
            value: value as usize,
        }
    }
}

type Header = (HeaderName, HeaderValue);

/// The first header of `text`, and what comes after it.
fn read_one(text: &[u8]) -> Option<(Head, Option<Header>, &[u8])> {
    let (head, text) = text.split_first_chunk()?;
    let head = Head::from_bytes(*head);
    let (name, text) = text.split_at_checked(head.name)?;
    let (value, text) = text.split_at_checked(head.value)?;
    // They were a name and a value before.
    let name = HeaderName::from_bytes(name).ok();
    let value = HeaderValue::from_bytes(value).ok().map(|mut value| {
        value.set_sensitive(head.is_sensitive);
        value
    });
    Some((head, name.zip(value), text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&str, HeaderValue)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            map.append(name, value.clone());
        }
        map
    }

    fn secret(value: &'static str) -> HeaderValue {
        let mut value = HeaderValue::from_static(value);
        value.set_sensitive(true);
        value
    }

    /// Names, values and whether they are sensitive, in order.
    fn list(headers: &HeaderMap) -> Vec<(&HeaderName, &[u8], bool)> {
        let all = headers.iter();
        all.map(|(name, value)| (name, value.as_bytes(), value.is_sensitive()))
            .collect()
    }

    #[checks::test]
    fn usual_headers_are_not_copied() {
        let value = HeaderValue::from_static;
        let usual = [
            ("accept", value("a")),
            ("authorization", value("Bearer t")),
            ("x-own", value("")),
        ];
        let first = map(&usual);
        let usual = UsualHeaders::of(&first);
        let (kept, credential) = KeptHeaders::of(&first, &usual);
        assert_eq!(credential.expect("a credential"), "Bearer t");
        assert_eq!((kept.usual, kept.others.capacity()), (0b111, 0));
        let other = map(&[
            ("x-other", value("b")),
            ("authorization", value("Bearer another")),
            ("x-own", value("")),
        ]);
        let (kept, credential) = KeptHeaders::of(&other, &usual);
        assert_eq!(credential.expect("a credential"), "Bearer another");
        assert_eq!(kept.usual, 0b110);
        let text = kept.others;
        assert!(text.ends_with(b"x-otherb") && text.len() < 50, "{text:?}");
        // Nor is a credential, though it is nowhere expected.
        let (kept, _) = KeptHeaders::of(&first, &UsualHeaders::default());
        let text = String::from_utf8_lossy(&kept.others);
        assert!(
            text.contains("authorization") && !text.contains("Bearer"),
            "{text}"
        );
    }

    #[checks::test]
    fn request_without_headers_is_replayed_with_the_credential() {
        let none = HeaderMap::new();
        let usual = UsualHeaders::default();
        let (kept, credential) = KeptHeaders::of(&none, &usual);
        assert!(credential.is_none() && kept.others.capacity() == 0);
        let headers = kept.with(HeaderValue::from_static("Bearer t"), &usual);
        assert_eq!(headers.len(), 1);
        assert!(headers["authorization"] == "Bearer t" && headers["authorization"].is_sensitive());
    }

    /// Draws numbers, the same in every run (a linear congruential generator, Knuth's constants).
    struct Draw(u64);

    impl Draw {
        fn below(&mut self, end: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
            self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % end
        }

        fn headers(&mut self) -> Vec<(&'static str, HeaderValue)> {
            let names = ["accept", "authorization", "cookie", "x-a", "x-b", "x-c"];
            let values = [
                HeaderValue::from_static(""),
                HeaderValue::from_static("one"),
                secret("one"),
                HeaderValue::from_static("two"),
                HeaderValue::from_bytes(b"\xff\t ").expect("a value"),
                HeaderValue::from_str(&"l".repeat(5000)).expect("a value"),
            ];
            let header = |draw: &mut Self| {
                let value = values[draw.below(values.len())].clone();
                (names[draw.below(names.len())], value)
            };
            (0..self.below(12)).map(|_| header(self)).collect()
        }
    }

    #[checks::test]
    fn replay_keeps_all_headers_but_the_credential() {
        let mut draw = Draw(1);
        for _ in 0..500 {
            let (mut first, mut second, common) = (draw.headers(), draw.headers(), draw.headers());
            first.extend(common.clone());
            second.extend(common);
            let (first, second) = (map(&first), map(&second));
            let usual = UsualHeaders::of(&first);
            for headers in [&first, &second] {
                let (kept, credential) = KeptHeaders::of(headers, &usual);
                assert_eq!(credential, headers.get(AUTHORIZATION));
                let again = kept.with(secret("Bearer another"), &usual);
                let mut expected = headers.clone();
                expected.insert(AUTHORIZATION, secret("Bearer another"));
                assert_eq!(list(&again), list(&expected));
            }
        }
    }
}
