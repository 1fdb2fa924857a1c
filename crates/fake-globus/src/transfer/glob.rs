//! Patterns of names: in filters, in the rules of a transfer, and in paths to delete.

/// Whether `name` fits `glob`, where `*` stands for any run of characters, `?` for one character, and `[ab]`, `[a-c]`
/// or `[!ab]` for one of a set.
pub(super) fn matches(glob: &str, name: &str) -> bool {
    let (mut glob, mut name) = (glob, name);
    // Behind the last star, and what of the name the star has not taken yet.
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
            // The last star takes one character more: it is enough to look for the earliest place of each part.
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

/// What of `glob` is left when its first part stands for `one`; `None` where it does not.
fn fits(glob: &str, one: char) -> Option<&str> {
    let mut characters = glob.chars();
    match characters.next()? {
        '?' => Some(characters.as_str()),
        '[' => match set(characters.as_str()) {
            Some((members, wanted, rest)) => (contains(members, one) == wanted).then_some(rest),
            // A bracket that is never closed stands for itself.
            None => (one == '[').then_some(characters.as_str()),
        },
        literal => (literal == one).then_some(characters.as_str()),
    }
}

/// The members of a set, whether one of them is wanted, and what follows the set.
fn set(text: &str) -> Option<(&str, bool, &str)> {
    let (wanted, text) = match text.strip_prefix('!') {
        Some(rest) => (false, rest),
        None => (true, text),
    };
    // As its first member, a bracket does not close the set.
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
