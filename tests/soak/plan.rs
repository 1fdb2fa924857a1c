//! The plan of each request: its content and its faults. Both depend only on its number, so each
//! run is the same.

use std::time::Duration;

use bytes::Bytes;

pub(crate) const USERS: u32 = 16;

/// How many bytes of a stream are kept for a replay. A longer stream is sent once.
pub(crate) const KEPT: usize = 16 * 1024;

/// Faults occur in bursts of this many requests.
const BURST: u32 = 250;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adapter {
    TowerHttp1,
    TowerHttp2,
    Reqwest,
}

/// The user of a request, and how the request names the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    /// It has no credential: the session's own principal, user 0.
    Own,
    /// It names the user.
    Named(u32),
    /// It presents the user's first token.
    Presented(u32),
    /// It names a principal that no other request has, and gets the token of user 0.
    OneTime,
}

impl User {
    pub(crate) fn number(self) -> u32 {
        match self {
            Self::Own | Self::OneTime => 0,
            Self::Named(user) | Self::Presented(user) => user,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    None,
    Whole,
    Stream,
    /// A stream that is too long to be kept.
    LongStream,
}

/// A fault of the service or of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Status(u16),
    /// The connection ends before the request reaches the service.
    LostBefore,
    /// The service carries the request out, and the response is lost.
    LostAfter,
    /// The response ends in the middle.
    LostWithin,
}

/// The plan of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) number: u32,
    pub(crate) adapter: Adapter,
    pub(crate) user: User,
    /// The index of its collection.
    pub(crate) collection: usize,
    pub(crate) body: Body,
    /// When its caller drops it, if ever.
    pub(crate) drops_after: Option<Duration>,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) no_prompt: bool,
}

/// A number below `sides`. It depends only on `number` and `die`.
pub(crate) fn roll(number: u32, die: u32, sides: u32) -> u32 {
    // SplitMix64.
    let mut mixed = (u64::from(number) << 32 | u64::from(die)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    u32::try_from(mixed % u64::from(sides)).unwrap_or(0)
}

impl Plan {
    pub(crate) fn of(number: u32) -> Self {
        let roll = |die, sides| roll(number, die, sides);
        let user = roll(1, USERS);
        let user = match roll(2, 100) {
            0..2 => User::OneTime,
            _ if user == 0 => User::Own,
            _ if user.is_multiple_of(2) => User::Named(user),
            _ => User::Presented(user),
        };
        Self {
            number,
            adapter: match roll(3, 3) {
                0 => Adapter::TowerHttp1,
                1 => Adapter::TowerHttp2,
                _ => Adapter::Reqwest,
            },
            user,
            collection: match roll(4, 100) {
                0..40 => 0,
                40..60 => 1,
                60..75 => 2,
                75..90 => 3,
                _ => 4,
            },
            body: match roll(5, 100) {
                0..60 => Body::None,
                60..80 => Body::Whole,
                80..97 => Body::Stream,
                _ => Body::LongStream,
            },
            drops_after: (roll(6, 100) == 0).then(|| Duration::from_micros(roll(7, 20_000).into())),
            max_wait: (roll(8, 100) == 0).then(|| Duration::from_micros(roll(9, 10_000).into())),
            no_prompt: roll(10, 100) == 0,
        }
    }

    /// The body: a document that makes a directory.
    pub(crate) fn bytes(&self) -> Bytes {
        let length = match self.body {
            Body::None => return Bytes::new(),
            Body::Whole => roll(self.number, 11, 2_000),
            Body::Stream => roll(self.number, 11, 12_000),
            Body::LongStream => 20_000 + roll(self.number, 11, 20_000),
        };
        let filling = char::from(b'a' + u8::try_from(self.number % 26).unwrap_or(0));
        let note: String = std::iter::repeat_n(filling, length as usize).collect();
        let directory = self.number % 64;
        Bytes::from(format!(
            r#"{{"DATA_TYPE":"mkdir","path":"/made-{directory}/","number":{},"note":"{note}"}}"#,
            self.number
        ))
    }

    /// The fault at the `arrival`th arrival, if any.
    pub(crate) fn fault(&self, arrival: u32) -> Option<Fault> {
        let burst = self.number / BURST;
        let is_burst = roll(burst, 12, 16) == 0;
        let roll = |die, sides| roll(self.number, die + 16 * arrival, sides);
        let happens = roll(13, if is_burst { 2 } else { 500 }) == 0;
        // In a burst, most faults are of the same kind.
        let kind = if is_burst && roll(14, 8) > 0 {
            self::roll(burst, 15, 6)
        } else {
            roll(15, 6)
        };
        let fault = match kind {
            0 => Fault::Status(502),
            1 => Fault::Status(503),
            2 => Fault::Status(401),
            3 => Fault::LostBefore,
            4 => Fault::LostAfter,
            _ => Fault::LostWithin,
        };
        happens.then_some(fault)
    }

    /// Whether losing the request resets its whole connection. Over HTTP/2 this ends other requests
    /// too.
    pub(crate) fn resets_connection(&self, is_http1: bool) -> bool {
        is_http1 || roll(self.number, 16, 32) == 0
    }
}
