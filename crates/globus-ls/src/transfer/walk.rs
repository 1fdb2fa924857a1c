//! A listing as a stream of entries.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::Transfer;
use super::page::Page;
use super::wanted::Wanted;
use crate::entry::Entry;
use crate::failure::Failure;
use crate::place::Place;

/// What a listing consists of.
pub(crate) enum Item {
    Entry(Entry),
    /// A part that could not be listed. The listing goes on.
    Failed(Failure),
}

/// Lists a directory, and those in it as deep as is wanted, level by level.
pub(crate) struct Walk<'a> {
    transfer: &'a Transfer,
    wanted: &'a Wanted,
    /// The place of the directory that is being listed, and how it is shown.
    place: Place,
    below: String,
    /// How many levels to go on below it.
    depth: usize,
    page: Option<Page>,
    /// How many entries of the directory there were, and how many of them in this page.
    seen: u64,
    of_page: u64,
    is_listed: bool,
    ahead: VecDeque<(String, usize)>,
    /// The first document, for what it says beside the entries.
    document: Option<Map<String, Value>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(transfer: &'a Transfer, place: &Place, wanted: &'a Wanted) -> Self {
        Self {
            transfer,
            wanted,
            place: place.clone(),
            below: String::new(),
            depth: wanted.depth,
            page: None,
            seen: 0,
            of_page: 0,
            is_listed: false,
            ahead: VecDeque::new(),
            document: None,
        }
    }

    /// What the first document says beside the entries, after the walk.
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
                Err(failure) if self.below.is_empty() || !failure.is_of_one_directory() => {
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

    /// Goes to the next directory that is ahead.
    fn enter_next(&mut self) -> bool {
        let Some((below, depth)) = self.ahead.pop_front() else {
            return false;
        };
        let document = self.document.as_ref();
        let base = document.and_then(|document| document.get("path")?.as_str());
        let base = base.unwrap_or("/~/");
        let slash = if base.ends_with('/') { "" } else { "/" };
        self.place = Place {
            collection: self.place.collection,
            path: Some(format!("{base}{slash}{below}")),
            pattern: None,
        };
        (self.below, self.depth) = (below, depth);
        (self.seen, self.is_listed) = (0, false);
        true
    }

    /// Reads on in the directory: `None` if there is nothing to show yet.
    async fn step(&mut self) -> Result<Option<Item>, Failure> {
        let page = match &mut self.page {
            Some(page) => page,
            None => {
                let url = self
                    .wanted
                    .url(&self.transfer.service, &self.place, self.seen);
                let page = self.transfer.get(&url, &self.place).await?;
                self.of_page = 0;
                self.page.insert(page)
            }
        };
        if let Some(entry) = page.next().await {
            self.seen += 1;
            self.of_page += 1;
            return Ok(self.found(entry));
        }
        let Some(page) = self.page.take() else {
            return Ok(None);
        };
        let document = page.end().await;
        let document = document.map_err(|error| self.transfer.broken(error, &self.place))?;
        let total = document.get("total").and_then(Value::as_u64);
        // A service that counts nothing gives a full page for as long as there is more.
        self.is_listed = self.of_page == 0
            || match total {
                Some(total) => self.seen >= total,
                None => self.of_page < self.wanted.page_size,
            };
        self.document.get_or_insert(document);
        Ok(None)
    }

    fn found(&mut self, document: Value) -> Option<Item> {
        let Ok(entry) = Entry::read(document) else {
            return Some(Item::Failed(Failure::no_entry(&self.place)));
        };
        let is_shown = !entry.leads_to_directory() || self.wanted.shows_directory(&entry.name);
        let entry = entry.below(&self.below);
        if self.depth > 0 && entry.is_directory() {
            let below = format!("{}/", entry.name);
            self.ahead.push_back((below, self.depth - 1));
        }
        is_shown.then_some(Item::Entry(entry))
    }
}
