//! The content of a file as the body of a response.

use std::io;

use axum::body::{Body, Bytes};
use futures_util::stream::try_unfold;

use crate::transfer::directory::File;

/// How many bytes of a file are read at once. Longer content is streamed.
pub(super) const PIECE: u64 = 256 * 1024;

/// Streams `length` bytes of a file from `start`. The stream fails if the file becomes shorter.
pub(super) fn streamed(file: File, start: u64, length: u64) -> Body {
    let pieces = try_unfold((file, start, length), async |(file, start, left)| {
        if left == 0 {
            return Ok::<_, io::Error>(None);
        }
        let size = left.min(PIECE);
        let read = move || file.read(start, size).map(|content| (file, content));
        let read = tokio::task::spawn_blocking(read).await;
        let (file, content) = read.map_err(io::Error::other)??;
        if content.len() as u64 != size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let rest = (file, start + size, left - size);
        Ok(Some((Bytes::from(content), rest)))
    });
    Body::from_stream(pieces)
}
