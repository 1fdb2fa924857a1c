//! Which entries a listing shows, in which order, and how.

use std::cmp::Ordering;
use std::time::SystemTime;

use serde_json::{Value, json};

use crate::clock::timestamp;

use super::directory::Entry;
use super::filter::Filter;

/// The most entries that Transfer lists.
const LIMIT: usize = 100_000;

/// The parameters of a listing.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    show_hidden: bool,
    /// Any of them.
    filters: Vec<Filter>,
    order: Vec<(Field, bool)>,
    limit: usize,
    offset: usize,
}

#[derive(Clone, Copy, Debug)]
enum Field {
    Name,
    Type,
    Size,
    LastModified,
    /// Fields that all entries have the same value of.
    Same,
    Permissions,
}

impl Wanted {
    pub(super) fn parse(pairs: &[(String, String)]) -> Result<Self, String> {
        let mut wanted = Self {
            show_hidden: true,
            filters: Vec::new(),
            order: Vec::new(),
            limit: LIMIT,
            offset: 0,
        };
        for (name, value) in pairs {
            match name.as_str() {
                "show_hidden" => {
                    wanted.show_hidden = !matches!(value.as_str(), "0" | "false" | "False")
                }
                "filter" => wanted.filters.push(Filter::parse(value)?),
                "orderby" => {
                    wanted.order = value.split(',').map(order).collect::<Result<_, _>>()?
                }
                "limit" => wanted.limit = number(name, value)?.min(LIMIT),
                "offset" => wanted.offset = number(name, value)?,
                _ => {}
            }
        }
        wanted.order.push((Field::Name, false));
        Ok(wanted)
    }

    /// The entries to show, and how many there are without the limit.
    pub(super) fn select(&self, mut entries: Vec<Entry>) -> (Vec<Entry>, usize) {
        entries.retain(|entry| {
            let visible = self.show_hidden || !entry.name.starts_with('.');
            visible
                && (self.filters.is_empty()
                    || self.filters.iter().any(|filter| filter.accepts(entry)))
        });
        entries.sort_by(|left, right| self.compare(left, right));
        let total = entries.len();
        (
            entries
                .into_iter()
                .skip(self.offset)
                .take(self.limit)
                .collect(),
            total,
        )
    }

    fn compare(&self, left: &Entry, right: &Entry) -> Ordering {
        let each = self.order.iter().map(|(field, descending)| {
            let ordering = field.compare(left, right);
            if *descending {
                ordering.reverse()
            } else {
                ordering
            }
        });
        each.fold(Ordering::Equal, Ordering::then)
    }
}

impl Field {
    fn compare(self, left: &Entry, right: &Entry) -> Ordering {
        match self {
            Self::Name => left.name.cmp(&right.name),
            Self::Type => left.kind.cmp(right.kind),
            Self::Size => left.size.cmp(&right.size),
            Self::LastModified => left.modified.cmp(&right.modified),
            Self::Permissions => left.permissions.cmp(&right.permissions),
            Self::Same => Ordering::Equal,
        }
    }
}

fn order(text: &str) -> Result<(Field, bool), String> {
    let mut words = text.split_whitespace();
    let field = match words.next() {
        Some("name") => Field::Name,
        Some("type") => Field::Type,
        Some("size") => Field::Size,
        Some("last_modified") => Field::LastModified,
        Some("permissions") => Field::Permissions,
        Some("user" | "group") => Field::Same,
        _ => return Err(format!("Invalid orderby '{text}'")),
    };
    match words.next().map(str::to_ascii_uppercase).as_deref() {
        None | Some("ASC") => Ok((field, false)),
        Some("DESC") => Ok((field, true)),
        Some(_) => Err(format!("Invalid orderby '{text}'")),
    }
}

fn number(name: &str, value: &str) -> Result<usize, String> {
    value
        .parse()
        .map_err(|_| format!("Invalid {name} '{value}'"))
}

/// `2023-12-18 16:52:50+00:00`, as Transfer writes times.
pub(super) fn last_modified(at: SystemTime) -> String {
    timestamp(at)
        .strftime("%Y-%m-%d %H:%M:%S+00:00")
        .to_string()
}

/// The document of one entry, which `owner` owns.
pub(super) fn document(entry: &Entry, owner: &str) -> Value {
    let link = entry.link.as_ref();
    let link_owner = link.map(|_| owner);
    json!({
        "DATA_TYPE": "file",
        "name": entry.name,
        "type": entry.kind,
        "size": entry.size,
        "last_modified": last_modified(entry.modified),
        "permissions": entry.permissions,
        "user": owner,
        "group": owner,
        "link_target": link.and_then(|link| link.target.as_deref()),
        "link_size": link.map(|link| link.size),
        "link_last_modified": link.map(|link| last_modified(link.modified)),
        "link_user": link_owner,
        "link_group": link_owner,
    })
}
