//! The query for a listing.

use url::Url;

use super::filter::NameFilter;
use crate::failure::Failure;
use crate::options::{ListArgs, Sort};
use crate::place::Place;

/// Which entries of a directory are listed, in Transfer's terms.
pub(crate) struct Query {
    filter: Option<NameFilter>,
    order: &'static str,
    hidden: bool,
    pub(super) page_size: u64,
    pub(super) depth: usize,
}

impl Query {
    pub(crate) fn new(args: &ListArgs, place: &Place) -> Result<Self, Failure> {
        let filter = match (&args.filter, &place.pattern) {
            (Some(_), Some(_)) => {
                return Err(Failure::usage(
                    "give either --filter or a path with a *, not both",
                ));
            }
            (Some(filter), None) if filter.contains('/') => {
                return Err(Failure::usage(
                    "a filter matches names, and a name contains no /",
                ));
            }
            (Some(filter), None) => Some(filter.clone()),
            // Transfer would take it for the end of an alternative.
            (None, Some(pattern)) if pattern.contains(',') => {
                return Err(Failure::usage(
                    "a pattern cannot contain a comma: list the directory instead",
                ));
            }
            (None, Some(pattern)) => Some(format!("~{pattern}")),
            (None, None) => None,
        };
        Ok(Self {
            filter: filter.map(NameFilter::new),
            order: match (args.sort(), args.reverse) {
                (Sort::Name, false) => "name ASC",
                (Sort::Name, true) => "name DESC",
                (Sort::Size, false) => "size DESC,name ASC",
                (Sort::Size, true) => "size ASC,name ASC",
                (Sort::Time, false) => "last_modified DESC,name ASC",
                (Sort::Time, true) => "last_modified ASC,name ASC",
                (Sort::Type, false) => "type ASC,name ASC",
                (Sort::Type, true) => "type DESC,name ASC",
            },
            hidden: args.all,
            page_size: args.page_size,
            depth: if args.recursive { args.depth } else { 0 },
        })
    }

    pub(super) fn is_recursive(&self) -> bool {
        self.depth > 0
    }

    /// Whether a directory is shown. In a recursive listing Transfer sends all directories, also
    /// those that do not match the filter.
    pub(super) fn shows_directory(&self, name: &str) -> bool {
        let mut filters = self.filter.iter();
        !self.is_recursive() || filters.all(|filter| filter.matches(name))
    }

    /// The URL of a page of `place`.
    pub(super) fn url(&self, service: &Url, place: &Place, offset: u64) -> Url {
        let mut url = service.clone();
        url.set_path(&format!(
            "{}v0.10/operation/endpoint/{}/ls",
            service.path(),
            place.collection
        ));
        let mut pairs = url.query_pairs_mut();
        if let Some(path) = &place.path {
            pairs.append_pair("path", path);
        }
        if let Some(filter) = &self.filter {
            pairs.append_pair("filter", &format!("name:{}", filter.text()));
            if self.is_recursive() {
                // An entry has to pass one of the filters.
                pairs.append_pair("filter", "type:dir");
            }
        }
        pairs
            .append_pair("orderby", self.order)
            .append_pair("show_hidden", if self.hidden { "1" } else { "0" })
            .append_pair("limit", &self.page_size.to_string())
            .append_pair("offset", &offset.to_string());
        drop(pairs);
        url
    }
}
