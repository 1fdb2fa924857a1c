//! The filter rules of a transfer, which exclude entries of directories.

use serde::{Deserialize, Serialize};

use super::glob;

/// A filter rule. The first rule that matches an entry decides.
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

/// Whether the rules exclude an entry of a directory.
pub(super) fn excludes(rules: &[Rule], name: &str, is_dir: bool) -> bool {
    let kind = if is_dir { Kind::Dir } else { Kind::File };
    let mut rules = rules.iter();
    let first = rules.find(|rule| {
        rule.kind.is_none_or(|wanted| wanted == kind) && glob::matches(&rule.name, name)
    });
    first.is_some_and(|rule| rule.method == Method::Exclude)
}
