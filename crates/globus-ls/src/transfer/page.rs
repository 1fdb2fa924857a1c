//! One page of a listing, parsed while it arrives.

use std::fmt;
use std::io::{self, Read};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body::Body;
use http_body_util::BodyExt;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How many chunks of the body, and how many entries, are buffered.
const CHUNKS: usize = 4;
const ENTRIES: usize = 256;

/// A page that is being received.
pub(super) struct Page {
    entries: mpsc::Receiver<Value>,
    body: JoinHandle<Result<(), PageError>>,
    document: JoinHandle<serde_json::Result<Map<String, Value>>>,
}

pub(super) enum PageError {
    Network(reqwest::Error),
    TimedOut,
    NoListing(serde_json::Error),
}

impl Page {
    /// Starts to read the body of a response, which may send nothing for `timeout`.
    pub(super) fn of(
        body: impl Body<Data = Bytes, Error = reqwest::Error> + Send + 'static,
        timeout: Duration,
    ) -> Self {
        let mut body = Box::pin(body);
        let (to_parser, chunks) = mpsc::channel(CHUNKS);
        let (found, entries) = mpsc::channel(ENTRIES);
        let body = tokio::spawn(async move {
            // The timeout does not run while the parser, or the reader of the listing, is busy.
            while let Some(frame) = tokio::time::timeout(timeout, body.frame())
                .await
                .map_err(|_| PageError::TimedOut)?
            {
                let frame = frame.map_err(PageError::Network)?;
                if let Ok(chunk) = frame.into_data()
                    && to_parser.send(chunk).await.is_err()
                {
                    // The parser has stopped: the body is not a listing.
                    break;
                }
            }
            Ok(())
        });
        let document = tokio::task::spawn_blocking(move || {
            let chunks = Chunks {
                chunks,
                chunk: Bytes::new(),
            };
            // `false` after the page was dropped: stop parsing.
            read(io::BufReader::new(chunks), |entry| {
                found.blocking_send(entry).is_ok()
            })
        });
        Self {
            entries,
            body,
            document,
        }
    }

    /// The next entry.
    pub(super) async fn next(&mut self) -> Option<Value> {
        self.entries.recv().await
    }

    /// The members beside the entries, after the last entry.
    pub(super) async fn end(self) -> Result<Map<String, Value>, PageError> {
        let ended = |error| PageError::NoListing(serde_json::Error::custom(error));
        let document = self.document.await.map_err(ended)?;
        // If the body broke off, that is the cause of an incomplete document.
        self.body.await.map_err(ended)??;
        document.map_err(PageError::NoListing)
    }
}

/// A blocking reader of the body.
struct Chunks {
    chunks: mpsc::Receiver<Bytes>,
    chunk: Bytes,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.chunk.has_remaining() {
            match self.chunks.blocking_recv() {
                Some(chunk) => self.chunk = chunk,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.chunk.len());
        self.chunk
            .split_to(length)
            .copy_to_slice(buffer.split_at_mut(length).0);
        Ok(length)
    }
}

/// Parses a listing: calls `found` with each element of `DATA`, and returns the other members.
/// Fails once `found` returns `false`.
pub(super) fn read(
    text: impl Read,
    found: impl FnMut(Value) -> bool,
) -> serde_json::Result<Map<String, Value>> {
    let mut parser = serde_json::Deserializer::from_reader(text);
    let document = parser.deserialize_map(Listing { found })?;
    parser.end()?;
    Ok(document)
}

struct Listing<F> {
    found: F,
}

impl<'de, F: FnMut(Value) -> bool> Visitor<'de> for Listing<F> {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a listing")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut document = Map::new();
        let mut has_entries = false;
        while let Some(name) = map.next_key::<String>()? {
            if name == "DATA" {
                map.next_value_seed(Entries {
                    found: &mut self.found,
                })?;
                has_entries = true;
            } else {
                document.insert(name, map.next_value()?);
            }
        }
        match has_entries {
            true => Ok(document),
            false => Err(A::Error::missing_field("DATA")),
        }
    }
}

struct Entries<'a, F> {
    found: &'a mut F,
}

impl<'de, F: FnMut(Value) -> bool> DeserializeSeed<'de> for Entries<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Value) -> bool> Visitor<'de> for Entries<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the entries of a listing")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element()? {
            if !(self.found)(entry) {
                return Err(A::Error::custom("the page was dropped"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::entry::Entry;

    /// JSON documents with the member names of a listing anywhere.
    fn any_json() -> impl Strategy<Value = Value> {
        let name = prop_oneof![
            Just("DATA"),
            Just("name"),
            Just("type"),
            Just("size"),
            Just("permissions"),
            Just("last_modified"),
            Just("link_target"),
            Just("total"),
            Just("path"),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            // These floats survive a round trip.
            prop_oneof![Just(0.5), Just(-1.25), Just(1e300)].prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            prop_oneof![
                Just("dir"),
                Just("file"),
                Just("invalid_symlink"),
                Just("0755")
            ]
            .prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 8, move |inner| {
            let name = name.clone().prop_map(str::to_owned);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
                prop::collection::btree_map(name, inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// The entries, and the result of the parser.
    fn found(text: &[u8]) -> (Vec<Value>, serde_json::Result<Map<String, Value>>) {
        let mut found = Vec::new();
        let document = read(text, |entry| {
            found.push(entry);
            true
        });
        (found, document)
    }

    proptest! {
        #[checks::test]
        fn any_json_is_a_listing_or_an_error(answer in any_json()) {
            let (entries, document) = found(answer.to_string().as_bytes());
            let expected = answer.get("DATA").and_then(Value::as_array);
            prop_assert_eq!(document.is_ok(), expected.is_some());
            if let Some(expected) = expected {
                prop_assert_eq!(&entries, expected);
            }
            for document in entries {
                let has_name = document.get("name").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
                let entry = Entry::read(document.clone());
                prop_assert_eq!(entry.is_ok(), has_name);
                if let Ok(entry) = entry {
                    prop_assert_eq!(entry.into_document(), document);
                }
            }
        }

        #[checks::test]
        fn random_bytes_do_not_panic(answer in any::<Vec<u8>>()) {
            let _ = found(&answer);
        }
    }
}
