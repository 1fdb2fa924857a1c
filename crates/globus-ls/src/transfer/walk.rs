//! A recursive listing as a stream of entries.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::Transfer;
use super::page::Page;
use super::query::Query;
use crate::entry::Entry;
use crate::failure::Failure;
use crate::place::Place;

/// An item of a listing.
pub(crate) enum Item {
    Entry(Entry),
    /// A part that could not be listed. The listing continues.
    Failed(Failure),
}

/// Lists a directory, and the directories below to the depth of the query, level by level.
pub(crate) struct Walk<'a> {
    transfer: &'a Transfer,
    query: &'a Query,
    /// The directory that is being listed.
    place: Place,
    /// Its path relative to the first directory: empty, or with a slash at the end.
    prefix: String,
    /// How many levels below it are listed.
    depth: usize,
    page: Option<Page>,
    /// How many entries of the directory have arrived, and how many of them in this page.
    seen: u64,
    page_entries: u64,
    is_listed: bool,
    /// The directories still to list: prefix and depth.
    queue: VecDeque<(String, usize)>,
    /// The members of the first page beside the entries.
    document: Option<Map<String, Value>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(transfer: &'a Transfer, place: &Place, query: &'a Query) -> Self {
        Self {
            transfer,
            query,
            place: place.clone(),
            prefix: String::new(),
            depth: query.depth,
            page: None,
            seen: 0,
            page_entries: 0,
            is_listed: false,
            queue: VecDeque::new(),
            document: None,
        }
    }

    /// The members of the first page beside the entries.
    pub(crate) fn into_document(self) -> Map<String, Value> {
        self.document.unwrap_or_default()
    }

    /// The next entry or failure; `None` at the end. An error ends the walk.
    pub(crate) async fn next(&mut self) -> Result<Option<Item>, Failure> {
        loop {
            if self.is_listed && !self.enter_next() {
                return Ok(None);
            }
            match self.step().await {
                Ok(None) => {}
                Ok(item) => return Ok(item),
                Err(failure) if self.prefix.is_empty() || !failure.is_of_one_directory() => {
                    return Err(failure);
                }
                Err(failure) => {
                    self.page = None;
                    self.is_listed = true;
                    return Ok(Some(Item::Failed(failure)));
                }
            }
        }
    }

    /// Takes the next directory from the queue; `false` at the end.
    fn enter_next(&mut self) -> bool {
        let Some((prefix, depth)) = self.queue.pop_front() else {
            return false;
        };
        let document = self.document.as_ref();
        let base = document.and_then(|document| document.get("path")?.as_str());
        let base = base.unwrap_or("/~/");
        let slash = if base.ends_with('/') { "" } else { "/" };
        self.place = Place {
            collection: self.place.collection,
            path: Some(format!("{base}{slash}{prefix}")),
            pattern: None,
        };
        (self.prefix, self.depth) = (prefix, depth);
        (self.seen, self.is_listed) = (0, false);
        true
    }

    /// Reads the next entry of the directory; `None` at the end of a page, or if it is not shown.
    async fn step(&mut self) -> Result<Option<Item>, Failure> {
        let page = match &mut self.page {
            Some(page) => page,
            None => {
                let url = self
                    .query
                    .url(&self.transfer.service, &self.place, self.seen);
                let page = self.transfer.get(&url, &self.place).await?;
                self.page_entries = 0;
                self.page.insert(page)
            }
        };
        if let Some(entry) = page.next().await {
            self.seen += 1;
            self.page_entries += 1;
            return Ok(self.found(entry));
        }
        let Some(page) = self.page.take() else {
            return Ok(None);
        };
        let document = page.end().await;
        let document = document.map_err(|error| self.transfer.broken(error, &self.place))?;
        let total = document.get("total").and_then(Value::as_u64);
        // Without a total, a page that is not full is the last one.
        self.is_listed = self.page_entries == 0
            || match total {
                Some(total) => self.seen >= total,
                None => self.page_entries < self.query.page_size,
            };
        self.document.get_or_insert(document);
        Ok(None)
    }

    fn found(&mut self, document: Value) -> Option<Item> {
        let Ok(entry) = Entry::read(document) else {
            return Some(Item::Failed(Failure::no_entry(&self.place)));
        };
        let is_shown = !entry.leads_to_directory() || self.query.shows_directory(&entry.name);
        let entry = entry.below(&self.prefix);
        if self.depth > 0 && entry.is_directory() {
            let prefix = format!("{}/", entry.name);
            self.queue.push_back((prefix, self.depth - 1));
        }
        is_shown.then_some(Item::Entry(entry))
    }
}
