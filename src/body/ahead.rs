use std::collections::VecDeque;

use bytes::Bytes;
use http_body::Frame;

/// The frames of a body that were read ahead.
///
/// Most refusals are one frame of data, and are kept while a person logs in: that one takes no memory of its own.
#[derive(Default)]
pub(super) struct Ahead {
    first: Option<Bytes>,
    others: VecDeque<Frame<Bytes>>,
}

impl Ahead {
    pub(super) fn push(&mut self, frame: Frame<Bytes>) {
        if self.first.is_some() || !self.others.is_empty() {
            return self.others.push_back(frame);
        }
        match frame.into_data() {
            Ok(data) => self.first = Some(data),
            Err(frame) => self.others.push_back(frame),
        }
    }

    pub(super) fn pop(&mut self) -> Option<Frame<Bytes>> {
        let first = self.first.take().map(Frame::data);
        first.or_else(|| self.others.pop_front())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.others.is_empty()
    }

    /// All data in one piece.
    pub(super) fn text(&self) -> Bytes {
        let others = || self.others.iter().filter_map(Frame::data_ref);
        let mut data = self.first.iter().chain(others());
        match (data.next(), data.next()) {
            (None, _) => Bytes::new(),
            (Some(only), None) => only.clone(),
            _ => {
                let all: Vec<&[u8]> = self
                    .first
                    .iter()
                    .chain(others())
                    .map(|data| &**data)
                    .collect();
                all.concat().into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    #[checks::test]
    fn frames_are_passed_on_unchanged() {
        let frame = |text: &'static str| match text {
            "trailers" => Frame::trailers(HeaderMap::new()),
            _ => Frame::data(Bytes::from_static(text.as_bytes())),
        };
        for (frames, text) in [
            (&[][..], ""),
            (&["a"], "a"),
            (&["a", "", "b"], "ab"),
            (&["a", "trailers"], "a"),
            (&["trailers"], ""),
            (&["trailers", "a"], "a"),
        ] {
            let mut ahead = Ahead::default();
            frames.iter().for_each(|text| ahead.push(frame(text)));
            assert_eq!(ahead.text(), text);
            for expected in frames {
                assert!(!ahead.is_empty());
                let shown = format!("{:?}", ahead.pop());
                assert_eq!(shown, format!("{:?}", Some(frame(expected))));
            }
            assert!(ahead.is_empty() && ahead.pop().is_none());
        }
    }
}
