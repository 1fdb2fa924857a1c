//! Which entries are wanted.

use url::Url;

use super::filter::NameFilter;
use crate::failure::Failure;
use crate::options::{Sort, What};
use crate::place::Place;

/// Which entries of a directory are wanted, in Transfer's terms.
pub(crate) struct Wanted {
    filter: Option<NameFilter>,
    order: &'static str,
    hidden: bool,
    pub(super) page_size: u64,
    pub(super) depth: usize,
}

impl Wanted {
    pub(crate) fn new(what: &What, place: &Place) -> Result<Self, Failure> {
        let filter = match (&what.filter, &place.pattern) {
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
            (Some(filter), None) => Some(filter.clone()),
            (None, Some(pattern)) => Some(format!("~{pattern}")),
            (None, None) => None,
        };
        Ok(Self {
            filter: filter.map(NameFilter::new),
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

    pub(super) fn is_recursive(&self) -> bool {
        self.depth > 0
    }

    /// Whether a directory is to be shown. Transfer sends all directories where a recursive
    /// listing needs them to go on.
    pub(super) fn shows_directory(&self, name: &str) -> bool {
        let mut filters = self.filter.iter();
        !self.is_recursive() || filters.all(|filter| filter.matches(name))
    }

    /// Where the Transfer service lists a page of `place`.
    pub(super) fn url(&self, service: &Url, place: &Place, offset: u64) -> Url {
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
        if let Some(filter) = &self.filter {
            query.append_pair("filter", &format!("name:{}", filter.text()));
            if self.is_recursive() {
                // One of them must be true.
                query.append_pair("filter", "type:dir");
            }
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
