use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers of a request, written one after the other into one piece of memory.
///
/// Every request has its headers kept, and few are sent again. To clone a `HeaderMap` takes two allocations, and to clone a
/// value takes another where it was never cloned before; to write them down takes one in all, and nothing to drop them. Of
/// the credential, which a replay replaces, only the place is kept.
pub(crate) struct KeptHeaders {
    text: Vec<u8>,
}

impl KeptHeaders {
    /// The headers and, in passing, the credential. `None` where a header is longer than any that there is.
    #[inline]
    pub(crate) fn of(headers: &HeaderMap) -> Option<(Self, Option<HeaderValue>)> {
        let mut credential = None;
        const TYPICAL: usize = 64;
        let mut text = Vec::with_capacity(headers.len() * TYPICAL);
        for (name, value) in headers {
            let (value, is_sensitive) = match *name {
                AUTHORIZATION => {
                    credential.get_or_insert_with(|| value.clone());
                    (&[][..], true)
                }
                _ => (value.as_bytes(), value.is_sensitive()),
            };
            let name = name.as_str().as_bytes();
            let lengths = lengths(name.len(), value.len(), is_sensitive)?;
            text.extend_from_slice(&lengths.to_le_bytes());
            text.extend_from_slice(name);
            text.extend_from_slice(value);
        }
        Some((Self { text }, credential))
    }

    /// The headers as they were, in their order; of the credential only the name.
    pub(crate) fn read(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut rest = &self.text[..];
        while let Some((header, after)) = read_one(rest) {
            if let Some((name, value)) = header {
                headers.append(name, value);
            }
            rest = after;
        }
        headers
    }
}

type Header = (HeaderName, HeaderValue);

/// What comes before each header: how long its name is, 16 bits, whether it is sensitive, and how long its value is.
fn lengths(name: usize, value: usize, is_sensitive: bool) -> Option<u64> {
    let (name, value) = (u16::try_from(name).ok()?, u64::try_from(value).ok()?);
    (value < 1 << 47).then_some(value << 17 | u64::from(is_sensitive) << 16 | u64::from(name))
}

/// The first header of `text`, and what comes after it.
fn read_one(text: &[u8]) -> Option<(Option<Header>, &[u8])> {
    let (lengths, rest) = text.split_first_chunk()?;
    let lengths = u64::from_le_bytes(*lengths);
    let (name, rest) = rest.split_at_checked(usize::from(lengths as u16))?;
    let (value, rest) = rest.split_at_checked(usize::try_from(lengths >> 17).ok()?)?;
    // They were a name and a value before.
    let name = HeaderName::from_bytes(name).ok();
    let value = HeaderValue::from_bytes(value).ok().map(|mut value| {
        value.set_sensitive(lengths >> 16 & 1 == 1);
        value
    });
    Some((name.zip(value), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_but_the_credential() {
        let mut headers = HeaderMap::new();
        let mut secret = HeaderValue::from_static("s");
        secret.set_sensitive(true);
        for (name, value) in [
            ("accept", HeaderValue::from_static("a")),
            ("x-own", HeaderValue::from_static("")),
            ("authorization", HeaderValue::from_static("Bearer t")),
            ("cookie", secret),
            ("accept", HeaderValue::from_static("b")),
            (
                "x-bytes",
                HeaderValue::from_bytes(b"\xff\t ").expect("a value"),
            ),
            (
                "x-long",
                HeaderValue::from_str(&"l".repeat(5000)).expect("a value"),
            ),
        ] {
            headers.append(name, value);
        }
        let (kept, credential) = KeptHeaders::of(&headers).expect("headers");
        assert_eq!(credential.expect("a credential"), "Bearer t");
        headers.insert(AUTHORIZATION, HeaderValue::from_static(""));
        let read = kept.read();
        assert_eq!(read, headers);
        let order = |headers: &HeaderMap| -> Vec<_> {
            let all = headers.iter();
            all.map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        };
        assert_eq!(order(&read), order(&headers));
        assert!(read["cookie"].is_sensitive() && !read["accept"].is_sensitive());
        assert!(!kept.text.windows(8).any(|text| text == b"Bearer t"));
    }

    #[test]
    fn no_headers() {
        let (kept, credential) = KeptHeaders::of(&HeaderMap::new()).expect("no headers");
        assert!(credential.is_none());
        assert!(kept.read().is_empty() && kept.text.capacity() == 0);
    }
}
