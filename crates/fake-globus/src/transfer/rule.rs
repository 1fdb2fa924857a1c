//! The filter rules of a transfer: which entries of a directory are left out.

use serde::{Deserialize, Serialize};

use super::glob;

/// One rule. Of several, the first that an entry fits decides.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Rule {
    #[serde(rename = "DATA_TYPE", default = "data_type")]
    data_type: String,
    #[serde(default)]
    method: Method,
    name: String,
    #[serde(rename = "type", default)]
    kind: Option<Kind>,
}

fn data_type() -> String {
    "filter_rule".to_owned()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Method {
    Include,
    #[default]
    Exclude,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    File,
    Dir,
}

/// Whether an entry of a directory is left out.
pub(super) fn excludes(rules: &[Rule], name: &str, is_dir: bool) -> bool {
    let kind = if is_dir { Kind::Dir } else { Kind::File };
    let mut rules = rules.iter();
    let first = rules.find(|rule| {
        rule.kind.is_none_or(|wanted| wanted == kind) && glob::matches(&rule.name, name)
    });
    first.is_some_and(|rule| rule.method == Method::Exclude)
}
