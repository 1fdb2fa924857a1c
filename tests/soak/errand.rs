//! What each request is, and what is done to it: both follow from its number, so that every run is the same.

use std::time::Duration;

use bytes::Bytes;

pub(crate) const USERS: u32 = 16;

/// How many bytes of a stream are kept to be sent again; the longer ones are sent once.
pub(crate) const KEPT: usize = 16 * 1024;

/// Requests with numbers this close to each other meet a service in the same state.
const BURST: u32 = 250;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    TowerHttp1,
    TowerHttp2,
    Reqwest,
}

/// Whose request it is, and how the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// It says nothing: the session's own user, who is user 0.
    Own,
    /// It names the user.
    Named(u32),
    /// It comes with the token that the user had when the day began.
    Presented(u32),
    /// It names somebody who is never seen again, and acts as user 0.
    Passing,
}

impl Whose {
    pub(crate) fn user(self) -> u32 {
        match self {
            Self::Own | Self::Passing => 0,
            Self::Named(user) | Self::Presented(user) => user,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    None,
    Whole,
    Stream,
    /// A stream too long to be kept.
    LongStream,
}

/// What the service does instead of answering as it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Status(u16),
    /// The request is lost on its way there.
    LostBefore,
    /// It is carried out, and the answer is lost.
    LostAfter,
    /// The answer ends in the middle.
    LostWithin,
}

/// One request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Errand {
    pub(crate) number: u32,
    pub(crate) way: Way,
    pub(crate) whose: Whose,
    /// Which of the collections it is for.
    pub(crate) place: usize,
    pub(crate) body: Body,
    /// After how long its caller leaves, whatever has come of it.
    pub(crate) patience: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) no_prompt: bool,
}

/// A number below `sides`, always the same for the same `number` and `die`.
pub(crate) fn roll(number: u32, die: u32, sides: u32) -> u32 {
    // SplitMix64.
    let mut mixed = (u64::from(number) << 32 | u64::from(die)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    u32::try_from(mixed % u64::from(sides)).unwrap_or(0)
}

impl Errand {
    pub(crate) fn of(number: u32) -> Self {
        let roll = |die, sides| roll(number, die, sides);
        let user = roll(1, USERS);
        let whose = match roll(2, 100) {
            0..2 => Whose::Passing,
            _ if user == 0 => Whose::Own,
            _ if user.is_multiple_of(2) => Whose::Named(user),
            _ => Whose::Presented(user),
        };
        Self {
            number,
            way: match roll(3, 3) {
                0 => Way::TowerHttp1,
                1 => Way::TowerHttp2,
                _ => Way::Reqwest,
            },
            whose,
            place: match roll(4, 100) {
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
            patience: (roll(6, 100) == 0).then(|| Duration::from_micros(roll(7, 20_000).into())),
            deadline: (roll(8, 100) == 0).then(|| Duration::from_micros(roll(9, 10_000).into())),
            no_prompt: roll(10, 100) == 0,
        }
    }

    /// What its body holds: a document that makes a directory.
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

    /// What becomes of it when it arrives for the `sighting`th time.
    pub(crate) fn fault(&self, sighting: u32) -> Option<Fault> {
        let burst = self.number / BURST;
        let is_bad_time = roll(burst, 12, 16) == 0;
        let roll = |die, sides| roll(self.number, die + 16 * sighting, sides);
        let happens = roll(13, if is_bad_time { 2 } else { 500 }) == 0;
        // In a bad time it is mostly the same that goes wrong.
        let kind = if is_bad_time && roll(14, 8) > 0 {
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

    /// Whether losing it takes the whole connection along, and over HTTP/2 whatever else is on it.
    pub(crate) fn falls_with_connection(&self, is_http1: bool) -> bool {
        is_http1 || roll(self.number, 16, 32) == 0
    }
}
