use std::collections::VecDeque;
use std::mem;

use bytes::Bytes;
use http_body::Frame;

/// The beginning of a body, read ahead up to a limit.
///
/// Most challenges are one frame of data, which is kept as it is. The data of several frames is
/// copied into one buffer: each frame may be a small slice of a large buffer of the client, and
/// would keep all of it in memory.
#[derive(Default)]
pub(super) struct Ahead {
    data: Data,
    /// Trailers, and the frame that exceeds the limit, unchanged.
    others: VecDeque<Frame<Bytes>>,
    size: usize,
    limit: usize,
}

#[derive(Default)]
enum Data {
    #[default]
    None,
    OneFrame(Bytes),
    Copied(Vec<u8>),
}

impl Ahead {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    pub(super) fn push(&mut self, frame: Frame<Bytes>) {
        // An empty frame counts as one byte, because a body may have any number of them.
        let size = frame.data_ref().map_or(0, |data| data.len().max(1));
        self.size = self.size.saturating_add(size);
        match frame.into_data() {
            Ok(data) if !self.exceeds_limit() => self.data.append(data, self.limit),
            Ok(data) => self.others.push_back(Frame::data(data)),
            Err(trailers) => self.others.push_back(trailers),
        }
    }

    pub(super) fn exceeds_limit(&self) -> bool {
        self.size > self.limit
    }

    pub(super) fn pop(&mut self) -> Option<Frame<Bytes>> {
        let data = mem::take(&mut self.data).into_bytes().map(Frame::data);
        data.or_else(|| self.others.pop_front())
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self.data, Data::None) && self.others.is_empty()
    }

    /// All data within the limit. [`pop`](Self::pop) returns it too.
    pub(super) fn text(&mut self) -> Bytes {
        let data = mem::take(&mut self.data).into_bytes();
        self.data = data.clone().map_or(Data::None, Data::OneFrame);
        data.unwrap_or_default()
    }
}

impl Data {
    fn append(&mut self, data: Bytes, limit: usize) {
        match self {
            Self::None => *self = Self::OneFrame(data),
            Self::OneFrame(first) => *self = Self::Copied([&first[..], &data[..]].concat()),
            Self::Copied(all) => {
                let length = all.len() + data.len();
                if all.capacity() < length {
                    // The capacity doubles, up to the limit.
                    let capacity = length.max(all.capacity() * 2).min(limit);
                    all.reserve_exact(capacity - all.len());
                }
                all.extend_from_slice(&data);
            }
        }
    }

    fn into_bytes(self) -> Option<Bytes> {
        match self {
            Self::None => None,
            Self::OneFrame(data) => Some(data),
            Self::Copied(all) => Some(all.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[checks::test]
    fn data_and_trailers_are_given_back() {
        let frame = |text: &'static str| match text {
            "trailers" => Frame::trailers(HeaderMap::new()),
            _ => Frame::data(Bytes::from_static(text.as_bytes())),
        };
        for (frames, text, given) in [
            (&[][..], "", &[][..]),
            (&[""], "", &[""]),
            (&["a"], "a", &["a"]),
            (&["a", "", "b"], "ab", &["ab"]),
            (&["a", "b", "c", "d"], "abcd", &["abcd"]),
            (&["a", "b", "cde"], "ab", &["ab", "cde"]),
            (&["abcde"], "", &["abcde"]),
            (&["a", "trailers"], "a", &["a", "trailers"]),
            (&["trailers"], "", &["trailers"]),
            (&["trailers", "a"], "a", &["a", "trailers"]),
        ] {
            for reads_text in [false, true] {
                let mut ahead = Ahead::new(4);
                frames.iter().for_each(|text| ahead.push(frame(text)));
                if reads_text {
                    assert_eq!(ahead.text(), text);
                }
                for expected in given {
                    assert!(!ahead.is_empty());
                    let shown = format!("{:?}", ahead.pop());
                    assert_eq!(shown, format!("{:?}", Some(frame(expected))));
                }
                assert!(ahead.is_empty() && ahead.pop().is_none());
            }
        }
    }

    #[checks::test]
    fn text_of_one_frame_is_that_frame() {
        let data = Bytes::from(vec![b'a'; 4]);
        let mut ahead = Ahead::new(4);
        ahead.push(Frame::data(data.clone()));
        assert_eq!(ahead.text().as_ptr(), data.as_ptr());
        let given = ahead.pop().and_then(|frame| frame.into_data().ok());
        assert_eq!(given.expect("data").as_ptr(), data.as_ptr());
    }
}
