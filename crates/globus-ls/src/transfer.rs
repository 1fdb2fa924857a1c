//! What the Transfer service is asked.

use std::collections::VecDeque;

use bytes::Bytes;
use globus_gare::reauth::{GareOptions, GareOutcome};
use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tower::ServiceExt;
use url::Url;

use crate::Client;
use crate::failure::{Failure, Remedy};
use crate::options::{Sort, What};
use crate::place::Place;
use crate::terminal::Terminal;

/// The service, and how it is spoken to.
pub(crate) struct Transfer {
    pub(crate) client: Client,
    pub(crate) service: Url,
    /// The token to begin with, where it is not the login's.
    pub(crate) token: Option<String>,
    /// What the user would have to do so that a login is possible; nothing where it is.
    pub(crate) remedy: Option<Remedy>,
    pub(crate) terminal: Terminal,
}

/// A directory, as Transfer describes it.
pub(crate) struct Directory {
    /// The first document, for what it says beside the entries.
    pub(crate) document: Value,
    /// All entries, of all pages and directories.
    pub(crate) entries: Vec<Value>,
}

/// Which entries of a directory are wanted, in Transfer's terms.
pub(crate) struct Wanted {
    filters: Vec<String>,
    order: &'static str,
    hidden: bool,
    page_size: u64,
    depth: usize,
}

impl Wanted {
    pub(crate) fn new(what: &What, place: &Place) -> Result<Self, Failure> {
        let name = match (&what.filter, &place.pattern) {
            (Some(_), Some(_)) => {
                return Err(Failure::usage(
                    "a path with a * and --filter exclude each other",
                ));
            }
            (Some(filter), None) if filter.contains('/') => {
                return Err(Failure::usage(
                    "a filter is for names, which have no / in them",
                ));
            }
            (Some(filter), None) => Some(format!("name:{filter}")),
            (None, Some(pattern)) => Some(format!("name:~{pattern}")),
            (None, None) => None,
        };
        let mut filters: Vec<String> = name.into_iter().collect();
        if what.recursive && !filters.is_empty() {
            // One of them must be true: directories are needed to go on.
            filters.push("type:dir".to_owned());
        }
        Ok(Self {
            filters,
            order: match (what.sort(), what.reverse) {
                (Sort::Name, false) => "name ASC",
                (Sort::Name, true) => "name DESC",
                (Sort::Size, false) => "size DESC,name ASC",
                (Sort::Size, true) => "size ASC,name ASC",
                (Sort::Time, false) => "last_modified DESC,name ASC",
                (Sort::Time, true) => "last_modified ASC,name ASC",
                (Sort::Type, false) => "type ASC,name ASC",
                (Sort::Type, true) => "type DESC,name ASC",
            },
            hidden: what.all,
            page_size: what.page_size,
            depth: if what.recursive { what.depth } else { 0 },
        })
    }

    /// Where the Transfer service lists a page of it.
    fn url(&self, service: &Url, place: &Place, offset: u64) -> Url {
        let mut url = service.clone();
        url.set_path(&format!(
            "{}v0.10/operation/endpoint/{}/ls",
            service.path(),
            place.collection
        ));
        let mut query = url.query_pairs_mut();
        if let Some(path) = &place.path {
            query.append_pair("path", path);
        }
        for filter in &self.filters {
            query.append_pair("filter", filter);
        }
        query
            .append_pair("orderby", self.order)
            .append_pair("show_hidden", if self.hidden { "1" } else { "0" })
            .append_pair("limit", &self.page_size.to_string())
            .append_pair("offset", &offset.to_string());
        drop(query);
        url
    }
}

impl Transfer {
    /// Whether a token of the login is used, and another login is possible.
    pub(crate) fn may_log_in(&self) -> bool {
        self.token.is_none() && self.remedy.is_none()
    }

    /// Lists a directory, and those in it as deep as is wanted. An entry further down has a path for its name.
    pub(crate) async fn list(
        &mut self,
        place: &Place,
        wanted: &Wanted,
    ) -> Result<Directory, Failure> {
        let mut top = self.directory(place, wanted).await?;
        let base = top.document["path"].as_str().unwrap_or("/~/").to_owned();
        let mut ahead = VecDeque::from([(String::new(), wanted.depth)]);
        let mut found = Vec::new();
        while let Some((below, depth)) = ahead.pop_front() {
            let entries = if below.is_empty() {
                std::mem::take(&mut top.entries)
            } else {
                let deeper = Place {
                    collection: place.collection,
                    path: Some(format!("{base}{below}")),
                    pattern: None,
                };
                self.directory(&deeper, wanted).await?.entries
            };
            for mut entry in entries {
                let name = format!("{below}{}", entry["name"].as_str().unwrap_or_default());
                if depth > 0 && entry["type"] == "dir" {
                    ahead.push_back((format!("{name}/"), depth - 1));
                }
                entry["name"] = name.into();
                found.push(entry);
            }
        }
        top.entries = found;
        Ok(top)
    }

    /// All pages of one directory.
    async fn directory(&mut self, place: &Place, wanted: &Wanted) -> Result<Directory, Failure> {
        let mut pages: Option<Directory> = None;
        loop {
            let offset = pages.as_ref().map_or(0, |pages| pages.entries.len() as u64);
            let body = self
                .get(&wanted.url(&self.service, place, offset), place)
                .await?;
            let mut document: Value = serde_json::from_slice(&body).map_err(Failure::no_listing)?;
            let Value::Array(entries) = document["DATA"].take() else {
                return Err(Failure::error(
                    "the service's answer is no listing: it has no DATA",
                ));
            };
            let (count, total) = (entries.len() as u64, document["total"].as_u64());
            let pages = match &mut pages {
                Some(pages) => {
                    pages.entries.extend(entries);
                    pages
                }
                None => pages.insert(Directory { document, entries }),
            };
            // A service that counts nothing gives a full page for as long as there is more.
            let is_last = match total {
                Some(total) => pages.entries.len() as u64 >= total,
                None => count < wanted.page_size,
            };
            if is_last || count == 0 {
                return Ok(Directory {
                    document: pages.document.take(),
                    entries: std::mem::take(&mut pages.entries),
                });
            }
        }
    }

    /// This is written as if nobody ever had to log in.
    async fn get(&mut self, url: &Url, place: &Place) -> Result<Bytes, Failure> {
        let mut request = http::Request::get(url.as_str()).header(ACCEPT, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if self.remedy.is_some() {
            request = request.extension(GareOptions::new().no_prompt());
        }
        let request = request
            .body(Full::<Bytes>::default())
            .map_err(|_| Failure::error("the token cannot be sent in a header"))?;

        let waiting = self.terminal.wait_for(&self.service);
        let network = |error: &reqwest::Error| Failure::network(error, &self.service);
        let client = self.client.clone();
        let response = client
            .oneshot(request)
            .await
            .map_err(|error| network(&error))?;
        let (head, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .map_err(|error| network(&error))?
            .to_bytes();
        drop(waiting);

        if head.status.is_success() {
            return Ok(body);
        }
        // What came of a requirement is told beside the response.
        let failure = match head.extensions.get::<GareOutcome>() {
            Some(outcome) => Failure::refused(
                outcome,
                head.status,
                &body,
                place,
                &self.service,
                self.remedy,
            ),
            None => Failure::answered(head.status, &body, place),
        };
        Err(failure.with_dead_token(head.status == StatusCode::UNAUTHORIZED))
    }
}
