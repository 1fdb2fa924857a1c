use std::fmt;

/// A set of scopes, in the order in which they were first asked for.
///
/// A scope may carry its dependencies in brackets, with spaces between them:
/// `transfer:all[*one *two]` is one scope. `transfer:all` beside it is another
/// member of the set: Globus Auth itself merges the two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scopes(Vec<String>);

impl Scopes {
    /// Adds each scope of a space-separated text that is not there yet.
    pub(super) fn add(&mut self, text: &str) {
        let mut depth = 0_usize;
        let separates = |c: char| {
            match c {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c.is_whitespace() && depth == 0
        };
        for scope in text
            .split(separates)
            .map(str::trim)
            .filter(|scope| !scope.is_empty())
        {
            if !self.0.iter().any(|known| known == scope) {
                self.0.push(scope.to_owned());
            }
        }
    }

    pub(super) fn with<S: AsRef<str>>(mut self, more: impl IntoIterator<Item = S>) -> Self {
        more.into_iter().for_each(|text| self.add(text.as_ref()));
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_united_and_dependencies_stay_whole() {
        for (texts, united) in [
            (&["a b", "b c"][..], "a b c"),
            (&["  a\t\n b "], "a b"),
            (
                &["t:all[*x *y] a", "t:all", "t:all[*x *y]"],
                "t:all[*x *y] a t:all",
            ),
            (&["a[b[c d] e] f"], "a[b[c d] e] f"),
            (&["a] b"], "a] b"),
            (&["a[b c"], "a[b c"),
            (&["", " "], ""),
        ] {
            assert_eq!(
                Scopes::default().with(texts).to_string(),
                united,
                "{texts:?}"
            );
        }
        assert_eq!(Scopes::default().with(["a[b c] d"]).iter().count(), 2);
    }
}
