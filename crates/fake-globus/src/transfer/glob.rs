//! Glob patterns, for filters, the filter rules of a transfer, and paths of a deletion.

/// Whether `name` matches `glob`. `*` matches any characters, `?` one character, and `[ab]`,
/// `[a-c]` or `[!ab]` one character of a set.
pub(super) fn matches(glob: &str, name: &str) -> bool {
    let (mut glob, mut name) = (glob, name);
    // The pattern after the last star, and the part of the name that the star has not matched.
    let mut star: Option<(&str, &str)> = None;
    loop {
        if let Some(rest) = glob.strip_prefix('*') {
            star = Some((rest, name));
            glob = rest;
            continue;
        }
        let mut characters = name.chars();
        let one = characters.next();
        match (one, one.and_then(|one| fits(glob, one))) {
            (_, Some(rest)) => (glob, name) = (rest, characters.as_str()),
            (None, _) if glob.is_empty() => return true,
            // The last star matches one more character. Earlier stars need no other attempt: the
            // earliest place of each part leaves the most for the rest.
            _ => {
                let Some((behind, left)) = star else {
                    return false;
                };
                let mut left = left.chars();
                if left.next().is_none() {
                    return false;
                }
                star = Some((behind, left.as_str()));
                (glob, name) = (behind, left.as_str());
            }
        }
    }
}

/// The rest of `glob` after its first part. `None` if that part does not match `one`.
fn fits(glob: &str, one: char) -> Option<&str> {
    let mut characters = glob.chars();
    match characters.next()? {
        '?' => Some(characters.as_str()),
        '[' => match set(characters.as_str()) {
            Some((members, wanted, rest)) => (contains(members, one) == wanted).then_some(rest),
            // A bracket that is never closed is literal.
            None => (one == '[').then_some(characters.as_str()),
        },
        literal => (literal == one).then_some(characters.as_str()),
    }
}

/// The members of a set, whether it is not negated, and the pattern after it.
fn set(text: &str) -> Option<(&str, bool, &str)> {
    let (wanted, text) = match text.strip_prefix('!') {
        Some(rest) => (false, rest),
        None => (true, text),
    };
    // A bracket as the first member does not close the set.
    let first = text.chars().next()?.len_utf8();
    let end = first + text.get(first..)?.find(']')?;
    Some((&text[..end], wanted, &text[end + 1..]))
}

fn contains(members: &str, one: char) -> bool {
    let mut rest = members.chars();
    while let Some(first) = rest.next() {
        let mut ahead = rest.clone();
        let is_range = ahead.next() == Some('-');
        match ahead.next().filter(|_| is_range) {
            Some(last) => {
                if (first..=last).contains(&one) {
                    return true;
                }
                rest = ahead;
            }
            None if first == one => return true,
            None => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[checks::test]
    fn glob_matches_as_a_shell_does() {
        for (glob, name, expected) in [
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt.gz", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "abxbc", true),
            ("a*b*c", "ac", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("a?c", "äbc", false),
            ("?bc", "äbc", true),
            ("run-[0-9].log", "run-7.log", true),
            ("run-[0-9].log", "run-x.log", false),
            ("[!a]*", "b", true),
            ("[!a]*", "a", false),
            ("[]x]", "]", true),
            ("[ab-]", "-", true),
            ("[open", "[open", true),
            ("*[xy]*", "ay", true),
        ] {
            assert_eq!(matches(glob, name), expected, "{glob} {name}");
        }
    }

    #[checks::test]
    fn many_stars_take_no_exponential_time() {
        let (glob, name) = ("*a".repeat(60) + "b", "a".repeat(400));
        assert!(!matches(&glob, &name));
    }
}
