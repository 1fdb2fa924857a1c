use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers that requests usually come with, in their order: those of a request that are the same need not be copied
/// to be kept.
///
/// HPACK does so for a connection, and is taken as the model for how much is remembered, and what never is (RFC 7541,
/// sections 4 and 7.1.3).
#[derive(Default)]
pub(crate) struct UsualHeaders {
    all: Vec<UsualHeader>,
    /// Where the credential is among the names of all headers, those that are not remembered too.
    credential: Option<usize>,
}

pub(crate) struct UsualHeader {
    pub(crate) name: HeaderName,
    /// None of the credential, whatever it is.
    pub(crate) value: Option<HeaderValue>,
}

impl UsualHeaders {
    pub(super) const NONE: Self = Self {
        all: Vec::new(),
        credential: None,
    };
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
        Self {
            all: usual.take(Self::MAX_FIELDS).collect(),
            credential: headers.keys().position(|name| *name == AUTHORIZATION),
        }
    }

    /// Whether there is a credential among `headers` where it usually is.
    #[inline]
    pub(super) fn are_authorized(&self, headers: &HeaderMap) -> bool {
        let name = self.credential.and_then(|at| headers.keys().nth(at));
        name.is_some_and(|name| *name == AUTHORIZATION)
    }

    pub(crate) fn as_slice(&self) -> &[UsualHeader] {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn secret_headers_are_not_remembered() {
        let mut headers = HeaderMap::new();
        let mut secret = HeaderValue::from_static("s");
        secret.set_sensitive(true);
        headers.insert("accept", HeaderValue::from_static("a"));
        headers.insert("x-key", secret.clone());
        headers.insert(COOKIE, HeaderValue::from_static("s"));
        headers.insert(PROXY_AUTHORIZATION, HeaderValue::from_static("s"));
        headers.insert(AUTHORIZATION, HeaderValue::from_static("s"));
        let known = UsualHeaders::of(&headers).all;
        let known = known
            .iter()
            .map(|known| (known.name.as_str(), &known.value));
        let known: Vec<_> = known.collect();
        let accept = Some(HeaderValue::from_static("a"));
        assert_eq!(known, [("accept", &accept), ("authorization", &None)]);
    }

    #[checks::test]
    fn remembered_headers_are_bounded() {
        let mut headers = HeaderMap::new();
        let count = |headers: &HeaderMap| UsualHeaders::of(headers).all.len();
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
