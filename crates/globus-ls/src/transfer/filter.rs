//! Transfer's filter for names. It is applied here to directories, which Transfer sends unfiltered
//! where a recursive listing needs them.

/// `NAME`, `=NAME` or `~PATTERN`, each possibly after a `!`. A comma separates alternatives.
pub(super) struct NameFilter(String);

impl NameFilter {
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.split(',').any(|filter| matches(filter, name))
    }
}

fn matches(filter: &str, name: &str) -> bool {
    let (expected, filter) = match filter.strip_prefix('!') {
        Some(filter) => (false, filter),
        None => (true, filter),
    };
    let found = match filter.strip_prefix('~') {
        Some(pattern) => matches_pattern(&name.to_lowercase(), &pattern.to_lowercase()),
        None => filter.strip_prefix('=').unwrap_or(filter) == name,
    };
    found == expected
}

/// Whether `name` matches `pattern`, in which `*` stands for any text.
fn matches_pattern(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn filter_matches_names() {
        for (filter, name, expected) in [
            ("a", "a", true),
            ("=a", "a", true),
            ("a", "A", false),
            ("!a", "a", false),
            ("!=a", "b", true),
            ("a,b", "b", true),
            ("~*.txt", "a.TXT", true),
            ("~*.txt", "a.txt.gz", false),
            ("!~*.txt", "a.txt", false),
            ("~a*b*c", "abc", true),
            ("~a*b*c", "ac", false),
            ("~a*a", "a", false),
            ("~a", "a", true),
            ("~a", "ab", false),
            ("~*", "", true),
        ] {
            let filter = NameFilter::new(filter.to_owned());
            assert_eq!(filter.matches(name), expected, "{} {name}", filter.text());
        }
    }
}
