//! One page of a listing, read while it arrives.

use std::fmt;
use std::io::{self, Read};

use bytes::{Buf, Bytes};
use http_body::Body;
use http_body_util::BodyExt;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How much is read ahead of the output: chunks of the body, and entries.
const CHUNKS: usize = 4;
const ENTRIES: usize = 256;

/// A page that arrives.
pub(super) struct Page {
    entries: mpsc::Receiver<Value>,
    body: JoinHandle<Result<(), reqwest::Error>>,
    document: JoinHandle<serde_json::Result<Map<String, Value>>>,
}

pub(super) enum PageError {
    Network(reqwest::Error),
    NoListing(serde_json::Error),
}

impl Page {
    /// Begins to read the body of a response.
    pub(super) fn of(
        body: impl Body<Data = Bytes, Error = reqwest::Error> + Send + 'static,
    ) -> Self {
        let mut body = Box::pin(body);
        let (to_parser, chunks) = mpsc::channel(CHUNKS);
        let (found, entries) = mpsc::channel(ENTRIES);
        let body = tokio::spawn(async move {
            while let Some(frame) = body.frame().await {
                if let Ok(chunk) = frame?.into_data()
                    && to_parser.send(chunk).await.is_err()
                {
                    // It is no listing: the rest is not needed.
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
            // An end that nobody waits for needs no more entries.
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

    /// What the page says beside the entries.
    pub(super) async fn end(self) -> Result<Map<String, Value>, PageError> {
        let ended = |error| PageError::NoListing(serde_json::Error::custom(error));
        let document = self.document.await.map_err(ended)?;
        // A body that broke off explains a document that does.
        self.body
            .await
            .map_err(ended)?
            .map_err(PageError::Network)?;
        document.map_err(PageError::NoListing)
    }
}

/// The body, for a parser that waits.
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

/// Reads a listing: hands each member of `DATA` to `found` until that returns `false`, and returns
/// the other members.
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
                return Err(A::Error::custom("nobody reads on"));
            }
        }
        Ok(())
    }
}
