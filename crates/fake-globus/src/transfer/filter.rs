//! The `filter` parameter of a listing, such as `type:dir/name:~*.txt`.

use super::directory::Entry;
use super::glob;
use super::listing::last_modified;

/// A `filter` parameter: clauses separated by slashes. An entry must match all of them.
#[derive(Clone, Debug)]
pub(super) struct Filter(Vec<Clause>);

#[derive(Clone, Debug)]
enum Clause {
    /// One of these patterns.
    Name(Vec<String>),
    /// One of these types.
    Type(Vec<String>),
    /// From and to. Either may be empty.
    LastModified(String, String),
    Size(Comparison, u64),
}

#[derive(Clone, Copy, Debug)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    More,
    Different,
}

impl Filter {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        text.split('/')
            .filter(|clause| !clause.is_empty())
            .map(Clause::parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    pub(super) fn accepts(&self, entry: &Entry) -> bool {
        self.0.iter().all(|clause| clause.accepts(entry))
    }
}

impl Clause {
    fn parse(text: &str) -> Result<Self, String> {
        let (field, value) = text
            .split_once(':')
            .ok_or_else(|| format!("Invalid filter clause '{text}'"))?;
        let values = || value.split(',').map(ToOwned::to_owned).collect();
        match field {
            "name" => Ok(Self::Name(values())),
            "type" => Ok(Self::Type(values())),
            "last_modified" => {
                let (from, to) = value.split_once(',').unwrap_or((value, ""));
                Ok(Self::LastModified(from.to_owned(), to.to_owned()))
            }
            "size" => {
                let (comparison, number) = Comparison::parse(value);
                let number = number
                    .parse()
                    .map_err(|_| format!("Invalid size '{value}' in filter"))?;
                Ok(Self::Size(comparison, number))
            }
            _ => Err(format!("Invalid filter field '{field}'")),
        }
    }

    fn accepts(&self, entry: &Entry) -> bool {
        match self {
            Self::Name(patterns) => patterns
                .iter()
                .any(|pattern| name_matches(pattern, &entry.name)),
            Self::Type(types) => types.iter().any(|kind| kind == entry.kind),
            Self::LastModified(from, to) => {
                // Times in this format sort as text. A date is a prefix of its times.
                let at = last_modified(entry.modified);
                (from.is_empty() || at >= *from) && (to.is_empty() || at < *to)
            }
            Self::Size(comparison, number) => comparison.holds(entry.size, *number),
        }
    }
}

impl Comparison {
    fn parse(text: &str) -> (Self, &str) {
        let known = [
            ("<=", Self::AtMost),
            (">=", Self::AtLeast),
            ("!=", Self::Different),
            ("<", Self::Less),
            (">", Self::More),
            ("=", Self::Equal),
        ];
        let found = known
            .iter()
            .find_map(|(sign, which)| Some((*which, text.strip_prefix(sign)?)));
        found.unwrap_or((Self::Equal, text))
    }

    fn holds(self, left: u64, right: u64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Equal => left == right,
            Self::AtLeast => left >= right,
            Self::More => left > right,
            Self::Different => left != right,
        }
    }
}

/// Whether a pattern matches a name. `~` begins a case-insensitive pattern; `=` or nothing begins
/// an exact name; `!` before either negates it.
pub(super) fn name_matches(pattern: &str, name: &str) -> bool {
    let (wanted, pattern) = match pattern.strip_prefix('!') {
        Some(rest) => (false, rest),
        None => (true, pattern),
    };
    let matches = match pattern.strip_prefix('~') {
        Some(glob) => glob::matches(&glob.to_lowercase(), &name.to_lowercase()),
        None => pattern.strip_prefix('=').unwrap_or(pattern) == name,
    };
    matches == wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn pattern_matches_names_as_transfer_does() {
        for (pattern, name, expected) in [
            ("~*.txt", "a.TXT", true),
            ("~*.txt", "a.txt.gz", false),
            ("!~file1.*", "file1.txt", false),
            ("!~file1.*", "file2.txt", true),
            ("~*ile3.tx*", "file3.txt", true),
            ("~a*b*c", "abc", true),
            ("~a*b*c", "ac", false),
            ("~a*a", "a", false),
            ("~*", "", true),
            ("=x", "x", true),
            ("x", "X", false),
            ("!=x", "y", true),
        ] {
            assert_eq!(name_matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
