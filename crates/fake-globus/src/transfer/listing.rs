//! The options and the document of a listing.

use std::cmp::Ordering;
use std::time::SystemTime;

use serde::Serialize;
use uuid::Uuid;

use crate::clock::timestamp;

use super::directory::Entry;
use super::filter::Filter;

/// The most entries of a listing, as in Transfer.
const LIMIT: usize = 100_000;

/// The options of a listing: which entries, and in which order.
#[derive(Clone, Debug)]
pub(super) struct ListOptions {
    show_hidden: bool,
    /// An entry must match one of them.
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
    /// A field with the same value in all entries.
    Same,
    Permissions,
}

impl ListOptions {
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

    /// The selected entries, and their number without offset and limit.
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

/// A time in the format of Transfer, such as `2023-12-18 16:52:50+00:00`.
pub(super) fn last_modified(at: SystemTime) -> String {
    timestamp(at)
        .strftime("%Y-%m-%d %H:%M:%S+00:00")
        .to_string()
}

/// The document of an entry. The fields are sorted, as in Transfer.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    #[serde(rename = "DATA_TYPE")]
    data_type: &'static str,
    group: &'a str,
    last_modified: String,
    link_group: Option<&'a str>,
    link_last_modified: Option<String>,
    link_size: Option<u64>,
    link_target: Option<&'a str>,
    link_user: Option<&'a str>,
    name: &'a str,
    permissions: &'a str,
    size: u64,
    #[serde(rename = "type")]
    kind: &'a str,
    user: &'a str,
}

impl<'a> Document<'a> {
    /// The document of `entry` with this owner.
    pub(super) fn of(entry: &'a Entry, owner: &'a str) -> Self {
        let link = entry.link.as_ref();
        let link_owner = link.map(|_| owner);
        Self {
            data_type: "file",
            group: owner,
            last_modified: last_modified(entry.modified),
            link_group: link_owner,
            link_last_modified: link.map(|link| last_modified(link.modified)),
            link_size: link.map(|link| link.size),
            link_target: link.and_then(|link| link.target.as_deref()),
            link_user: link_owner,
            name: &entry.name,
            permissions: &entry.permissions,
            size: entry.size,
            kind: entry.kind,
            user: owner,
        }
    }
}

/// The document of a listing.
#[derive(Serialize)]
pub(super) struct Listing<'a> {
    #[serde(rename = "DATA")]
    pub(super) entries: Vec<Document<'a>>,
    #[serde(rename = "DATA_TYPE")]
    pub(super) data_type: &'static str,
    pub(super) absolute_path: String,
    pub(super) endpoint: Uuid,
    pub(super) length: usize,
    pub(super) path: String,
    pub(super) rename_supported: bool,
    pub(super) symlink_supported: bool,
    pub(super) total: usize,
}
