//! Random chunks, read by copies in random order, and dropped at random.

use std::pin::Pin;
use std::task::Poll;

use globus_gare::layer::{ReplayBody, ReplayableBody};
use http_body::Body;
use proptest::collection::vec;
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tokio_test::task::{self, Spawn};

use super::source::{Source, Step};

#[derive(Clone, Debug)]
enum Act {
    /// Polls the attempt with this index.
    Poll(prop::sample::Index),
    /// Drops the attempt with this index.
    Drop(prop::sample::Index),
    /// Starts the next attempt, if its body can be claimed.
    Replay,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        12 => any::<prop::sample::Index>().prop_map(Act::Poll),
        1 => any::<prop::sample::Index>().prop_map(Act::Drop),
        2 => Just(Act::Replay),
    ];
    vec(act, 0..60)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => vec(any::<u8>(), 0..8).prop_map(Step::Data),
        1 => Just(Step::Yield),
    ];
    (vec(step, 0..12), any::<bool>()).prop_map(|(mut steps, trailers)| {
        steps.extend(trailers.then_some(Step::Trailers));
        steps
    })
}

struct Attempt {
    body: Spawn<ReplayBody<Source>>,
    received: Vec<u8>,
    trailers: usize,
    ended: bool,
    cut: bool,
}

impl Attempt {
    fn new(body: ReplayBody<Source>) -> Self {
        Self {
            body: task::spawn(body),
            received: Vec::new(),
            trailers: 0,
            ended: false,
            cut: false,
        }
    }

    /// `false` once the body has ended.
    fn poll(&mut self) -> bool {
        let before = self.body.size_hint();
        match self
            .body
            .enter(|cx, body| Pin::new(body.get_mut()).poll_frame(cx))
        {
            Poll::Pending => {}
            Poll::Ready(None) => self.ended = true,
            Poll::Ready(Some(Err(_))) => self.cut = true,
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => {
                    let length = data.len() as u64;
                    assert!(before.lower() <= before.upper().unwrap_or(u64::MAX));
                    assert!(before.exact().is_none_or(|left| left >= length));
                    self.received.extend_from_slice(&data);
                }
                Err(_) => self.trailers += 1,
            },
        }
        !self.ended && !self.cut
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[checks::test(seconds = 600)]
    fn every_attempt_sends_the_whole_body_or_is_not_made(
        steps in steps(), acts in acts(), limit in 0usize..64, sized: bool,
    ) {
        let whole: Vec<u8> = steps.iter().flat_map(|step| match step {
            Step::Data(data) => data.clone(),
            _ => Vec::new(),
        }).collect();
        let digest = Sha256::digest(&whole);
        let trailers = usize::from(matches!(steps.last(), Some(Step::Trailers)));

        let mut body = ReplayBody::with_limit(Source::of(steps, sized), limit);
        let mut kept = body.try_clone();
        let mut attempts = vec![Some(Attempt::new(body))];
        for act in acts {
            match act {
                Act::Poll(index) => {
                    let index = index.index(attempts.len());
                    if let Some(attempt) = attempts[index].as_mut().filter(|it| !it.ended && !it.cut) {
                        attempt.poll();
                    }
                }
                Act::Drop(index) => {
                    let index = index.index(attempts.len());
                    attempts[index] = None;
                }
                Act::Replay => if let Some(mut body) = kept.take() {
                    if body.claim() {
                        kept = body.try_clone();
                        prop_assert!(kept.is_some());
                        attempts.push(Some(Attempt::new(body)));
                    } else {
                        prop_assert!(whole.len() > limit, "given up within the limit");
                    }
                },
            }
        }

        // The attempt that answers for the request goes on to the end; the server hashes what came.
        let mut others: Vec<_> = attempts.into_iter().collect();
        let mut last = others.pop().expect("one at least");
        if let Some(last) = &mut last {
            while last.poll() {}
            prop_assert!(!last.cut, "the last attempt was cut short");
        }
        for attempt in others.iter_mut().flatten() {
            while !attempt.ended && !attempt.cut && attempt.poll() {}
        }
        for attempt in others.iter().chain([&last]).flatten() {
            prop_assert!(whole.starts_with(&attempt.received));
            if attempt.ended {
                prop_assert_eq!(Sha256::digest(&attempt.received), digest);
                prop_assert_eq!(attempt.trailers, trailers);
            }
        }
        // And one more, if there is one to be had.
        if let Some(body) = kept {
            let claimed = body.claim();
            prop_assert!(claimed || whole.len() > limit);
            if claimed {
                let mut again = Attempt::new(body);
                while again.poll() {}
                prop_assert!(again.ended);
                prop_assert_eq!(Sha256::digest(&again.received), digest);
                prop_assert_eq!(again.trailers, trailers);
            }
        }
    }
}
