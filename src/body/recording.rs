//! A body that several copies read.

use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};

use super::{ReplayError, into_bytes, length, remaining};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The number of a copy. A later copy has a higher number.
pub(super) type Turn = u64;

/// The position of a copy in the body.
#[derive(Clone, Copy)]
pub(super) struct Position {
    /// The index of the next kept frame.
    frame: usize,
    /// The bytes of data read so far.
    read: u64,
}

impl Position {
    pub(super) const START: Self = Self { frame: 0, read: 0 };
}

/// A body, and the frames of it that were read already.
pub(super) struct Recording<B: Body>(Mutex<State<B>>);

struct State<B: Body> {
    source: Source<B>,
    /// The original hint. A replay must be framed as the first attempt was: with an exact length it
    /// would lose its trailers.
    hint: SizeHint,
    kept: Vec<Kept>,
    /// Bytes of data in `kept`. An earlier copy may have added one frame beyond the limit.
    size: usize,
    limit: usize,
    latest: Turn,
    /// The copy of the current attempt. Earlier copies must not take data from it.
    claimed: Turn,
    /// The only copy that may read, once nothing is kept any more.
    sole: Option<Turn>,
    waiting: Vec<(Turn, Waker)>,
    /// The wakers to wake after the lock is released. The last waker of a task may drop a copy, and
    /// that takes the lock.
    woken: Vec<Waker>,
}

enum Source<B: Body> {
    Streaming(Pin<Box<B>>),
    Ended,
    /// The error is kept for the copy of the current attempt.
    Failed(Option<B::Error>),
}

enum Kept {
    Data(Bytes),
    Trailers(Box<HeaderMap>),
}

impl Kept {
    fn of(frame: &Frame<Bytes>) -> Option<Self> {
        match (frame.data_ref(), frame.trailers_ref()) {
            // An empty frame carries nothing, and a body may have any number of them.
            (Some(data), _) if data.is_empty() => None,
            (Some(data), _) => Some(Self::Data(data.clone())),
            (None, trailers) => trailers.map(|map| Self::Trailers(Box::new(map.clone()))),
        }
    }

    fn frame(&self) -> Frame<Bytes> {
        match self {
            Self::Data(data) => Frame::data(data.clone()),
            Self::Trailers(map) => Frame::trailers((**map).clone()),
        }
    }
}

impl<B: Body> Recording<B> {
    pub(super) fn new(body: B, limit: usize) -> Self {
        Self(Mutex::new(State {
            hint: body.size_hint(),
            source: Source::Streaming(Box::pin(body)),
            kept: Vec::new(),
            size: 0,
            limit,
            latest: 0,
            claimed: 0,
            sole: None,
            waiting: Vec::new(),
            woken: Vec::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, State<B>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number for another copy. `None` if a copy could not send the whole body.
    pub(super) fn take_turn(&self) -> Option<Turn> {
        let mut state = self.lock();
        if !state.is_whole_for(None) {
            return None;
        }
        state.latest += 1;
        Some(state.latest)
    }

    /// Whether the copy can still send the whole body. If so, no earlier copy can prevent that any
    /// more.
    pub(super) fn claim(&self, turn: Turn) -> bool {
        let mut state = self.lock();
        let whole = state.is_whole_for(Some(turn));
        if whole {
            state.claimed = state.claimed.max(turn);
        }
        whole
    }

    pub(super) fn leave(&self, turn: Turn) {
        let mut state = self.lock();
        if state.waiting.iter().any(|(waiting, _)| *waiting == turn) {
            // The body may have only this copy's waker.
            state.wake();
        }
        let woken = std::mem::take(&mut state.woken);
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }

    pub(super) fn size_hint(&self, turn: Turn, position: Position) -> SizeHint {
        let state = self.lock();
        let is_at_source = state.is_at_source(turn, position);
        match &state.source {
            Source::Streaming(body) if is_at_source => body.size_hint(),
            Source::Ended if is_at_source => SizeHint::with_exact(0),
            _ => remaining(&state.hint, position.read),
        }
    }

    pub(super) fn is_end_stream(&self, turn: Turn, position: Position) -> bool {
        let state = self.lock();
        state.is_at_source(turn, position)
            && match &state.source {
                Source::Streaming(body) => body.is_end_stream(),
                Source::Ended => true,
                Source::Failed(_) => false,
            }
    }

    /// Polls the next frame of a copy. `alone` means that there is no other copy, so that nothing
    /// needs to be kept.
    pub(super) fn poll_frame(
        &self,
        turn: Turn,
        position: &mut Position,
        alone: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>>
    where
        B::Error: Into<BoxError>,
    {
        let mut state = self.lock();
        if state.sole.is_some_and(|sole| sole != turn) {
            return Poll::Ready(Some(Err(ReplayError::Overtaken.into())));
        }
        let frame = match state.kept.get(position.frame) {
            Some(kept) => {
                position.frame += 1;
                Some(Ok(kept.frame()))
            }
            None => {
                let polled = state.poll_source(turn, position, alone, cx);
                let woken = std::mem::take(&mut state.woken);
                drop(state);
                woken.into_iter().for_each(Waker::wake);
                ready!(polled)
            }
        };
        if let Some(Ok(frame)) = &frame {
            let data = frame.data_ref().map_or(0, length);
            position.read = position.read.saturating_add(data);
        }
        Poll::Ready(frame)
    }
}

impl<B: Body> State<B> {
    fn is_whole_for(&self, turn: Option<Turn>) -> bool {
        let mine = self.sole.is_none() || self.sole == turn;
        mine && !matches!(self.source, Source::Failed(_))
    }

    /// Whether the copy has read all kept frames. A copy that another has overtaken never has: it
    /// ends with an error.
    fn is_at_source(&self, turn: Turn, position: Position) -> bool {
        let is_overtaken = self.sole.is_some_and(|sole| sole != turn);
        !is_overtaken && position.frame >= self.kept.len()
    }

    /// Reads a frame that no copy has read yet.
    fn poll_source(
        &mut self,
        turn: Turn,
        position: &mut Position,
        alone: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>>
    where
        B::Error: Into<BoxError>,
    {
        let leads = turn >= self.claimed;
        let body = match &mut self.source {
            Source::Ended => return Poll::Ready(None),
            Source::Failed(error) => {
                let own = if leads { error.take() } else { None };
                let error = own.map_or_else(|| ReplayError::Broken.into(), Into::into);
                return Poll::Ready(Some(Err(error)));
            }
            Source::Streaming(_) if !leads && self.size > self.limit => {
                return Poll::Ready(Some(Err(ReplayError::Overtaken.into())));
            }
            Source::Streaming(body) => body,
        };
        let frame = match body.as_mut().poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                self.wait(turn, cx.waker());
                return Poll::Pending;
            }
        };
        self.wake();
        Poll::Ready(match frame {
            None => {
                self.source = Source::Ended;
                None
            }
            Some(Err(error)) if leads => {
                self.source = Source::Failed(None);
                Some(Err(error.into()))
            }
            Some(Err(error)) => {
                self.source = Source::Failed(Some(error));
                Some(Err(ReplayError::Overtaken.into()))
            }
            Some(Ok(frame)) => self.keep(turn, leads, position, alone, into_bytes(frame)),
        })
    }

    fn keep(
        &mut self,
        turn: Turn,
        leads: bool,
        position: &mut Position,
        alone: bool,
        frame: Frame<Bytes>,
    ) -> Option<Result<Frame<Bytes>, BoxError>> {
        let size = self
            .size
            .saturating_add(frame.data_ref().map_or(0, Bytes::len));
        if leads && (alone || self.sole.is_some() || size > self.limit) {
            // No other copy reads the rest, or no other copy may any more.
            if !alone {
                self.sole = Some(turn);
            }
            self.kept = Vec::new();
            self.size = 0;
            position.frame = 0;
            return Some(Ok(frame));
        }
        if let Some(kept) = Kept::of(&frame) {
            self.kept.push(kept);
            self.size = size;
            position.frame += 1;
        }
        if size > self.limit {
            // The frame is kept for the current attempt. This copy ends here.
            return Some(Err(ReplayError::Overtaken.into()));
        }
        Some(Ok(frame))
    }

    fn wait(&mut self, turn: Turn, waker: &Waker) {
        let own = self
            .waiting
            .iter_mut()
            .find(|(waiting, _)| *waiting == turn);
        match own {
            Some((_, own)) if own.will_wake(waker) => {}
            Some((_, own)) => self.woken.push(std::mem::replace(own, waker.clone())),
            None => self.waiting.push((turn, waker.clone())),
        }
    }

    fn wake(&mut self) {
        let waiting = self.waiting.drain(..);
        self.woken.extend(waiting.map(|(_, waker)| waker));
    }
}
