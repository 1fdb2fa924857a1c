//! Read-ahead response bodies and replayable request bodies. The tower layer and the reqwest
//! middleware use them; the module `layer` exports them.

mod ahead;
mod gare_body;
mod inspection;
mod recording;
mod replay;
mod replay_error;
mod replayable;

pub use self::gare_body::GareBody;
pub use self::replay::ReplayBody;
pub use self::replayable::ReplayableBody;

pub(crate) use self::gare_body::Held;
pub(crate) use self::inspection::Inspection;

use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};

use self::replay_error::ReplayError;

fn into_bytes<D: Buf>(frame: Frame<D>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}

/// The rest of `whole` after `read` bytes.
fn remaining(whole: &SizeHint, read: u64) -> SizeHint {
    let mut left = SizeHint::new();
    left.set_lower(whole.lower().saturating_sub(read));
    if let Some(upper) = whole.upper() {
        left.set_upper(upper.saturating_sub(read));
    }
    left
}

fn length(data: &Bytes) -> u64 {
    u64::try_from(data.len()).unwrap_or(u64::MAX)
}
