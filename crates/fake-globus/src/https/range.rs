//! The header `Range` of a request.

/// The requested part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    All,
    /// From the first to the last byte, inclusive.
    Bytes(u64, u64),
    /// A suffix range, or a range that starts after the end of the file.
    Unsatisfiable,
}

impl Part {
    /// The first byte and the number of bytes, in a file of `size` bytes.
    pub(super) fn bounds(self, size: u64) -> (u64, u64) {
        match self {
            Self::All => (0, size),
            Self::Bytes(first, last) => (first, last - first + 1),
            Self::Unsatisfiable => (0, 0),
        }
    }
}

/// The requested part of a file of `size` bytes. A malformed header is ignored.
pub(super) fn part(header: Option<&str>, size: u64) -> Part {
    let Some(range) = header.and_then(|header| header.trim().strip_prefix("bytes=")) else {
        return Part::All;
    };
    let Some((first, last)) = range.split_once('-') else {
        return Part::All;
    };
    if first.is_empty() {
        // Globus' server does not support suffix ranges.
        return Part::Unsatisfiable;
    }
    let last = if last.is_empty() {
        Ok(u64::MAX)
    } else {
        last.parse()
    };
    match (first.parse::<u64>(), last) {
        (Ok(first), Ok(last)) if first <= last => {
            if first < size {
                Part::Bytes(first, last.min(size - 1))
            } else {
                Part::Unsatisfiable
            }
        }
        _ => Part::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn range_is_cut_to_the_file() {
        for (header, expected) in [
            (None, Part::All),
            (Some("bytes=0-3"), Part::Bytes(0, 3)),
            (Some("bytes=2-"), Part::Bytes(2, 9)),
            (Some("bytes=8-100"), Part::Bytes(8, 9)),
            (Some("bytes=10-"), Part::Unsatisfiable),
            (Some("bytes=-8"), Part::Unsatisfiable),
            (Some("bytes=3-2"), Part::All),
            (Some("lines=1-2"), Part::All),
            (Some("bytes=x-2"), Part::All),
        ] {
            assert_eq!(part(header, 10), expected, "{header:?}");
        }
    }
}
